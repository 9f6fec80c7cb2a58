"""Refunds and credits by month, and an organisation's credit at the end of each: a year of them, by
currency. Reading only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from peewee import Case, fn

from webapp.actions.days import begin
from webapp.models import Account, LedgerAccount, LedgerTransfer, Statement
from webapp.permissions import OPERATE, Viewer
from webapp.policy import policy

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Trend:
    """One currency's values, in minor units, by name of the series: one for each of `months`,
    which are first days. What was cancelled in a month is taken off, and may be more."""

    currency: str
    months: tuple[date, ...]
    values: dict[str, list[int]]

    @property
    def is_empty(self) -> bool:
        return not any(any(row) for row in self.values.values())


def months_until(now: datetime) -> tuple[date, ...]:
    """The first days of the last MONTHS months, the present one included, in the seller's zone."""
    first = now.astimezone(ZoneInfo(policy().billing_zone)).date().replace(day=1)
    found = [first]
    while len(found) < MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return tuple(reversed(found))


def stated(viewer: Viewer, now: datetime) -> list[Trend]:
    """By what statements say: the seller sees all refunds and credits, an organisation the credit
    of its own, and of a person's refund nothing."""
    is_seller = viewer.may(OPERATE)
    kinds = ("refund", "credit") if is_seller else ("account_credit",)
    months = months_until(now)
    query = Statement.select(
        Statement.currency,
        Statement.kind,
        Statement.issued_on,
        fn.SUM(
            Case(
                None,
                [(Statement.corrects.is_null(), Statement.gross_minor)],
                Statement.gross_minor * -1,
            )
        ),
    ).where(Statement.issued_at >= begin(months[0]), Statement.kind.in_(kinds))
    if not is_seller:
        query = query.where(Statement.account == viewer.account)
    rows: Any = query.group_by(Statement.currency, Statement.kind, Statement.issued_on).tuples()
    found: dict[str, dict[str, list[int]]] = {}
    for currency, kind, issued_on, minor in rows:
        values = found.setdefault(currency, {name: [0] * MONTHS for name in kinds})
        at = _place(issued_on, months)
        if at is not None:
            values[kind][at] += int(minor)
    return [Trend(one, months, found[one]) for one in _ordered(found, viewer.account)]


def remaining(account: Account, now: datetime) -> list[Trend]:
    """What was available and on hold at the end of each month, and is by now; from the ledger."""
    months = months_until(now)
    ends = [*(begin(month) for month in months[1:]), now + timedelta(microseconds=1)]
    owned = {
        one.id: one
        for one in LedgerAccount.select().where(
            LedgerAccount.account == account,
            LedgerAccount.kind.in_(("credit_available", "credit_held")),
        )
    }
    found: dict[str, dict[str, list[int]]] = {}
    for side, sign in ((LedgerTransfer.credit, 1), (LedgerTransfer.debit, -1)):
        for at, *sums in _sums_before(side, list(owned), ends):
            one = owned[at]
            kinds = ("credit_available", "credit_held")
            values = found.setdefault(one.currency, {name: [0] * MONTHS for name in kinds})
            values[one.kind] = [
                before + sign * int(whole)
                for before, whole in zip(values[one.kind], sums, strict=True)
            ]
    return [Trend(one, months, found[one]) for one in _ordered(found, account)]


def _sums_before(side: Any, ids: list[int], ends: Sequence[datetime]) -> Any:
    """Of each ledger account, what one side moved before each end: one pass over its transfers."""
    amount = LedgerTransfer.amount_minor
    sums = [fn.SUM(Case(None, [(LedgerTransfer.at < end, amount)], 0)) for end in ends]
    return LedgerTransfer.select(side, *sums).where(side.in_(ids)).group_by(side).tuples()


def _place(day: date, months: Sequence[date]) -> int | None:
    first = day.replace(day=1)
    return months.index(first) if first in months else None


def _ordered(found: dict[str, Any], account: Account) -> list[str]:
    """The account's own currency first."""
    return sorted(found, key=lambda currency: (currency != account.currency, currency))
