"""The ledger as a journal: each transfer an entry of two lines, in the order in which they were
posted (docs/journal.md). Reading only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from webapp.actions.days import begin
from webapp.actions.transfer_documents import Behind, behind
from webapp.models import Account, LedgerAccount, LedgerTransfer, User
from webapp.permissions import OPERATE, Viewer

# Entries of one query: nothing is locked, and no more than these is in memory.
IN_A_CHUNK = 500
# What stands against an organisation's own ledger accounts in its journal: that it was a person's,
# and in which way, is not its business.
COUNTERPART = "counterpart"


@dataclass(frozen=True, slots=True)
class Line:
    """Half an entry: one of `debit_minor` and `credit_minor` is more than nothing. `account` is a
    kind of ledger account, or COUNTERPART, whose holder is not told: None."""

    at: datetime
    entry: int
    event: str
    account: str
    holder: Account | None
    debit_minor: int
    credit_minor: int
    currency: str
    document: str
    person: User | None


def lines(viewer: Viewer, first: date, last: date) -> Iterator[Line]:
    """From the day `first` to the day `last`, both included, in the seller's zone: of everybody for
    the operator, of their organisation for its finance people."""
    own = None if viewer.may(OPERATE) else viewer.account
    begins, ends = begin(first), begin(last + timedelta(days=1))
    place: tuple[datetime, int] | None = None
    while True:
        rows = _transfers(own, begins, ends, place)
        documents = behind(row.key for row in rows)
        for row in rows:
            yield from _entry(row, own, documents.get(row.key, Behind()))
        if len(rows) < IN_A_CHUNK:
            return
        place = rows[-1].at, rows[-1].id


def _transfers(
    own: Account | None, begins: datetime, ends: datetime, place: tuple[datetime, int] | None
) -> list[LedgerTransfer]:
    t, debit, credit = LedgerTransfer, LedgerAccount.alias(), LedgerAccount.alias()
    debtor, creditor = Account.alias(), Account.alias()
    query: Any = (
        t.select(t, debit, credit, debtor, creditor)
        .join(debit, on=(t.debit == debit.id), attr="debit")
        .join(debtor, on=(debit.account == debtor.id), attr="account")
        .switch(t)
        .join(credit, on=(t.credit == credit.id), attr="credit")
        .join(creditor, on=(credit.account == creditor.id), attr="account")
        # Where the last chunk ended it begins, and not before it to look for that place.
        .where(t.at >= (place[0] if place else begins), t.at < ends)
    )
    if own is not None:
        ids = LedgerAccount.select(LedgerAccount.id).where(LedgerAccount.account == own)
        query = query.where(t.debit.in_(ids) | t.credit.in_(ids))
    if place is not None:
        at, id = place
        query = query.where((t.at > at) | (t.id > id))
    return list(query.order_by(t.at, t.id).limit(IN_A_CHUNK))


def _entry(row: LedgerTransfer, own: Account | None, documents: Behind) -> Iterator[Line]:
    sides = ((row.debit, row.amount_minor, 0), (row.credit, 0, row.amount_minor))
    is_inside = own is None or row.debit.account_id == row.credit.account_id
    event = row.kind if is_inside else _told(row.kind)
    for side, debit_minor, credit_minor in sides:
        is_own = own is None or side.account_id == own.id
        is_organisation = side.account.is_organisation
        numbers = documents.organisation, documents.individual
        yield Line(
            row.at,
            row.id,
            event,
            side.kind if is_own else COUNTERPART,
            side.account if is_own else None,
            debit_minor,
            credit_minor,
            side.currency,
            # An organisation reads its own document on both lines.
            numbers[0] if is_organisation or own is not None else numbers[1],
            documents.person,
        )


def _told(kind: str) -> str:
    """How an organisation is told of what came from a person: credit, whatever it had been."""
    return "credit_received" if kind == "refund_to_credit" else kind
