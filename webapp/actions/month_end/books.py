"""The ledger's side of a month: what was open at its beginning, what moved, what is open at its
end; and whether each refund's row and transfers say the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import Value, chunked, fn

from webapp.actions.month_end.documents import AT_ONCE
from webapp.actions.month_end.found import Found
from webapp.actions.months import Month
from webapp.actions.refunds import UNDERWAY
from webapp.models import LedgerAccount, LedgerTransfer, Payment, Refund

BALANCES = ("refund_held", "refund_requested", "credit_held", "credit_available")
FLOWS = (
    *("refund_to_credit", "refund_succeeded", "refund_succeeded_reversed"),
    *("credit_used", "credit_used_reversed", "credit_pushed", "credit_pushed_reversed"),
)


def sum_up(month: Month, found: Found) -> None:
    """Balances at both ends, flows between them; and whatever is left when documents and flows are
    taken from the one to the other without a difference that names it."""
    for moment, at in (("opening", month.begins_at), ("closing", month.ends_at)):
        for kind, currency, minor in _balances(at):
            found.add(currency, f"{moment} {kind}", minor)
    for kind, currency, minor in _flows(month):
        found.add(currency, kind, int(minor))
    for currency, minor in _by_hand(month):
        found.add(currency, "paid by hand", int(minor))
    for currency, figures in list(found.figures.items()):
        _roll(currency, figures, found)


def compare_refunds(refunds: Sequence[Refund], found: Found) -> None:
    """By now, not at the month's end: rows and transfers are written together."""
    for batch in chunked(refunds, AT_ONCE // 4):
        moved = _moved_of([refund.id for refund in batch])
        for refund in batch:
            arrived, underway = moved.get(refund.id, (0, 0))
            amount = int(refund.amount_minor)
            expected = {"succeeded": (amount, 0)}.get(refund.state, (0, 0))
            if refund.state in UNDERWAY:
                expected = (0, amount)
            if expected != (arrived, underway):
                minor = (sum(expected), arrived + underway)
                parts = (f"refund:{refund.id}", refund.currency, *minor)
                found.note("row and ledger", *parts, payment=str(refund.payment.reference))


def _roll(currency: str, figures: dict[str, int], found: Found) -> None:
    for name, kinds, flow in (
        ("refunds", BALANCES[:2], refunds_flow(figures)),
        ("credit", BALANCES[2:], credit_flow(figures)),
    ):
        opening, closing = (
            sum(figures.get(f"{moment} {kind}", 0) for kind in kinds)
            for moment in ("opening", "closing")
        )
        told = found.told[currency, name]
        if opening + flow != closing + told:
            found.note("balance", name, currency, opening + flow, closing + told)


def refunds_flow(figures: dict[str, int]) -> int:
    """What documents and arrivals add to the refunds that are open, in minor units."""
    get = figures.get
    return (
        get("refund", 0)
        - get("refund cancelled", 0)
        - get("refund_to_credit", 0)
        - get("refund_succeeded", 0)
        + get("refund_succeeded_reversed", 0)
    )


def credit_flow(figures: dict[str, int]) -> int:
    """What documents and invoices add to the credit that is on hold or available."""
    get = figures.get
    return (
        get("account_credit", 0)
        - get("account_credit cancelled", 0)
        - get("credit_used", 0)
        + get("credit_used_reversed", 0)
        - get("credit_pushed", 0)
        + get("credit_pushed_reversed", 0)
    )


def _balances(at: datetime) -> list[tuple[str, str, int]]:
    """Of all accounts together, by kind and currency; all of these kinds grow by credits."""
    t, a = LedgerTransfer, LedgerAccount
    found: list[tuple[str, str, int]] = []
    for side, sign in ((t.credit, 1), (t.debit, -1)):
        rows: Any = (
            t.select(a.kind, a.currency, fn.SUM(t.amount_minor))
            .join(a, on=(side == a.id))
            .where(t.at < at, a.kind.in_(BALANCES))
            .group_by(a.kind, a.currency)
        )
        found += [(kind, currency, sign * int(minor)) for kind, currency, minor in rows.tuples()]
    return found


def _flows(month: Month) -> Any:
    t, a = LedgerTransfer, LedgerAccount
    return (
        t.select(t.kind, a.currency, fn.SUM(t.amount_minor))
        .join(a, on=(t.debit == a.id))
        .where(t.at >= month.begins_at, t.at < month.ends_at, t.kind.in_(FLOWS))
        .group_by(t.kind, a.currency)
        .tuples()
    )


def _by_hand(month: Month) -> Any:
    """What of the arrivals was a bank transfer of the seller's."""
    t, r = LedgerTransfer, Refund
    arrived = Value("refund:").concat(r.id.cast("TEXT")).concat(":succeeded:1")
    return (
        r.select(r.currency, fn.SUM(t.amount_minor))
        .join(Payment)
        .join(t, on=(t.key == arrived))
        .where(
            r.is_by_hand | (Payment.gateway == "none"),
            t.at >= month.begins_at,
            t.at < month.ends_at,
        )
        .group_by(r.currency)
        .tuples()
    )


def _moved_of(ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """What arrived of each refund, and what is still under way, as the ledger has it."""
    events = ("requested", "succeeded", "failed", "returned")
    keys = {f"refund:{id}:{event}:1": (id, event) for id in ids for event in events}
    rows: Any = LedgerTransfer.select(LedgerTransfer.key, LedgerTransfer.amount_minor).where(
        LedgerTransfer.key.in_(list(keys))
    )
    sums: dict[int, dict[str, int]] = {}
    for key, minor in rows.tuples():
        id, event = keys[key]
        sums.setdefault(id, dict.fromkeys(events, 0))[event] += minor
    return {
        id: (
            one["succeeded"] - one["returned"],
            one["requested"] - one["succeeded"] + one["returned"] - one["failed"],
        )
        for id, one in sums.items()
    }
