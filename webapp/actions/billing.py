"""What an organisation owes and holds, and what the operator's finance has to see to."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from peewee import fn

from webapp.actions import ledger, refunds
from webapp.errors import NotThere
from webapp.models import Account, Invoice, OutboxMessage, Refund

AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Credit:
    """An organisation's credit in one currency: waiting for the undo windows, and to be used."""

    currency: str
    held_minor: int
    available_minor: int


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
    currencies = sorted({currency for _, currency in found} - {account.currency})
    credits = [
        Credit(
            currency,
            found.get(("credit_held", currency), 0),
            found.get(("credit_available", currency), 0),
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


def to_see_to() -> dict[str, list[Refund]]:
    """The refunds that need the operator's eye: failed, to pay by hand, and under way."""
    queries = {
        "failed": refunds.failed(),
        "payouts": refunds.payouts(),
        "underway": refunds.underway(),
    }
    return {name: list(query.limit(AT_ONCE)) for name, query in queries.items()}


def quarantined() -> list[OutboxMessage]:
    """Effects that were given up until somebody sends them anew, the latest first."""
    return list(
        OutboxMessage.select(
            OutboxMessage.id,
            OutboxMessage.kind,
            OutboxMessage.error,
            OutboxMessage.quarantined_at,
        )
        .where(OutboxMessage.quarantined_at.is_null(False))
        .order_by(OutboxMessage.quarantined_at.desc())
        .limit(AT_ONCE)
    )
