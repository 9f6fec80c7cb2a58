"""Billing: an organisation's invoices and credit, or what the operator's finance has to see to."""

from typing import Any

from flask import Blueprint, Response, request

from webapp import clock
from webapp.actions import billing, credit_origins, disputes, needs_hand, quarantine, reporting
from webapp.htmx import go, render
from webapp.models import Account
from webapp.permissions import OPERATE, SEE_BILLING, allows
from webapp.policy import policy
from webapp.security import require_viewer

views = Blueprint("billing", __name__)


@views.get("/billing")
@allows(SEE_BILLING)
def show() -> Response:
    """The operator's finance sees its own list, or the organisation that it names."""
    viewer, named = require_viewer(), request.args.get("organisation", "")
    if viewer.may(OPERATE) and not named:
        return _operator(request.args.get("list", ""), request.args.get("after", ""))
    return _organisation(billing.account_for(viewer, named))


def own(account: Account) -> dict[str, str]:
    """What addresses of an organisation's pages carry: its name, where one is not in it."""
    viewer = require_viewer()
    return {} if account == viewer.account else {"organisation": str(account.public_id)}


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
        own=own(account),
        owed=billing.owed(account),
        credit=billing.credit(account),
        invoices=[(one, billing.state_of(one, today)) for one in invoices],
        taken=credit_origins.taken_by([one.id for one in invoices]),
        after=after,
    )


def _operator(name: str, after: str) -> Response:
    lists = {name: needs_hand.page(name, after)} if name else needs_hand.lists()
    return render(
        "pages/billing/operator.html",
        "partials/billing/lists.html",
        lists=lists,
        waiting=needs_hand.count(),
        about=_about(lists),
        reports=[] if name else reporting.unseen(),
        disputes=[] if name else disputes.of_settled(),
        now=clock.now(),
    )


def _about(lists: dict[str, needs_hand.Listed]) -> dict[int, Any]:
    messages = lists["messages"].rows if "messages" in lists else []
    return {message.id: quarantine.about(message) for message in messages}
