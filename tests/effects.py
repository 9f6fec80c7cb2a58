"""Carrying out what is due in the outbox, kind by kind, without a worker process."""

from typing import Any

from webapp import outbox
from webapp.handlers import Errand, rounds
from webapp.models import OutboxMessage
from webapp.outbox import claiming
from webapp.smtp import Post

MONEY = ("refund", "credit")


def carry_out(*kinds: str) -> int:
    """All that is due of these kinds (money when none is named); returns how many."""
    done = 0
    with Post() as post:
        while (claim := claiming.claim(kinds or MONEY)) is not None:
            rounds.carry_out(Errand(claim, post))
            done += 1
    return done


def message(kind: str, payload: dict[str, Any], invitation: Any = None) -> OutboxMessage:
    """One that has just been written."""
    outbox.write(kind, payload, invitation=invitation)
    found: OutboxMessage = OutboxMessage.select().order_by(OutboxMessage.id.desc()).get()
    return found
