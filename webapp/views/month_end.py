"""A month's end, for the operator's finance: statements, gateway and ledger side by side."""

from collections import Counter
from typing import Any

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from webapp import clock
from webapp.actions import month_end, months, needs_hand
from webapp.htmx import go, render
from webapp.models import Reconciliation
from webapp.permissions import OPERATE, allows
from webapp.policy import policy
from webapp.security import require_viewer

views = Blueprint("month_end", __name__)


@views.get("/billing/month-end")
@allows(OPERATE)
def show() -> Response:
    today = clock.today(policy().billing_zone)
    month = months.asked_for(request.args.get("month", ""), today)
    known = month_end.of(month)
    return render(
        "pages/billing/month_end.html",
        "partials/billing/reconciliation.html",
        month=month,
        months=months.recent(today, month),
        is_latest=month.next.first > today,
        is_over=month.next.first <= today,
        waiting=needs_hand.count(),
        known=known,
        found=_found(known.done),
    )


@views.post("/billing/month-end")
@allows(OPERATE)
def create() -> Response:
    """Asks the worker, which asks the gateway: no page waits for it."""
    today = clock.today(policy().billing_zone)
    month = months.asked_for(request.form.get("month", ""), today)
    month_end.ask(require_viewer().membership, month)
    flash(_("The month is being compared. The result appears here in a moment."))
    return go("month_end.show", month=str(month))


def _found(done: Reconciliation | None) -> dict[str, Any] | None:
    """What was found, with the currencies in order; a figure that is not there is nothing."""
    if done is None or done.found is None:
        return None
    found: dict[str, Any] = done.found
    figures = {currency: Counter(named) for currency, named in sorted(found["figures"].items())}
    return {**found, "figures": figures}
