"""Invoices: opened, paid (an organisation's by its credit first), and voided."""

from collections.abc import Collection
from datetime import date

from webapp import clock
from webapp.actions import credit
from webapp.database import locked, transaction
from webapp.errors import Invalid, NotThere
from webapp.models import Account, AuditEvent, Invoice


def open_of(account: Account) -> list[Invoice]:
    """What the account still owes, the earliest due first."""
    return list(
        Invoice.select()
        .where(
            Invoice.account == account,
            Invoice.voided_at.is_null(),
            Invoice.paid_minor < Invoice.total_minor,
        )
        .order_by(Invoice.due_on.asc(nulls="last"), Invoice.id)
    )


def add(
    account: Account,
    number: str,
    *,
    issued_on: date | None,
    due_on: date | None,
    total_minor: int,
    tax_minor: int = 0,
    currency: str = "",
    pay_url: str = "",
) -> Invoice:
    """Opens an invoice, in the account's currency unless another is given. An organisation's
    available credit pays what it can of it at once, the oldest first (rule M8).

    Raises Invalid for a number that is there already, amounts that contradict each other, or an
    account that is closed.
    """
    if total_minor <= 0 or not 0 <= tax_minor <= total_minor:
        raise Invalid("invoice_amounts", field="total")
    with transaction():
        # The same lock as joining takes: an invoice is opened before it or after it (rule J6).
        fresh = locked(Account.select().where(Account.id == account.id)).get()
        if fresh.closed_at is not None:
            raise Invalid("account_closed", field="account")
        if Invoice.select().where(Invoice.account == fresh, Invoice.number == number).exists():
            raise Invalid("invoice_number", field="number")
        invoice: Invoice = Invoice.create(
            account=fresh,
            number=number,
            issued_on=issued_on,
            due_on=due_on,
            currency=currency or fresh.currency,
            total_minor=total_minor,
            tax_minor=tax_minor,
            pay_url=pay_url,
            created_at=clock.now(),
        )
        _record(invoice, "invoice:added")
        if fresh.is_organisation:
            credit.pay(invoice)
    return _again(invoice)


def mark_paid(account: Account, number: str) -> Invoice:
    """The rest of an invoice was paid; again changes nothing.

    Raises NotThere for a number that the account has not, Invalid for a voided invoice.
    """
    with transaction():
        found = _held(account, number)
        if found.voided_at is not None:
            raise Invalid("invoice_voided", field="number")
        changed = (
            Invoice.update(paid_minor=Invoice.total_minor)
            .where(Invoice.id == found.id, Invoice.paid_minor < Invoice.total_minor)
            .execute()
        )
        if changed:
            _record(found, "invoice:paid")
    return _again(found)


def void(account: Account, number: str) -> Invoice:
    """Takes an invoice back, and the credit that it took goes back to the account; again changes
    nothing.

    Raises NotThere for a number that the account has not, Invalid for one that money has paid:
    that is settled by the billing that took it.
    """
    with transaction():
        found = _held(account, number)
        if found.voided_at is None:
            by_credit = sum(int(use.amount_minor) for use in credit.uses_of(found))
            if found.paid_minor > by_credit:
                raise Invalid("invoice_paid", field="number")
            credit.give_back(found)
            Invoice.update(voided_at=clock.now()).where(Invoice.id == found.id).execute()
            _record(found, "invoice:voided")
    return _again(found)


def note_being_paid(account: Account, numbers: Collection[str]) -> bool:
    """Notes that a payment is under way for these of the account's invoices, and for no others;
    False when that was noted already."""
    is_named = Invoice.number.in_(numbers)
    changed = (
        Invoice.update(is_being_paid=is_named)
        .where(Invoice.account == account, Invoice.is_being_paid != is_named)
        .execute()
    )
    return bool(changed)


def _held(account: Account, number: str) -> Invoice:
    # The account's lock first, as when an invoice is opened: credit has one user at a time.
    locked(Account.select(Account.id).where(Account.id == account.id)).first()
    found: Invoice | None = locked(
        Invoice.select().where(Invoice.account == account, Invoice.number == number)
    ).first()
    if found is None:
        raise NotThere("invoice")
    return found


def _again(invoice: Invoice) -> Invoice:
    fresh: Invoice = Invoice.get_by_id(invoice.id)
    return fresh


def _record(invoice: Invoice, kind: str) -> None:
    AuditEvent.create(
        at=clock.now(),
        account=invoice.account,
        kind=kind,
        subject=f"invoice:{invoice.id}",
        facts={"number": invoice.number},
    )
