"""Reporting an unwanted invitation, from the link in its mail or on its page."""

from flask import Blueprint, Response, request

from webapp.actions import reporting
from webapp.htmx import go, render
from webapp.permissions import PUBLIC, allows
from webapp.security import csrf

views = Blueprint("reports", __name__)
# As with reminders: the signed address is the proof, and there may be no session.
csrf.exempt(views)


@views.get("/reports/<token>")
@allows(PUBLIC)
def show(token: str) -> Response:
    """Asks first: mail scanners open links."""
    return render("pages/reports/show.html", invitation=reporting.find(token), token=token)


@views.post("/reports/<token>")
@allows(PUBLIC)
def create(token: str) -> Response:
    reporting.report(token, request.form.get("words", ""))
    return go("reports.show", token=token)


@views.post("/reports/<token>/withdrawal")
@allows(PUBLIC)
def take_back(token: str) -> Response:
    reporting.take_back(token)
    return go("reports.show", token=token)
