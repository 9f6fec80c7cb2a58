"""A customer that is an organisation: its invoices come in, with their pay links. Its seats and its
plan are the operator's to set. The gateway takes credit from its own balance of the customer, so
such invoices take none here."""

from datetime import datetime
from typing import Any

from invoices.periods import local_day
from webapp import clock
from webapp.actions import invoices
from webapp.database import locked, transaction
from webapp.errors import Invalid, NotThere
from webapp.models import Account, Invoice
from webapp.payments.source import SourceCustomer, SourceInvoice, Unmappable


def link(public_id: str, customer: str) -> Account:
    """Says which customer of the gateway an organisation is; again changes nothing. Raises
    NotThere, and Invalid when either is somebody else's already."""
    with transaction():
        account: Account | None = locked(
            Account.select().where(Account.public_id == public_id, Account.kind == "organisation")
        ).first()
        if account is None:
            raise NotThere("organisation", given=public_id)
        other = Account.get_or_none(Account.gateway_customer == customer)
        if account.gateway_customer not in (None, customer) or other not in (None, account):
            raise Invalid("customer_taken", field="customer", given=customer)
        Account.update(gateway_customer=customer).where(Account.id == account.id).execute()
    linked: Account = Account.get_by_id(account.id)
    return linked


def named_by(customer: SourceCustomer, linked: Account | None) -> Account | None:
    """The organisation that the customer is, by an earlier link or by the customer's metadata."""
    if linked is not None:
        return linked if linked.is_organisation else None
    if not customer.account:
        return None
    try:
        return link(customer.account, customer.reference)
    except (NotThere, Invalid) as error:
        raise Unmappable(f"names {customer.account!r}, which it can't be") from error


def bring(account: Account, customer: SourceCustomer, zone: str) -> bool:
    """Brings the invoices to what the gateway says; False when they were so already."""
    locked(Account.select(Account.id).where(Account.id == account.id)).first()
    known = {one.number: one for one in Invoice.select().where(Invoice.account == account)}
    changes = [_follow(account, known.get(one.number), one, zone) for one in customer.invoices]
    being_paid = [one.number for one in customer.invoices if one.is_being_paid]
    changes.append(invoices.note_being_paid(account, being_paid))
    return any(changes)


def _follow(account: Account, known: Invoice | None, told: SourceInvoice, zone: str) -> bool:
    if told.is_void:
        is_standing = known is not None and known.voided_at is None and known.owed_minor > 0
        if is_standing:
            take_back(account, told.number)
        return is_standing
    if told.total_minor <= 0:
        return False
    values = _values(told, zone, known)
    if known is None:
        Invoice.create(
            account=account,
            number=told.number,
            currency=told.currency,
            created_at=clock.now(),
            **values,
        )
        return True
    changes = {name: value for name, value in values.items() if getattr(known, name) != value}
    if known.voided_at is not None or known.owed_minor == 0 or not changes:
        return False
    Invoice.update(**changes).where(Invoice.id == known.id).execute()
    return True


def take_back(account: Account, number: str) -> None:
    """Voids an open invoice; one that was paid in part before the rest was written off is owed no
    more."""
    try:
        invoices.void(account, number)
    except Invalid:
        invoices.mark_paid(account, number)


def _values(told: SourceInvoice, zone: str, known: Invoice | None) -> dict[str, Any]:
    paid = max(told.paid_minor, known.paid_minor if known else 0)

    def day(instant: datetime | None) -> Any:
        return None if instant is None else local_day(instant, zone)

    return {
        "issued_on": day(told.issued_at),
        "due_on": day(told.due_at),
        "total_minor": told.total_minor,
        "tax_minor": told.tax_minor,
        "paid_minor": min(paid, told.total_minor),
        "pay_url": told.pay_url,
    }
