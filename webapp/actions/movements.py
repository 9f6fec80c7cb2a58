"""What moved on an account: opening balance, movements, closing balance of each of its ledger
accounts (rule M5). Reading only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from peewee import Case, fn

from webapp.errors import Invalid
from webapp.models import Account, LedgerAccount, LedgerTransfer
from webapp.policy import policy


@dataclass(frozen=True, slots=True)
class Movement:
    """One transfer as this ledger account sees it. `change_minor` is more than nothing where the
    balance grew; `balance_minor` is the balance after it. `event` and `key` are the transfer's;
    the other side is a kind of ledger account, of the account with that public id."""

    at: datetime
    event: str
    key: str
    other_account: str
    other_kind: str
    change_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Movements:
    """One ledger account's: opening + all changes = closing, in minor units of `currency`."""

    kind: str
    currency: str
    opening_minor: int
    movements: tuple[Movement, ...]

    @property
    def closing_minor(self) -> int:
        return self.opening_minor + sum(one.change_minor for one in self.movements)


def of(
    account: Account,
    kind: str = "",
    currency: str = "",
    first: date | None = None,
    last: date | None = None,
) -> Iterator[Movements]:
    """Of each ledger account of an account, in the order in which they were opened; or of those of
    one kind, or currency. From the day `first` to the day `last`, both included, in the seller's
    zone. Invalid when the last day is before the first."""
    if first is not None and last is not None and last < first:
        raise Invalid("days", field="to")
    # No day is before the first of the calendar, nor after its last.
    begins = None if first in (None, date.min) else _midnight(first)
    ends = None if last in (None, date.max) else _midnight(last + timedelta(days=1))
    wanted = LedgerAccount.select().where(LedgerAccount.account == account)
    if kind:
        wanted = wanted.where(LedgerAccount.kind == kind)
    if currency:
        wanted = wanted.where(LedgerAccount.currency == currency)
    for one in wanted.order_by(LedgerAccount.id):
        opening = 0 if begins is None else _balance_before(one, begins)
        movements = tuple(_movements(one, opening, begins, ends))
        yield Movements(one.kind, one.currency, opening, movements)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(policy().billing_zone))


def _change(one: LedgerAccount) -> Any:
    """A transfer's amount, signed as the ledger account's normal side counts it."""
    side = LedgerTransfer.debit if one.normal == "debit" else LedgerTransfer.credit
    amount = LedgerTransfer.amount_minor
    return Case(None, ((side == one.id, amount),), amount * -1)


def _balance_before(one: LedgerAccount, begins: datetime) -> int:
    whole: Any = (
        LedgerTransfer.select(fn.COALESCE(fn.SUM(_change(one)), 0))
        .where(_touches(one), LedgerTransfer.at < begins)
        .scalar()
    )
    return int(whole)


def _movements(
    one: LedgerAccount, opening: int, begins: datetime | None, ends: datetime | None
) -> Iterator[Movement]:
    other = LedgerAccount.alias()
    of_debit = (LedgerTransfer.debit == one.id) & (other.id == LedgerTransfer.credit)
    of_credit = (LedgerTransfer.credit == one.id) & (other.id == LedgerTransfer.debit)
    query: Any = (
        LedgerTransfer.select(
            LedgerTransfer.at,
            LedgerTransfer.kind,
            LedgerTransfer.key,
            Account.public_id,
            other.kind,
            _change(one),
        )
        .join(other, on=(of_debit | of_credit))
        .join(Account, on=(other.account == Account.id))
        .where(_touches(one))
        .order_by(LedgerTransfer.at, LedgerTransfer.id)
    )
    if begins is not None:
        query = query.where(LedgerTransfer.at >= begins)
    if ends is not None:
        query = query.where(LedgerTransfer.at < ends)
    balance = opening
    for at, event, key, other_account, other_kind, change in query.tuples().iterator():
        balance += int(change)
        yield Movement(at, event, key, other_account, other_kind, int(change), balance)


def _touches(one: LedgerAccount) -> Any:
    return (LedgerTransfer.debit == one.id) | (LedgerTransfer.credit == one.id)
