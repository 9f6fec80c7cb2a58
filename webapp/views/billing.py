"""Billing: an organisation's invoices and credit, or what the operator's finance has to see to."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from webapp import clock
from webapp.actions import billing, disputes, failed_refunds, reporting
from webapp.errors import Invalid
from webapp.htmx import go, render
from webapp.models import Account
from webapp.permissions import OPERATE, SEE_BILLING, allows
from webapp.policy import policy
from webapp.security import require_viewer

views = Blueprint("billing", __name__)


@views.get("/billing")
@allows(SEE_BILLING)
def show() -> Response:
    viewer = require_viewer()
    return _operator() if viewer.may(OPERATE) else _organisation(viewer.account)


@views.post("/billing/refunds/<bounded:refund_id>/retry")
@allows(OPERATE)
def retry(refund_id: int) -> Response:
    failed_refunds.try_again(require_viewer().membership, refund_id)
    flash(_("The refund leaves again now. This page shows what becomes of it."))
    return go("billing.show")


@views.post("/billing/refunds/<bounded:refund_id>/consent")
@allows(OPERATE)
def ask_for_consent(refund_id: int) -> Response:
    failed_refunds.ask_for_consent(require_viewer().membership, refund_id)
    flash(_("The person gets a mail, and decides whether the organisation may have it as credit."))
    return go("billing.show")


@views.post("/billing/refunds/<bounded:refund_id>/payment")
@allows(OPERATE)
def pay_by_hand(refund_id: int) -> Response:
    form, viewer = request.form, require_viewer()
    try:
        paid_on = date.fromisoformat(form.get("paid_on", ""))
        failed_refunds.pay_by_hand(viewer.membership, refund_id, form.get("reference", ""), paid_on)
    except (ValueError, Invalid) as error:
        field = error.facts["field"] if isinstance(error, Invalid) else "paid_on"
        return _operator(422, errors={refund_id: field}, values=form)
    flash(_("Noted as paid."))
    return go("billing.show")


@views.post("/billing/reports/<bounded:invitation_id>/seen")
@allows(OPERATE)
def see_to_report(invitation_id: int) -> Response:
    reporting.see_to(require_viewer().membership, invitation_id)
    return go("billing.show")


def _organisation(account: Account) -> Response:
    today = clock.today(policy().billing_zone)
    invoices, after = billing.invoices(account, request.args.get("after", ""))
    return render(
        "pages/billing/organisation.html",
        "partials/billing/invoices.html",
        account=account,
        owed=billing.owed(account),
        credit=billing.credit(account),
        invoices=[(one, billing.state_of(one, today)) for one in invoices],
        after=after,
    )


def _operator(status: int = 200, **context: Any) -> Response:
    return render(
        "pages/billing/operator.html",
        None,
        status,
        today=clock.today(policy().billing_zone),
        refunds=billing.to_see_to(),
        quarantined=billing.quarantined(),
        reports=reporting.unseen(),
        disputes=disputes.of_settled(),
        at_once=billing.AT_ONCE,
        **{"errors": {}, "values": {}, **context},
    )
