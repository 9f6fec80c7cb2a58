"""A round: claims and carries out what is due, until nothing is, or for some seconds."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from peewee import InterfaceError, OperationalError

from webapp import clock, mailer, outbox
from webapp.actions import deliveries
from webapp.database import database, transaction
from webapp.forms import Forms
from webapp.handlers import Errand, Handler
from webapp.handlers.kinds import HANDLERS
from webapp.handlers.runs import Run
from webapp.handlers.taken import taken
from webapp.models import OutboxMessage
from webapp.outbox import claiming
from webapp.outbox.claiming import Claim
from webapp.smtp import Post

log = logging.getLogger("affluent.worker")

# Somebody sits and waits for these.
URGENT = ("mail:code",)
# So that a long queue neither keeps the periodic tasks waiting nor holds up a stop.
LASTS = 10.0
# So many mails are claimed, and their links drawn, in one go, while that many take no longer.
MOST, QUICK = 50, 1.0


def drain(is_stopping: Callable[[], bool] = lambda: False) -> datetime | None:
    """One round, inside an app context; returns when the next is wanted, or None when nothing that
    was tried here has to be tried again."""
    taken().tell()
    try:
        return _drain(is_stopping)
    except (OperationalError, InterfaceError):
        taken().doubt()
        raise


def _drain(is_stopping: Callable[[], bool]) -> datetime | None:
    ends = time.monotonic() + LASTS
    tries: list[datetime] = []
    most = 1
    forms = Forms(mailer.write)
    with Post() as post:
        while not is_stopping():
            if time.monotonic() > ends:
                return clock.now()
            claims = claiming.claim_some(1, URGENT) or claiming.claim_some(most)
            if not claims:
                break
            claims = [claim for claim in claims if not _was_sent(claim)]
            done = _carry_out_all(claims, post, forms, tries, is_stopping)
            most = min(4 * most, MOST) if done == len(claims) else done
    return min(tries, default=None)


def _was_sent(claim: Claim) -> bool:
    """By a worker that was killed before it could say so, or by this one, which could not say so to
    a database that was away: that is made up for."""
    if claim.message.sent_at is None and not taken().has(claim.message):
        return False
    _finish(claim, True)
    return True


def _carry_out_all(
    claims: Sequence[Claim],
    post: Post,
    forms: Forms,
    tries: list[datetime],
    is_stopping: Callable[[], bool],
) -> int:
    """Messages of one kind, until they take too long; the rest is given back. How many were
    tried?"""
    ends = time.monotonic() + QUICK
    run: Run | None = None
    if len(claims) > 1 and claims[0].message.kind in deliveries.KINDS:
        run = Run(claims, post, HANDLERS[claims[0].message.kind], _finish, forms)
    done = 0
    for claim in claims:
        if done and (time.monotonic() > ends or is_stopping()):
            break
        errand = Errand(claim, post)
        again = carry_out(errand) if run is None else carry_out(errand, run.send, run.finish)
        if again is not None:
            tries.append(again)
        done += 1
    for claim in run.end() if run is not None else ():
        _tell(claim, "done")
    claiming.give_back(claims[done:])
    return done


def carry_out(
    errand: Errand,
    handler: Handler | None = None,
    finish: Callable[[Claim, bool], object] | None = None,
) -> datetime | None:
    """One message, to its end or its next try, which is returned. An error of one message is no
    other's: it is put into quarantine. Only an absent database ends the round."""
    claim = errand.claim
    if claim.message.attempts > len(claiming.PAUSES) + 1:
        _give_up(claim, "tried too often: the worker never came to its end")
        return None
    try:
        done = (handler or HANDLERS[claim.message.kind])(errand)
    except outbox.Deferred as error:
        return _defer(claim, str(error))
    except outbox.Refused as error:
        _refuse(claim, str(error))
    except (OperationalError, InterfaceError):
        if not database.is_closed():
            database.close()
        raise
    except Exception as error:
        log.exception("outbox message %s (%s)", claim.message.id, claim.message.kind)
        _give_up(claim, f"{type(error).__name__}: {error}")
    else:
        (finish or _finish)(claim, done)
    return None


def _finish(claim: Claim, done: bool) -> None:
    with transaction():
        if claiming.mark_left(claim) and done:
            _note(claim.message, "sent")
    _tell(claim, "done" if done else "dropped")


def _refuse(claim: Claim, words: str) -> None:
    with transaction():
        if claiming.mark_refused(claim, words):
            _note(claim.message, "refused", words)
    _tell(claim, "refused")


def _give_up(claim: Claim, reason: str) -> None:
    """Into quarantine; what is wrong is for the operator to read, not for whoever invited."""
    with transaction():
        if claiming.mark_quarantined(claim, reason):
            _note(claim.message, "refused")
    _tell(claim, "put aside")


def _defer(claim: Claim, words: str) -> datetime | None:
    with transaction():
        next_try_at = claiming.mark_deferred(claim, words)
        if next_try_at is None:
            _note(claim.message, "refused", words)
        else:
            _note(claim.message, "deferred", words, next_try_at)
    _tell(claim, "put aside" if next_try_at is None else "deferred")
    return next_try_at


def _note(
    message: OutboxMessage, delivery: str, words: str = "", next_try_at: datetime | None = None
) -> None:
    if message.invitation_id is not None:
        deliveries.note(message, delivery, words, next_try_at)


def _tell(claim: Claim, outcome: str) -> None:
    """One line a try. It names the message; whom it was for, and what the other side said, stay in
    the database."""
    taken().forget(claim)
    message = claim.message
    fields = {
        "outbox_message": message.id,
        "kind": message.kind,
        "outcome": outcome,
        "attempts": message.attempts,
    }
    log.info(
        "outbox message %s (%s) %s", message.id, message.kind, outcome, extra={"fields": fields}
    )
