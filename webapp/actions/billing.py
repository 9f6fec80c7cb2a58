"""What an organisation owes and holds."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from peewee import JOIN, fn

from webapp.actions import ledger
from webapp.errors import NotThere
from webapp.models import Acceptance, Account, CreditLot, Invoice, Settlement
from webapp.permissions import OPERATE, Viewer

AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Credit:
    """An organisation's credit in one currency: waiting for the undo windows, and to be used.
    What is held becomes available from `first_at` to `last_at`, which are None without any."""

    currency: str
    held_minor: int
    available_minor: int
    first_at: datetime | None = None
    last_at: datetime | None = None


def account_for(viewer: Viewer, public_id: str) -> Account:
    """Whose billing is asked for: one's own account, or for the operator's finance any
    organisation. NotThere for anybody else's."""
    if not viewer.may(OPERATE):
        if public_id not in ("", viewer.account.public_id):
            raise NotThere("organisation")
        return viewer.account
    found: Account | None = Account.get_or_none(
        Account.kind == "organisation", Account.public_id == public_id.replace("\0", "")
    )
    if found is None:
        raise NotThere("organisation")
    return found


def owed(account: Account) -> list[tuple[str, int]]:
    """What is due on open invoices, by currency: never mixed up with credit (rule J6)."""
    rows: Any = (
        Invoice.select(Invoice.currency, fn.SUM(Invoice.total_minor - Invoice.paid_minor))
        .where(
            Invoice.account == account,
            Invoice.voided_at.is_null(),
            Invoice.paid_minor < Invoice.total_minor,
        )
        .group_by(Invoice.currency)
        .order_by(Invoice.currency)
        .tuples()
    )
    return [(currency, int(minor)) for currency, minor in rows] or [(account.currency, 0)]


def credit(account: Account) -> list[Credit]:
    """The account's own currency first; others only where there is something."""
    found = ledger.balances(account.id)
    until = _held_until(account)
    currencies = sorted({currency for _, currency in found} - {account.currency})
    credits = [
        Credit(
            currency,
            found.get(("credit_held", currency), 0),
            found.get(("credit_available", currency), 0),
            *until.get(currency, (None, None)),
        )
        for currency in [account.currency, *currencies]
    ]
    return [
        one
        for one in credits
        if one.currency == account.currency or one.held_minor or one.available_minor
    ]


def invoices(account: Account, after: str) -> tuple[list[Invoice], str]:
    """The newest first, after the number `after`; and the number to go on after, or ""."""
    query = Invoice.select().where(Invoice.account == account)
    if after:
        place: Any = query.where(Invoice.number == after.replace("\0", "")).first()
        if place is None:
            raise NotThere("invoice")
        query = query.where(Invoice.id < place.id)
    found: Any = list(query.order_by(Invoice.id.desc()).limit(AT_ONCE + 1))
    return found[:AT_ONCE], found[AT_ONCE - 1].number if len(found) > AT_ONCE else ""


def state_of(invoice: Invoice, today: date) -> str:
    """voided, paid, being_paid, overdue or open."""
    if invoice.voided_at is not None:
        return "voided"
    if invoice.owed_minor == 0:
        return "paid"
    if invoice.is_being_paid:
        return "being_paid"
    return "overdue" if invoice.due_on is not None and invoice.due_on < today else "open"


def invoice(viewer: Viewer, invoice_id: int) -> Invoice:
    """An organisation's invoice that this person may see. Raises NotThere."""
    query = Invoice.select(Invoice, Account).join(Account).where(Invoice.id == invoice_id)
    if viewer.may(OPERATE):
        query = query.where(Account.kind == "organisation")
    else:
        query = query.where(Invoice.account == viewer.account)
    found: Invoice | None = query.first()
    if found is None:
        raise NotThere("invoice")
    return found


def _held_until(account: Account) -> dict[str, tuple[datetime, datetime]]:
    """When the first and the last of what is held become available, by currency."""
    rows: Any = (
        Settlement.select(
            Settlement.currency, fn.MIN(Acceptance.undo_until), fn.MAX(Acceptance.undo_until)
        )
        .join(Acceptance)
        .switch(Settlement)
        .join(CreditLot, JOIN.LEFT_OUTER)
        .where(
            Settlement.organisation == account,
            Settlement.choice == "credit",
            Acceptance.undone_at.is_null(),
            CreditLot.id.is_null(),
        )
        .group_by(Settlement.currency)
        .tuples()
    )
    return {currency: (first, last) for currency, first, last in rows}
