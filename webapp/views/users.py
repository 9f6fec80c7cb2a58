"""The admins' one page: who is in, who is pending, and adding people."""

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, make_response, render_template, url_for

from webapp import clock
from webapp.actions import invitations, limits, uploads
from webapp.htmx import fingerprint, render, unless_known, wants_partial
from webapp.i18n import named
from webapp.models import facets, people
from webapp.models.asked import Asked, Key
from webapp.models.people import Person
from webapp.permissions import GRANT_ADMIN, SEE_USERS, allows
from webapp.security import require_viewer
from webapp.views import kept
from webapp.views.asking import asked_before, asked_for, written

views = Blueprint("users", __name__)


@dataclass(frozen=True, slots=True)
class Span:
    """Rows between two keys, which a window keeps up to date by asking for them again. `onward`
    is the key after which there is more; `state` names exactly what is shown."""

    people: list[Person]
    after: Key | None
    until: Key | None
    onward: Key | None
    state: str

    @property
    def id(self) -> str:
        return f"rows-{self.after[1]}-{self.after[2]}" if self.after else "rows"

    @property
    def is_all(self) -> bool:
        """Nothing comes before or after these rows."""
        return self.after is None and self.until is None


@views.get("/users")
@allows(SEE_USERS)
def index() -> Response:
    asked = asked_for()
    if asked.after is not None and wants_partial():
        return render("pages/users/index.html", "partials/users/rows.html", **rows())
    if not wants_partial():
        return render("pages/users/index.html", **{**listing(), **adding()})
    response = render("pages/users/index.html", "partials/users/list.html", **listing())
    _move_address_bar(response, asked)
    return response


@views.get("/users/live")
@allows(SEE_USERS)
def live() -> Response:
    """The rows between two keys again, with the numbers beside the tabs: nothing when the window
    shows them already."""
    shown, asked = rows(), asked_for()
    if asked.until and not (asked.after or shown["span"].people):
        # Of the first rows none is left, but there may be others: the list begins anew.
        return render("partials/users/anew.html", None, **listing(replace(asked, until=None)))

    def show() -> Response:
        return render("partials/users/live.html", None, **shown, **seats())

    return unless_known(shown["span"].state, show)


def people_changed(status: int = 200) -> Response:
    """To htmx after something was done: what there is to say. The open windows ask for the rows."""
    said = render_template("partials/users/said.html", **seats())
    return make_response(said, status, {"HX-Trigger": "people:changed"})


def seats() -> dict[str, Any]:
    """Licences, and how many of them are in use."""
    account = require_viewer().account
    return {"account": account, "seats_used": people.seats_used(account)}


def listing(asked: Asked | None = None) -> dict[str, Any]:
    """What the list shows, as the address bar asks for it, and what it can be narrowed to."""
    account = require_viewer().account
    return {
        **rows(asked),
        "departments": [(name, name) for name in facets.departments(account)],
        "inviters": [(id, named(name, begins=True)) for id, name in facets.inviters(account)],
    }


def rows(asked: Asked | None = None) -> dict[str, Any]:
    """The rows between two keys, and the numbers beside the tabs."""
    viewer, now, asked = require_viewer(), clock.now(), asked or asked_for()
    # A span that has grown is shown whole, up to a point: then there is a gap to press.
    most = people.PAGE if asked.until is None else 2 * people.PAGE
    found, has_more = people.page(viewer.account, asked, now, most)
    if has_more:
        found = found[: people.PAGE]
    onward = found[-1].key(asked.sort) if has_more else None
    counts = people.counts(viewer.account, now)
    until = onward or asked.until
    state = fingerprint(found, until, counts, viewer.user.id, viewer.user.locale)
    return {
        "span": Span(found, asked.after, until, onward, state),
        "asked": asked,
        "counts": counts,
        "now": now,
        "written": written,
        "may_grant_admin": viewer.may(GRANT_ADMIN),
        "viewer_id": viewer.user.id,
    }


def adding() -> dict[str, Any]:
    """What the form to add people shows around itself."""
    viewer, now = require_viewer(), clock.now()
    return {
        **seats(),
        "why_not": invitations.why_not_inviting(viewer.membership),
        "orphaned": len(invitations.orphaned(viewer.membership, now)),
        "may_grant_admin": viewer.may(GRANT_ADMIN),
        "left_today": limits.left_today(viewer.account, now),
        "day_ends_at": limits.day_ends_at(viewer.account, now),
        "uploads": uploads.under_way(viewer.account),
        "schedule_of": lambda upload: limits.schedule(viewer.account, upload.left, now),
        "values": kept.before(),
        "errors": {},
    }


def _move_address_bar(response: Response, asked: Asked) -> None:
    """The address says what is shown. The letters of one search are one step for Back."""
    before = asked_before()
    is_typing = bool(asked.q and before.q) and replace(asked, q="") == replace(before, q="")
    name = "HX-Replace-Url" if is_typing else "HX-Push-Url"
    response.headers[name] = url_for("users.index", **asked.shown)
