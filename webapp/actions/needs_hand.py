"""What the operator's finance has to see to: refunds that failed, payouts to make, effects that
were given up. The oldest first, paged by key (rules M4, M7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.actions import cursors, refunds, reporting
from webapp.errors import NotThere
from webapp.models import OutboxMessage, Refund

AT_ONCE = 100
LISTS = ("failed", "payouts", "messages", "underway")


@dataclass(frozen=True, slots=True)
class Listed:
    """Refunds, or outbox messages; `more` is the key to go on after, or ""."""

    rows: list[Any]
    more: str


def lists() -> dict[str, Listed]:
    """The beginning of each of LISTS."""
    return {name: page(name) for name in LISTS}


def page(name: str, after: str = "") -> Listed:
    """One of LISTS from a key on. NotThere for a list or a key that is none."""
    if name not in LISTS:
        raise NotThere("list")
    query, at, id = _query(name)
    if after:
        instant, number = cursors.read(after)
        query = query.where((at > instant) | ((at == instant) & (id > number)))
    found = list(query.limit(AT_ONCE + 1))
    rows = found[:AT_ONCE]
    more = cursors.written(_since(rows[-1]), rows[-1].id) if len(found) > AT_ONCE else ""
    return Listed(rows, more)


def count() -> int:
    """How many there are, reported invitations included; what is under way needs nobody."""
    waiting = sum(int(_query(name)[0].order_by().count()) for name in LISTS[:3])
    return waiting + reporting.count_unseen()


def refund(refund_id: int) -> tuple[str, Refund]:
    """Which list a refund stands in, and the refund. NotThere when it needs no hand."""
    for name, query in (("failed", refunds.failed()), ("payouts", refunds.payouts())):
        found: Refund | None = query.where(Refund.id == refund_id).first()
        if found is not None:
            return name, found
    raise NotThere("refund")


def earlier(refund: Refund) -> list[Refund]:
    """The tries of the same share before this one, the oldest first."""
    return list(
        Refund.select()
        .where(Refund.share == refund.share_id, Refund.id < refund.id)
        .order_by(Refund.id)
    )


def _query(name: str) -> tuple[Any, Any, Any]:
    """The rows, and the two columns of their key."""
    if name == "messages":
        m = OutboxMessage
        query = m.select().where(m.quarantined_at.is_null(False))
        return query.order_by(m.quarantined_at, m.id), m.quarantined_at, m.id
    queries = {
        "failed": refunds.failed,
        "payouts": refunds.payouts,
        "underway": refunds.underway,
    }
    return queries[name](), Refund.changed_at, Refund.id


def _since(row: Any) -> datetime:
    at: datetime = row.quarantined_at if isinstance(row, OutboxMessage) else row.changed_at
    return at
