"""Who carries a message out, and how that ended: claimed, then marked.

A message is claimed by one conditional update with a lease, so that a dead worker's claim ends by
itself; it is tried again with growing pauses and quarantined after the last try, where somebody
sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from webapp import clock
from webapp.database import as_instant, is_postgresql, transaction
from webapp.models import OutboxMessage, written
from webapp.outbox import FREE, is_waiting

LEASE = timedelta(seconds=50)
PAUSES = tuple(
    timedelta(seconds=s) for s in (10, 30, 60, 300, 900, 3600, 3600, 7200, 14400, 28800, 43200)
)

_DUE = f"{FREE} AND leaves_at <= ?"
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


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this process alone may carry out until the lease ends."""

    message: OutboxMessage
    token: str


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
