"""Statements: the list with its totals, and each one's PDF."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, make_response, request
from flask_babel import gettext as _

from webapp import clock, spreadsheets
from webapp.actions import statement_list, statements
from webapp.actions.statement_filter import Asked, asked_for, kinds_for, month_of
from webapp.actions.statement_totals import totals
from webapp.htmx import render, wants_partial
from webapp.permissions import SEE_BILLING, SIGNED_IN, Viewer, allows
from webapp.policy import policy
from webapp.security import require_viewer
from webapp.views import statement_words

views = Blueprint("statements", __name__)

FILTERS = ("kind", "state", "month", "from", "to", "q")


@views.get("/statements")
@allows(SIGNED_IN)
def index() -> Response:
    asked = asked_for(request.args)
    return desk(require_viewer(), asked, 422 if asked.errors else 200)


@views.get("/statements/<number>.pdf")
@allows(SIGNED_IN)
def show(number: str) -> Response:
    """The document's own bytes; until the worker rendered them, a page that says so."""
    statement = statements.document(require_viewer(), number)
    if statement.pdf is None:
        response = render("pages/statements/preparing.html", status=503, statement=statement)
        response.headers["Retry-After"] = "5"
        return response
    response = make_response(bytes(statement.pdf))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{statement.number}.pdf"'
    return response


def desk(viewer: Viewer, asked: Asked, status: int, **more_errors: str) -> Response:
    """The page for what is asked; a filter that cannot be read is shown again."""
    now, after, words = clock.now(), request.args.get("after", ""), words_asked()
    rows, next_after = statement_list.page(viewer, asked, after, now)
    # Rows that are put below others leave the totals as they are.
    added_up = [] if after and wants_partial() else totals(viewer, asked, now)
    return render(
        "pages/statements/index.html",
        "partials/statements/list.html",
        status,
        statements=rows,
        totals=added_up,
        more={**words, "after": next_after} if next_after else None,
        words=words,
        shown={**words, **_days(asked)},
        errors={**asked.errors, **more_errors},
        periods=_periods(asked, words),
        kinds=kinds_for(viewer),
        kind_words=statement_words.kinds(),
        document_words=statement_words.documents(),
        states=statement_words.states_for(viewer),
        states_of=statement_words.states_of,
        has_xlsx=spreadsheets.is_installed(),
        has_journal=viewer.may(SEE_BILLING),
        last_month=f"{_month_before(clock.today(policy().billing_zone)):%Y-%m}",
    )


def words_asked() -> dict[str, str]:
    """The filter as the address says it."""
    return {name: request.args[name] for name in FILTERS if request.args.get(name)}


def _days(asked: Asked) -> dict[str, str]:
    """What the fields of the days show: a month's own days, or what was typed and is wrong."""
    if asked.errors:
        return {}
    days = {"from": asked.first, "to": asked.last}
    return {name: on.isoformat() for name, on in days.items() if on}


def _periods(asked: Asked, words: dict[str, str]) -> list[tuple[str, dict[str, Any], bool]]:
    """The usual periods as links that keep the rest of the filter: what each is called, what it
    asks for, and whether that is asked for now."""
    rest = {name: word for name, word in words.items() if name not in ("month", "from", "to")}
    this = clock.today(policy().billing_zone).replace(day=1)
    links = [(_("All days"), rest, not (asked.first or asked.last or asked.errors))]
    for name, first in ((_("This month"), this), (_("Last month"), _month_before(this))):
        is_shown = (asked.first, asked.last) == month_of(first)
        links.append((name, {**rest, "month": f"{first:%Y-%m}"}, is_shown))
    return links


def _month_before(on: date) -> date:
    return (on.replace(day=1) - timedelta(days=1)).replace(day=1)
