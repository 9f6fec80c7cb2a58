"""What the operator's finance does about refunds that failed, payouts, and effects that were given
up. Each has a page that says what every way on would do; its buttons do it (rules M4, M7)."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from webapp import clock
from webapp.actions import failed_refunds, needs_hand, quarantine
from webapp.errors import Invalid
from webapp.htmx import go, render
from webapp.permissions import OPERATE, allows
from webapp.policy import policy
from webapp.security import require_viewer

views = Blueprint("needs_hand", __name__)


@views.get("/billing/refunds/<bounded:refund_id>")
@allows(OPERATE)
def refund(refund_id: int) -> Response:
    return _refund(refund_id)


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
        return _refund(refund_id, 422, wrong=field, values=form)
    flash(_("Noted as paid."))
    return go("billing.show")


@views.get("/billing/messages/<bounded:message_id>")
@allows(OPERATE)
def message(message_id: int) -> Response:
    return _message(message_id)


@views.post("/billing/messages/<bounded:message_id>/retry")
@allows(OPERATE)
def send_again(message_id: int) -> Response:
    quarantine.retry(require_viewer().membership, message_id)
    flash(_("It is tried again now. If it fails once more, it comes back here."))
    return go("billing.show")


@views.post("/billing/messages/<bounded:message_id>/discard")
@allows(OPERATE)
def discard(message_id: int) -> Response:
    reason = request.form.get("reason", "")
    try:
        quarantine.discard(require_viewer().membership, message_id, reason)
    except Invalid as error:
        return _message(message_id, 422, wrong=error.code, values=request.form)
    flash(_("Discarded. The reason is kept in the log of actions."))
    return go("billing.show")


def _refund(refund_id: int, status: int = 200, **context: Any) -> Response:
    name, found = needs_hand.refund(refund_id)
    return render(
        "pages/billing/refund.html",
        None,
        status,
        name=name,
        refund=found,
        earlier=needs_hand.earlier(found),
        organisation=found.share.settlement.organisation,
        today=clock.today(policy().billing_zone),
        now=clock.now(),
        **{"wrong": "", "values": {}, **context},
    )


def _message(message_id: int, status: int = 200, **context: Any) -> Response:
    found = quarantine.find(message_id)
    return render(
        "pages/billing/message.html",
        None,
        status,
        message=found,
        about=quarantine.about(found),
        may_be_discarded=quarantine.may_be_discarded(found),
        now=clock.now(),
        **{"wrong": "", "values": {}, **context},
    )
