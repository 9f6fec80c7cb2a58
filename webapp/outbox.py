"""Effects leave through here: write a row in the action's transaction, claim it, mark it.

The row is the truth. A message is claimed by one conditional update with a lease, so that a dead
worker's claim ends by itself; it is tried again with growing pauses and quarantined after the
last try, where somebody sees it. This module knows kinds by name only; worker.py has their
handlers."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import SQL, Value

from webapp import clock
from webapp.database import as_instant, database, is_postgresql, transaction
from webapp.models import Invitation, OutboxMessage, written

LEASE = timedelta(seconds=50)
PAUSES = tuple(
    timedelta(seconds=s) for s in (10, 30, 60, 300, 900, 3600, 3600, 7200, 14400, 28800, 43200)
)

_FREE = """
left_at IS NULL AND quarantined_at IS NULL AND canceled_at IS NULL
AND (claimed_until IS NULL OR claimed_until < ?)"""
_DUE = f"{_FREE} AND leaves_at <= ?"
# MATERIALIZED: found once, whatever the database finds cheaper.
_CLAIM = f"""
UPDATE outbox_message SET claimed_until = ?, claim = ?, attempts = attempts + 1
WHERE id IN (
    WITH wanted AS MATERIALIZED (
        SELECT id FROM outbox_message
        WHERE {_DUE} AND kind = (
            SELECT kind FROM outbox_message WHERE {_DUE} {{among}}
            ORDER BY leaves_at, id LIMIT 1 {{skip}}
        )
        ORDER BY leaves_at, id LIMIT ? {{skip}}
    )
    SELECT id FROM wanted
) RETURNING {written.columns_of(OutboxMessage)}"""  # nosec B608 # our columns

_nudge: Callable[[], object] | None = None
# Kind, payload, invitation, the moment of writing and that of leaving.
_Row = tuple[str, str, int | None, datetime, datetime]
_together: ContextVar[list[_Row] | None] = ContextVar("together", default=None)
_as_kept: Any = OutboxMessage.payload.db_value


class Refused(Exception):
    """Trying again is useless; the message is the other side's words."""


class Deferred(Exception):
    """Not now; the message is the other side's words."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this process alone may carry out until the lease ends."""

    message: OutboxMessage
    token: str


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


def claim(kinds: tuple[str, ...] | None = None) -> Claim | None:
    """The oldest message that is due and nobody's, or None."""
    return next(iter(claim_some(1, kinds)), None)


def claim_some(most: int, kinds: tuple[str, ...] | None = None) -> list[Claim]:
    """The oldest message that is due and nobody's, and the oldest of its kind with it."""
    now, token = clock.now(), clock.new_token()
    until, at = as_instant(now + LEASE), as_instant(now)
    among = f"AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    with transaction():
        rows = written.fetch_all(
            _CLAIM.format(among=among, skip="FOR UPDATE SKIP LOCKED" if is_postgresql() else ""),
            *(until, token, at, at, at, at, *(kinds or ()), most),
        )
    found = [written.instances(row, OutboxMessage)[0] for row in rows]
    found.sort(key=lambda message: (message.leaves_at, message.id))
    return [Claim(message, token) for message in found]


def give_back(claims: Sequence[Claim]) -> None:
    """Ends claims of messages that were not tried, as if nobody had made them."""
    if not claims:
        return
    ids = [each.message.id for each in claims]
    tokens = {each.token for each in claims}
    OutboxMessage.update(claim=None, claimed_until=None, attempts=OutboxMessage.attempts - 1).where(
        OutboxMessage.id.in_(ids), OutboxMessage.claim.in_(tokens)
    ).execute()


def renew(claim: Claim) -> bool:
    """Begins the lease anew, for work that has become slow. False when it had ended and somebody
    else took the message over."""
    changed = (
        OutboxMessage.update(claimed_until=clock.now() + LEASE)
        .where(OutboxMessage.id == claim.message.id, OutboxMessage.claim == claim.token)
        .execute()
    )
    return bool(changed)


def lease_ends() -> list[datetime]:
    """When the claims under way end by themselves, if their workers are dead."""
    query: Any = OutboxMessage.select(OutboxMessage.claimed_until).where(
        is_waiting() & (OutboxMessage.claimed_until > clock.now())
    )
    return [row[0] for row in query.distinct().tuples()]


def mark_left(claim: Claim) -> bool:
    """Carried out. False when the lease had ended and somebody else took the message over."""
    return _mark(claim, left_at=clock.now(), error="")


def mark_refused(claim: Claim, reason: str) -> bool:
    """Ended: the other side said no for good, and whoever asked is shown its words."""
    return _mark(claim, left_at=clock.now(), error=reason[:500])


def mark_quarantined(claim: Claim, reason: str) -> bool:
    """Never again by itself; `flask outbox retry ID` sends it anew."""
    return _mark(claim, quarantined_at=clock.now(), error=reason[:500])


def mark_deferred(claim: Claim, reason: str) -> datetime | None:
    """Tries again later and returns when; None when that was the last try."""
    attempts = claim.message.attempts
    if attempts > len(PAUSES):
        mark_quarantined(claim, reason)
        return None
    next_try_at = clock.now() + PAUSES[attempts - 1]
    _mark(claim, leaves_at=next_try_at, error=reason[:500])
    return next_try_at


def _mark(claim: Claim, **changes: Any) -> bool:
    changed = (
        OutboxMessage.update(claim=None, claimed_until=None, **changes)
        .where(OutboxMessage.id == claim.message.id, OutboxMessage.claim == claim.token)
        .execute()
    )
    return bool(changed)


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


def cancel_of(invitation_ids: Sequence[int]) -> None:
    """Withdraws what waits of these invitations, as `cancel` does."""
    now = as_instant(clock.now())
    theirs = f"invitation_id {written.is_given()}"
    written.change(
        f"UPDATE outbox_message SET canceled_at = ? WHERE {_FREE} AND {theirs}",  # nosec B608 # question marks
        *(now, now, written.ids_given(invitation_ids)),
    )


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
