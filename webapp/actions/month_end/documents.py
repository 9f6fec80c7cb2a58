"""Each statement of a month beside the transfer that it tells of, settlement by settlement."""

import re
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any

from peewee import chunked, fn

from webapp.actions.month_end.found import Found
from webapp.actions.months import Month
from webapp.models import LedgerAccount, LedgerTransfer, SettlementShare, Statement

AT_ONCE = 500
KEY = re.compile(r"(settlement|share):(\d+):")
# Kind of document, does it cancel one → the ledger's events that it tells of.
TELLS = {
    ("refund", False): ("refund_held",),
    ("refund", True): ("refund_held_reversed",),
    ("credit", False): ("credit_held",),
    ("credit", True): ("credit_held_reversed",),
    ("account_credit", False): ("credit_held", "refund_to_credit"),
    ("account_credit", True): ("credit_held_reversed",),
}
# The balance that a kind of document adds to; a person's credit stands on the organisation's.
PARTS = {"refund": "refunds", "account_credit": "credit"}
EVENTS = sorted({event for events in TELLS.values() for event in events})

# (settlement, currency) → minor units
Sums = Counter[tuple[int, str]]


def compare(month: Month, found: Found) -> None:
    """What a side has in this month and the other in another, because it was written across
    midnight, is explained; all else is not."""
    stated = _stated(month.begins_at, month.ends_at, found)
    moved = _moved(month.begins_at, month.ends_at)
    for document, events in TELLS.items():
        ours, theirs = stated.get(document, Sums()), Sums()
        for event in events:
            theirs.update(moved.get(event, Sums()))
        for at in sorted(ours.keys() | theirs.keys()):
            if ours[at] != theirs[at]:
                _name(document, events, at, (ours[at], theirs[at]), found)


def _stated(begins_at: datetime, ends_at: datetime, found: Found) -> dict[tuple[str, bool], Sums]:
    """By kind of document; the figures of the page are counted on the way."""
    s = Statement
    rows: Any = s.select(s.kind, s.corrects, s.settlement, s.currency, s.gross_minor).where(
        s.issued_at >= begins_at, s.issued_at < ends_at
    )
    sums: dict[tuple[str, bool], Sums] = {}
    for kind, corrects, settlement_id, currency, minor in rows.tuples().iterator():
        document = (kind, corrects is not None)
        sums.setdefault(document, Sums())[settlement_id, currency] += minor
        found.count(currency, f"{kind}{' cancelled' if corrects else ''}", minor)
    return sums


def _moved(begins_at: datetime, ends_at: datetime) -> dict[str, Sums]:
    """By event."""
    t = LedgerTransfer
    return _by_settlement((t.at >= begins_at) & (t.at < ends_at))


def _by_settlement(condition: Any) -> dict[str, Sums]:
    t = LedgerTransfer
    rows: Any = (
        t.select(t.kind, t.key, LedgerAccount.currency, t.amount_minor)
        .join(LedgerAccount, on=(t.debit == LedgerAccount.id))
        .where(condition, t.kind.in_(EVENTS))
    )
    read = list(rows.tuples())
    settlements = _settlements_of(read)
    sums: dict[str, Sums] = {}
    for kind, key, currency, minor in read:
        named = KEY.match(key)
        # What no event of ours has written belongs to no settlement.
        noun, id = (named[1], int(named[2])) if named else ("", 0)
        at = settlements.get(id, 0) if noun == "share" else id
        sums.setdefault(kind, Sums())[at, currency] += minor
    return sums


def _settlements_of(rows: Collection[Any]) -> dict[int, int]:
    """The settlement of each share that a transfer names."""
    keys = (KEY.match(key) for _, key, _, _ in rows)
    ids = [int(named[2]) for named in keys if named and named[1] == "share"]
    found: dict[int, int] = {}
    for batch in chunked(ids, AT_ONCE):
        shares: Any = SettlementShare.select(SettlementShare.id, SettlementShare.settlement)
        found.update(shares.where(SettlementShare.id.in_(batch)).tuples())
    return found


def _name(
    document: tuple[str, bool],
    events: tuple[str, ...],
    at: tuple[int, str],
    minor: tuple[int, int],
    found: Found,
) -> None:
    (id, currency), (kind, cancels) = at, document
    is_whole = _stated_ever(document, id) == _moved_ever(events, id)
    name = "other month" if is_whole else "document and ledger"
    number = _number(document, id)
    found.note(name, f"settlement:{id}", currency, *minor, number)
    if kind in PARTS:
        added = minor[0] - minor[1]
        found.told[currency, PARTS[kind]] += -added if cancels else added


def _of(document: tuple[str, bool], settlement_id: int) -> Any:
    kind, cancels = document
    s = Statement
    return (s.settlement == settlement_id) & (s.kind == kind) & s.corrects.is_null(not cancels)


def _stated_ever(document: tuple[str, bool], settlement_id: int) -> int:
    whole: Any = Statement.select(fn.COALESCE(fn.SUM(Statement.gross_minor), 0)).where(
        _of(document, settlement_id)
    )
    return int(whole.scalar())


def _moved_ever(events: tuple[str, ...], settlement_id: int) -> int:
    shares = SettlementShare.select(SettlementShare.id).where(
        SettlementShare.settlement == settlement_id
    )
    keys = [f"settlement:{settlement_id}:{end}" for end in ("held", "undone")]
    keys += [f"share:{share.id}:handed-over" for share in shares]
    t = LedgerTransfer
    whole: Any = t.select(fn.COALESCE(fn.SUM(t.amount_minor), 0)).where(
        t.key.in_(keys), t.kind.in_(events)
    )
    return int(whole.scalar())


def _number(document: tuple[str, bool], settlement_id: int) -> str:
    found: Any = Statement.select(Statement.number).where(_of(document, settlement_id))
    return str(found.order_by(Statement.id).limit(1).scalar() or "")
