"""Effects leave through here: a row is written in the action's transaction, and waits.

The row is the truth; who carries it out says claiming.py. Kinds are known here by name only:
handlers/ has what each of them does."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from typing import Any

from peewee import SQL, Value

from webapp import clock
from webapp.database import as_instant, database, is_postgresql
from webapp.models import Invitation, OutboxMessage, written

# Of messages that have not ended and that nobody carries out; the moment is a parameter.
FREE = """
left_at IS NULL AND quarantined_at IS NULL AND canceled_at IS NULL
AND (claimed_until IS NULL OR claimed_until < ?)"""

_nudge: Callable[[], object] | None = None
# Kind, payload, invitation, the moment of writing and that of leaving.
_Row = tuple[str, str, int | None, datetime, datetime]
_together: ContextVar[list[_Row] | None] = ContextVar("together", default=None)
_as_kept: Any = OutboxMessage.payload.db_value


class Refused(Exception):
    """Trying again is useless; the message is the other side's words."""


class Deferred(Exception):
    """Not now; the message is the other side's words."""


def nudge_with(nudge: Callable[[], object] | None) -> None:
    """How to wake the worker after a commit; best effort, a lost nudge costs seconds."""
    global _nudge
    _nudge = nudge


def write(
    kind: str,
    payload: dict[str, Any],
    leaves_at: datetime | None = None,
    invitation: Invitation | None = None,
) -> None:
    """One effect, to be carried out after `leaves_at` (at once when None). Call inside the
    transaction of the action that causes it."""
    now = clock.now()
    at = None if invitation is None else invitation.id
    row = (kind, _as_kept(payload), at, now, leaves_at or now)
    together = _together.get()
    if together is None:
        _insert([row])
    else:
        together.append(row)


@contextmanager
def together() -> Iterator[None]:
    """What is written within becomes rows at its end, by one statement."""
    rows: list[_Row] = []
    token = _together.set(rows)
    try:
        yield
    finally:
        _together.reset(token)
    if rows:
        _insert(rows)


def _insert(rows: Sequence[_Row]) -> None:
    into = "outbox_message (kind, payload, invitation_id, created_at, leaves_at, attempts, error)"
    written.insert_values(
        into, [(*row[:3], as_instant(row[3]), as_instant(row[4]), 0, "") for row in rows]
    )
    if any(leaves_at <= created_at for *_what, created_at, leaves_at in rows):
        _nudge_after_commit()


def write_all(kind: str, wanted: Any) -> None:
    """The mails of that kind of the invitations that a condition names, written in this moment, to
    be carried out at once: the database copies what it has."""
    i, m = Invitation, OutboxMessage
    rows = i.select(
        Value(kind),
        SQL("""'{"invitation_id": ' || id || '}'"""),
        *(i.id, i.created_at, i.created_at, SQL("0"), SQL("''")),
    )
    m.insert_from(
        rows.where(wanted).order_by(i.id),
        [m.kind, m.payload, m.invitation, m.created_at, m.leaves_at, m.attempts, m.error],
    ).execute()
    _nudge_after_commit()


def _nudge_after_commit() -> None:
    if _nudge is None:
        return
    if database.in_transaction():
        database.after_commit(_wake)
    else:
        _wake()


def _wake() -> None:
    # The effect is safe in its row, so a queue that is away must not fail the request.
    try:
        if _nudge is not None:
            _nudge()
    except Exception as error:
        logging.getLogger("affluent.outbox").warning("nudge lost: %s", error)


def is_waiting() -> Any:
    """The condition of messages that have neither left nor ended."""
    return (
        OutboxMessage.left_at.is_null()
        & OutboxMessage.quarantined_at.is_null()
        & OutboxMessage.canceled_at.is_null()
    )


def waits(kind: str, payload: dict[str, Any]) -> bool:
    """Has such a message yet to leave, whether or not somebody carries it out just now?"""
    return _is_there(kind, payload)


def is_asked_for(kind: str, payload: dict[str, Any]) -> bool:
    """Does the same message wait already, and nobody carry it out yet?"""
    return _is_there(kind, payload, OutboxMessage.claimed_until.is_null())


def is_claimed(kind: str, payload: dict[str, Any], besides: int = 0) -> bool:
    """Does a worker carry out such a message just now, other than the one of the id `besides`? A
    dead worker's claim ends by itself."""
    is_under_way = OutboxMessage.claimed_until > clock.now()
    return _is_there(kind, payload, OutboxMessage.id != besides, is_under_way)


def _is_there(kind: str, payload: dict[str, Any], *more: Any) -> bool:
    same = (OutboxMessage.kind == kind) & (OutboxMessage.payload == payload)
    return bool(OutboxMessage.select(OutboxMessage.id).where(is_waiting(), same, *more).exists())


def hasten(condition: Any) -> None:
    """What waits for a later moment is due now."""
    OutboxMessage.update(leaves_at=clock.now()).where(is_waiting() & condition).execute()
    _nudge_after_commit()


def cancel(condition: Any) -> int:
    """Withdraws waiting messages that match and that nobody is carrying out just now."""
    now = clock.now()
    free = OutboxMessage.claimed_until.is_null() | (OutboxMessage.claimed_until < now)
    changed: int = (
        OutboxMessage.update(canceled_at=now).where(is_waiting() & free & condition).execute()
    )
    return changed


def canceling_of(email: str) -> written.Change:
    """Withdraws what waits of a person's pending invitations, as `cancel` does."""
    now = as_instant(clock.now())
    return _canceling(is_postgresql()), (now, now, email)


@cache
def _canceling(on_postgresql: bool) -> str:
    pending = "SELECT id FROM invitation WHERE email = ? AND status = 'pending'"
    theirs = f"invitation_id {written.one_of(pending, on_postgresql)}"
    return f"UPDATE outbox_message SET canceled_at = ? WHERE {FREE} AND {theirs}"  # nosec B608 # question marks


def retry(message_id: int) -> bool:
    """Takes a quarantined message out of quarantine, due at once, with all its tries anew."""
    changed = (
        OutboxMessage.update(quarantined_at=None, attempts=0, leaves_at=clock.now(), error="")
        .where(OutboxMessage.id == message_id, OutboxMessage.quarantined_at.is_null(False))
        .execute()
    )
    if changed:
        _nudge_after_commit()
    return bool(changed)
