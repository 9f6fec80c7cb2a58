"""What happened in one month, by currency: to an organisation's credit, and at the seller's.
Reading only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import Case, fn

from webapp.actions import refunds
from webapp.actions.days import begin
from webapp.models import Account, LedgerAccount, LedgerTransfer, Refund, Statement

OF_ORGANISATION = ("brought", "undone", "arrived", "used", "given_back", "held", "available")
OF_SELLER = ("refunds", "refunds_cancelled", "credits", "credits_cancelled", "paid")
# Of a ledger account of available credit: what a transfer is to the reader of the digest.
READ_AS = {
    "credit_available": "arrived",
    "refund_to_credit": "arrived",
    "credit_used": "used",
    "credit_pushed": "used",
    "credit_used_reversed": "given_back",
    "credit_pushed_reversed": "given_back",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a month in one currency: what it is by name, how many, and how much."""

    name: str
    count: int
    minor: int


@dataclass(frozen=True, slots=True)
class Happened:
    currency: str
    lines: tuple[Line, ...]


def span(month: str) -> tuple[date, date]:
    """The month's first day, and the next one's."""
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1)


def of(account: Account, month: str) -> list[Happened]:
    """What happened on the account, by currency; nothing where nothing did."""
    return _of_seller(month) if account.kind == "operator" else _of_organisation(account, month)


def _of_organisation(account: Account, month: str) -> list[Happened]:
    kinds = ("credit_held", "credit_available")
    owned = list(
        LedgerAccount.select().where(
            LedgerAccount.account == account, LedgerAccount.kind.in_(kinds)
        )
    )
    begins, ends = (begin(day) for day in span(month))
    moved = _moved([one.id for one in owned], begins, ends)
    found: dict[str, dict[str, list[int]]] = {}
    has_moved = set()
    for one in owned:
        lines = found.setdefault(one.currency, {})
        for event, sign, before, count, within in moved.get(one.id, ()):
            is_held = one.kind == "credit_held"
            rest = lines.setdefault("held" if is_held else "available", [0, 0])
            rest[1] += sign * (before + within)
            if count:
                has_moved.add(one.currency)
            name = _came_or_went(event) if is_held else READ_AS.get(event, "")
            if name and count:
                line = lines.setdefault(name, [0, 0])
                line[0] += count
                line[1] += within
    return [
        Happened(currency, _ordered(lines, OF_ORGANISATION))
        for currency, lines in sorted(found.items())
        if currency in has_moved
    ]


def _came_or_went(event: str) -> str:
    return {"credit_held": "brought", "credit_held_reversed": "undone"}.get(event, "")


def _moved(
    ids: list[int], begins: datetime, ends: datetime
) -> dict[int, list[tuple[str, int, int, int, int]]]:
    """By ledger account: event, sign (of a balance that grows by credit), what moved before, and
    how many and how much within."""
    found: dict[int, list[tuple[str, int, int, int, int]]] = {}
    amount, is_within = LedgerTransfer.amount_minor, LedgerTransfer.at >= begins
    for side, sign in ((LedgerTransfer.credit, 1), (LedgerTransfer.debit, -1)):
        rows: Any = (
            LedgerTransfer.select(
                side,
                LedgerTransfer.kind,
                fn.SUM(Case(None, [(is_within, 0)], amount)),
                fn.SUM(Case(None, [(is_within, 1)], 0)),
                fn.SUM(Case(None, [(is_within, amount)], 0)),
            )
            .where(side.in_(ids), LedgerTransfer.at < ends)
            .group_by(side, LedgerTransfer.kind)
            .order_by(side, LedgerTransfer.kind)
        )
        for at, event, before, count, within in rows.tuples():
            sums = (int(before), int(count), int(within))
            found.setdefault(at, []).append((event, sign, *sums))
    return found


def _of_seller(month: str) -> list[Happened]:
    """Statements by the day that they bear, and the refunds that arrived."""
    first, following = span(month)
    found: dict[str, dict[str, list[int]]] = {}
    issued: Any = (
        Statement.select(
            Statement.currency,
            Statement.kind,
            Statement.corrects.is_null(),
            fn.COUNT(Statement.id),
            fn.SUM(Statement.gross_minor),
        )
        .where(
            Statement.issued_at >= begin(first),
            Statement.issued_at < begin(following),
            Statement.kind.in_(("refund", "credit")),
        )
        .group_by(Statement.currency, Statement.kind, Statement.corrects.is_null())
    )
    for currency, kind, is_original, count, minor in issued.tuples():
        name = f"{kind}s" if is_original else f"{kind}s_cancelled"
        found.setdefault(currency, {})[name] = [int(count), int(minor)]
    arrived: Any = (
        Refund.select(Refund.currency, fn.COUNT(Refund.id), fn.SUM(Refund.amount_minor))
        .where(
            Refund.state == "succeeded",
            Refund.changed_at >= begin(first),
            Refund.changed_at < begin(following),
        )
        .group_by(Refund.currency)
    )
    for currency, count, minor in arrived.tuples():
        found.setdefault(currency, {})["paid"] = [int(count), int(minor)]
    return [
        Happened(currency, _ordered(lines, OF_SELLER)) for currency, lines in sorted(found.items())
    ]


def _ordered(lines: dict[str, list[int]], names: Sequence[str]) -> tuple[Line, ...]:
    return tuple(Line(name, *lines[name]) for name in names if name in lines)


def to_see_to() -> int:
    """Refunds that wait for the seller's finance just now: failed, or to be paid by hand."""
    return int(refunds.failed().count() + refunds.payouts().count())
