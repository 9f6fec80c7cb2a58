"""A member's own way out of an organisation."""

from typing import Any

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from webapp import clock
from webapp.actions import departures, members
from webapp.errors import Blocked, NotThere, Stale
from webapp.htmx import go, render
from webapp.permissions import SIGNED_IN, allows
from webapp.security import require_viewer

views = Blueprint("departures", __name__)


@views.get("/account/departure")
@allows(SIGNED_IN)
def show() -> Response:
    return _page()


@views.post("/account/departure")
@allows(SIGNED_IN)
def create() -> Response:
    viewer, seen = require_viewer(), request.form.get("seen", "")
    is_id = seen.isascii() and seen.isdigit() and len(seen) < 19
    try:
        members.leave(viewer, int(seen) if is_id else 0)
    except (Blocked, Stale) as error:
        return _page(409, problem=error.code)
    flash(_("You have left %(organisation)s.", organisation=viewer.account.name))
    return go("account.show")


def _page(status: int = 200, **context: Any) -> Response:
    viewer = require_viewer()
    if not viewer.account.is_organisation:
        raise NotThere("member")
    return render(
        "pages/members/departure.html",
        None,
        status,
        member=viewer.membership,
        organisation=viewer.account,
        departure=departures.of(viewer.membership, clock.now()),
        is_last_owner=members.is_last_owner(viewer.membership),
        **context,
    )
