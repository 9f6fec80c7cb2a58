"""Carrying out what is due in the outbox, kind by kind, without a worker process."""

from webapp import outbox
from webapp.handlers import Errand, rounds
from webapp.smtp import Post

MONEY = ("refund", "credit")


def carry_out(*kinds: str) -> int:
    """All that is due of these kinds (money when none is named); returns how many."""
    done = 0
    with Post() as post:
        while (claim := outbox.claim(kinds or MONEY)) is not None:
            rounds.carry_out(Errand(claim, post))
            done += 1
    return done
