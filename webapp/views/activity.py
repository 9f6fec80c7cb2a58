"""The organisation's activity: who did what to whom and when."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import get_locale
from flask_babel import gettext as _

from webapp.actions import activity
from webapp.downloads import csv_of
from webapp.htmx import render
from webapp.i18n import named
from webapp.permissions import SEE_USERS, allows
from webapp.security import require_viewer
from webapp.views.told import sentence

views = Blueprint("activity", __name__)

FILTERS = ("kind", "from", "to", "q")


@views.get("/activity")
@allows(SEE_USERS)
def index() -> Response:
    viewer, asked = require_viewer(), activity.asked_for(request.args)
    events, has_more = activity.page(viewer, asked)
    words = _words()
    return render(
        "pages/activity/index.html",
        "partials/activity/list.html",
        422 if asked.errors else 200,
        events=events,
        more={**words, "after": events[-1].cursor} if has_more else None,
        words=words,
        errors=asked.errors,
        groups=activity.groups_for(viewer),
        told=told,
    )


@views.get("/activity.csv")
@allows(SEE_USERS)
def download() -> Response:
    """The same filter; all pages."""
    viewer, asked = require_viewer(), activity.asked_for(request.args)
    lines = csv_of(_lines(activity.every(viewer, asked)), str(get_locale()))
    response = Response("".join(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="activity.csv"'
    return response


def told(event: activity.Event) -> str:
    who = event.actor.shown_name if event.actor else _("The service")
    return sentence(event.kind, who, event.whom, event.facts)


def _lines(events: Iterator[activity.Event]) -> Iterator[list[Any]]:
    yield [_("When (UTC)"), _("Who"), _("Address"), _("To whom"), _("What"), _("Kind")]
    for each in events:
        who, email = (each.actor.name, each.actor.known_email) if each.actor else ("", "")
        at = each.at.strftime("%Y-%m-%d %H:%M:%S")
        yield [at, who, email, named(each.whom), told(each), each.kind]


def _words() -> dict[str, str]:
    return {name: request.args[name] for name in FILTERS if request.args.get(name)}
