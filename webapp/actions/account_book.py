"""An organisation's credit as a bookkeeper reads it: a month's opening balances, what moved, with
the document behind each line, and the closing balances. Paged by key, summed by the database."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Case, fn

from webapp.actions import credit_origins, cursors
from webapp.actions.credit_origins import Origin
from webapp.actions.months import Month
from webapp.models import Account, Invoice, LedgerAccount, LedgerTransfer

AT_ONCE = 100
KINDS = ("credit_held", "credit_available")
KEY = re.compile(
    r"settlement:(?P<settlement>\d+):(?:held|available|undone)"
    r"|share:(?P<share>\d+):handed-over"
    r"|invoice:(?P<invoice>\d+):credit:(?P<lot>\d+)(?::given-back)?"
    r"|push:\d+(?::given-back)?"
)


@dataclass(frozen=True, slots=True)
class Balances:
    """In minor units: on hold, and available to invoices."""

    held_minor: int
    available_minor: int

    @property
    def total_minor(self) -> int:
        return self.held_minor + self.available_minor


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement: what it changed, and the balances after it. `event` is the transfer's, with
    whose credit it was and the invoice it went to, where there is one."""

    cursor: str
    at: datetime
    event: str
    change: Balances
    after: Balances
    origin: Origin | None
    invoice: Invoice | None


@dataclass(frozen=True, slots=True)
class Page:
    """Opening + the changes of all entries = closing, on each page. `more` is the key to go on
    after, or ""."""

    opening: Balances
    entries: tuple[Entry, ...]
    closing: Balances
    more: str


def currencies(account: Account) -> list[str]:
    """Those in which there ever was credit, the account's own first."""
    rows = LedgerAccount.select(LedgerAccount.currency).where(
        LedgerAccount.account == account, LedgerAccount.kind.in_(KINDS)
    )
    found = {str(row.currency) for row in rows} - {account.currency}
    return [str(account.currency), *sorted(found)]


def page(account: Account, currency: str, month: Month, after: str = "") -> Page:
    """Raises NotThere for a key that is none."""
    ids = _ledger_accounts(account, currency)
    t = LedgerTransfer
    start: Any = t.at < month.begins_at
    if after:
        at, id = cursors.read(after)
        start = (t.at < at) | ((t.at == at) & (t.id <= id))
    opening = Balances(*(_balance(ids.get(kind), start) for kind in KINDS))
    wanted = _moving(ids).where(~start, t.at < month.ends_at).order_by(t.at, t.id)
    rows = list(wanted.limit(AT_ONCE + 1))
    entries = tuple(_entries(rows[:AT_ONCE], ids, opening))
    closing = entries[-1].after if entries else opening
    return Page(opening, entries, closing, entries[-1].cursor if len(rows) > AT_ONCE else "")


def _ledger_accounts(account: Account, currency: str) -> dict[str, int]:
    rows: Any = LedgerAccount.select(LedgerAccount.kind, LedgerAccount.id).where(
        LedgerAccount.account == account,
        LedgerAccount.currency == currency,
        LedgerAccount.kind.in_(KINDS),
    )
    return dict(rows.tuples())


def _moving(ids: dict[str, int]) -> Any:
    own = list(ids.values())
    t = LedgerTransfer
    return t.select().where(t.debit.in_(own) | t.credit.in_(own))


def _balance(id: int | None, condition: Any) -> int:
    """Both kinds grow by credits."""
    if id is None:
        return 0
    t = LedgerTransfer
    signed = Case(None, ((t.credit == id, t.amount_minor),), t.amount_minor * -1)
    touches = (t.debit == id) | (t.credit == id)
    whole: Any = t.select(fn.COALESCE(fn.SUM(signed), 0)).where(touches, condition).scalar()
    return int(whole)


def _entries(rows: Sequence[LedgerTransfer], ids: dict[str, int], opening: Balances) -> Any:
    parts = {row.id: KEY.fullmatch(row.key) for row in rows}
    numbers = {id: found.groupdict() for id, found in parts.items() if found}
    origins = _origins(rows, numbers)
    invoices = _invoices(numbers)
    after = opening
    for row in rows:
        held, available = (_change(row, ids.get(kind)) for kind in KINDS)
        after = Balances(after.held_minor + held, after.available_minor + available)
        yield Entry(
            cursors.written(row.at, row.id),
            row.at,
            row.kind,
            Balances(held, available),
            after,
            origins.get(row.id),
            invoices.get(int(numbers.get(row.id, {}).get("invoice") or 0)),
        )


def _change(row: LedgerTransfer, id: int | None) -> int:
    if id is None:
        return 0
    return int(row.amount_minor) * ((row.credit_id == id) - (row.debit_id == id))


def _origins(rows: Sequence[LedgerTransfer], numbers: dict[int, Any]) -> dict[int, Origin]:
    """Whose credit each transfer moved, by the transfer's id."""
    named = {name: _named(numbers, name) for name in ("settlement", "share", "lot")}
    issued = credit_origins.of_settlements(named["settlement"].values())
    undone = credit_origins.of_settlements(named["settlement"].values(), cancelling=True)
    shares = credit_origins.of_shares(named["share"].values())
    lots = credit_origins.of_lots(set(named["lot"].values()))
    found: dict[int, Origin | None] = {}
    for row in rows:
        if row.id in named["settlement"]:
            documents = undone if row.kind.endswith("_reversed") else issued
            found[row.id] = next(iter(documents.get(named["settlement"][row.id], ())), None)
        elif row.id in named["share"]:
            found[row.id] = shares.get(named["share"][row.id])
        elif row.id in named["lot"]:
            found[row.id] = lots.get(named["lot"][row.id])
    return {id: origin for id, origin in found.items() if origin is not None}


def _named(numbers: dict[int, Any], name: str) -> dict[int, int]:
    return {id: int(parts[name]) for id, parts in numbers.items() if parts[name]}


def _invoices(numbers: dict[int, Any]) -> dict[int, Invoice]:
    ids = set(_named(numbers, "invoice").values())
    return {one.id: one for one in Invoice.select().where(Invoice.id.in_(ids))}
