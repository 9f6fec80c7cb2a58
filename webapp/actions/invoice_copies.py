"""Copies of an organisation's invoices as PDF, each frozen as the invoice stood on its day."""

import hashlib
import json
from datetime import date
from typing import Any, cast

from invoices import invoice_copy as core
from invoices.parts import Locale, Party
from invoices.periods import local_day
from webapp import clock, outbox
from webapp.actions import credit_origins, documents
from webapp.actions.audit import record
from webapp.actions.statements import seller
from webapp.database import transaction
from webapp.errors import NotThere
from webapp.models import Account, Invoice, InvoiceCopy, Membership
from webapp.models.user import is_erased
from webapp.policy import policy

# All of a copy but the document and what it was made of, which are large.
LISTED = [field for field in InvoiceCopy._meta.sorted_fields if field.name not in ("pdf", "inputs")]


def make(by: Membership, invoice: Invoice) -> InvoiceCopy:
    """The copy of the invoice as it stands: the one that is there, or a new one for the worker to
    render. Two at once get the same."""
    with transaction():
        draft = _draft(invoice)
        digest = _digest(draft)
        made = list(
            InvoiceCopy.insert(
                invoice=invoice.id,
                digest=digest,
                inputs=draft.to_json(),
                made_on=draft.made_on,
                made_at=clock.now(),
            )
            .on_conflict_ignore()
            .returning(InvoiceCopy.id)
            .execute()
        )
        copy: InvoiceCopy = _copies(invoice).where(InvoiceCopy.digest == digest).get()
        if made:
            outbox.write("render:copy", {"copy_id": copy.id})
            record(by, "invoice:copied", f"invoice:{invoice.id}")
    return copy


def of(invoice: Invoice) -> list[InvoiceCopy]:
    """The newest first, without their documents."""
    return list(_copies(invoice).order_by(InvoiceCopy.id.desc()))


def current(invoice: Invoice) -> str:
    """The digest that a copy has if nothing changed since it was made."""
    return _digest(_draft(invoice))


def document(invoice: Invoice, copy_id: int) -> InvoiceCopy:
    """The invoice's copy of that id; `pdf` is None until it is rendered. Raises NotThere."""
    found: InvoiceCopy | None = (
        _copies(invoice, *LISTED, InvoiceCopy.pdf).where(InvoiceCopy.id == copy_id).first()
    )
    if found is None:
        raise NotThere("copy")
    return found


def render(copy_id: int) -> None:
    """The document, once."""
    documents.render(InvoiceCopy, copy_id, core.InvoiceCopy)


def _copies(invoice: Invoice, *columns: Any) -> Any:
    return InvoiceCopy.select(*(columns or LISTED)).where(InvoiceCopy.invoice == invoice)


def _draft(invoice: Invoice) -> core.InvoiceCopy:
    account: Account = invoice.account
    voided_at = invoice.voided_at
    return core.InvoiceCopy(
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        made_on=clock.today(policy().billing_zone),
        locale=cast(Locale, account.locale),
        seller=seller(),
        customer=Party(account.name, account.address, account.country, account.tax_id),
        currency=invoice.currency,
        total_minor=invoice.total_minor,
        tax_minor=invoice.tax_minor,
        payments=tuple(_payments(invoice)),
        voided_on=local_day(voided_at, policy().billing_zone) if voided_at else None,
    )


def _payments(invoice: Invoice) -> list[core.CopiedPayment]:
    """Credit by its origin, then what was paid besides it."""
    taken = credit_origins.taken_by([invoice.id]).get(invoice.id, [])
    found = [
        core.CopiedPayment(one.amount_minor, _day(one), _named(one), one.origin.number)
        for one in taken
        if one.given_back_at is None
    ]
    otherwise = int(invoice.paid_minor) - sum(one.amount_minor for one in found)
    return [*found, core.CopiedPayment(otherwise)] if otherwise else found


def _day(taken: credit_origins.Taken) -> date:
    return local_day(taken.used_at, policy().billing_zone)


def _named(taken: credit_origins.Taken) -> str:
    """Of who was erased the document has words of its own."""
    return "" if is_erased(taken.origin.person) else taken.origin.person


def _digest(draft: core.InvoiceCopy) -> str:
    """Of all that is printed, but the day on which it stood so."""
    facts = {name: value for name, value in draft.to_json().items() if name != "made_on"}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
