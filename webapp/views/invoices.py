"""An organisation's invoice: how it was paid, and copies of it as PDF."""

from flask import Blueprint, Response, flash, make_response
from flask_babel import gettext as _

from webapp import clock
from webapp.actions import billing, credit_origins, invoice_copies
from webapp.htmx import go, render
from webapp.permissions import SEE_BILLING, allows
from webapp.policy import policy
from webapp.security import require_viewer
from webapp.views.billing import own

views = Blueprint("invoices", __name__)


@views.get("/billing/invoices/<bounded:invoice_id>")
@allows(SEE_BILLING)
def show(invoice_id: int) -> Response:
    invoice = billing.invoice(require_viewer(), invoice_id)
    return render(
        "pages/billing/invoice.html",
        "partials/billing/copies.html",
        invoice=invoice,
        account=invoice.account,
        own=own(invoice.account),
        state=billing.state_of(invoice, clock.today(policy().billing_zone)),
        taken=credit_origins.taken_by([invoice.id]).get(invoice.id, []),
        copies=invoice_copies.of(invoice),
        current=invoice_copies.current(invoice),
    )


@views.post("/billing/invoices/<bounded:invoice_id>/copies")
@allows(SEE_BILLING)
def copy(invoice_id: int) -> Response:
    viewer = require_viewer()
    invoice_copies.make(viewer.membership, billing.invoice(viewer, invoice_id))
    flash(_("The copy is being prepared. It appears below in a moment."))
    return go("invoices.show", invoice_id=invoice_id, _anchor="copies")


@views.get("/billing/invoices/<bounded:invoice_id>/copies/<bounded:copy_id>.pdf")
@allows(SEE_BILLING)
def download(invoice_id: int, copy_id: int) -> Response:
    """The copy's own bytes, always the same; until they are there, the invoice's page."""
    invoice = billing.invoice(require_viewer(), invoice_id)
    found = invoice_copies.document(invoice, copy_id)
    if found.pdf is None:
        return go("invoices.show", invoice_id=invoice_id)
    response = make_response(bytes(found.pdf))
    response.mimetype = "application/pdf"
    # The number comes from outside and may hold anything: the file is named by ours.
    name = f"{found.made_on}-{invoice.account.public_id}-{invoice.id}-{found.id}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
