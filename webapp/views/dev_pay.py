"""In development only: the page behind the pay link of a demo invoice, where one press pays."""

from flask import Blueprint, Response

from webapp.actions import invoices
from webapp.errors import NotThere
from webapp.htmx import go, render
from webapp.models import Account, Invoice
from webapp.permissions import DEVELOPMENT, allows

views = Blueprint("dev_pay", __name__, url_prefix="/dev/pay")


@views.get("/<reference>")
@allows(DEVELOPMENT)
def show(reference: str) -> Response:
    return render("pages/dev/pay.html", invoice=_invoice(reference), reference=reference)


@views.post("/<reference>")
@allows(DEVELOPMENT)
def pay(reference: str) -> Response:
    invoice = _invoice(reference)
    invoices.mark_paid(invoice.account, invoice.number)
    return go("dev_pay.show", reference=reference)


def _invoice(reference: str) -> Invoice:
    """The individual's invoice whose pay link leads here, whatever host it names."""
    found: Invoice | None = (
        Invoice.select(Invoice, Account)
        .join(Account)
        .where(
            Invoice.pay_url.endswith(f"/dev/pay/{reference}"),
            Account.kind == "individual",
            Invoice.voided_at.is_null(),
        )
        .first()
    )
    if found is None:
        raise NotThere("invoice")
    return found
