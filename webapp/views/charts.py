"""Pictures of money: refunds and credits by month, and what is left of an organisation's credit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response
from flask_babel import gettext as _

from webapp import charts, clock
from webapp.actions import trends
from webapp.actions.trends import Trend
from webapp.htmx import render
from webapp.i18n import axis_money, month, short_month
from webapp.permissions import OPERATE, SEE_BILLING, allows
from webapp.security import require_viewer

views = Blueprint("charts", __name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing and the numbers of its table: `rows` are the month's name and its values."""

    id: str
    currency: str
    names: Sequence[str]
    chart: charts.Chart
    rows: list[tuple[str, list[int]]]


@views.get("/billing/charts")
@allows(SEE_BILLING)
def show() -> Response:
    viewer, now = require_viewer(), clock.now()
    is_seller = viewer.may(OPERATE)
    stated = [_picture("month", one) for one in trends.stated(viewer, now)]
    remaining = [] if is_seller else trends.remaining(viewer.account, now)
    return render(
        "pages/charts/index.html",
        is_seller=is_seller,
        stated=stated,
        remaining=[_picture("credit", one) for one in remaining if not one.is_empty],
    )


def _picture(name: str, trend: Trend) -> Picture:
    names = [_words()[kind] for kind in trend.values]
    series = list(trend.values.values())
    drawn = charts.chart(
        series,
        names,
        [short_month(one) for one in trend.months],
        lambda minor, step: axis_money(minor, step, trend.currency),
    )
    rows = list(zip(map(month, trend.months), map(list, zip(*series, strict=True)), strict=True))
    return Picture(f"{name}-{trend.currency}", trend.currency, names, drawn, rows)


def _words() -> dict[str, Any]:
    return {
        "refund": _("Refunds"),
        "credit": _("Credits"),
        "account_credit": _("Credit"),
        "credit_available": _("Available"),
        "credit_held": _("On hold"),
    }
