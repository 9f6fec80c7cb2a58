"""The ledger behind an organisation's credit, month by month."""

from flask import Blueprint, Response, request

from webapp import clock
from webapp.actions import account_book, billing, months
from webapp.errors import NotThere
from webapp.htmx import render
from webapp.permissions import SEE_BILLING, allows
from webapp.policy import policy
from webapp.security import require_viewer
from webapp.views.billing import own

views = Blueprint("movements", __name__)


@views.get("/billing/movements")
@allows(SEE_BILLING)
def index() -> Response:
    account = billing.account_for(require_viewer(), request.args.get("organisation", ""))
    today = clock.today(policy().billing_zone)
    month = months.asked_for(request.args.get("month", ""), today)
    currencies = account_book.currencies(account)
    currency = request.args.get("currency", "") or currencies[0]
    if currency not in currencies:
        raise NotThere("currency")
    return render(
        "pages/billing/movements.html",
        "partials/billing/movements.html",
        account=account,
        own=own(account),
        month=month,
        months=months.recent(today, month),
        is_latest=month.next.first > today,
        currency=currency,
        currencies=currencies,
        moved=account_book.page(account, currency, month, request.args.get("after", "")),
        is_first="after" not in request.args,
    )
