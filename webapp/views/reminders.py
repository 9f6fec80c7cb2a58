"""The end of an invitation's reminders: from the link in a mail, or from the mail program's own
button (RFC 8058)."""

from flask import Blueprint, Response, make_response, request

from webapp.actions import reminders
from webapp.htmx import go, render
from webapp.permissions import PUBLIC, allows
from webapp.security import csrf

views = Blueprint("reminders", __name__)
# The signed address is the proof; whoever presses the button may have no session.
csrf.exempt(views)


@views.get("/reminders/<token>")
@allows(PUBLIC)
def show(token: str) -> Response:
    """Asks first: mail scanners open links."""
    return render("pages/reminders/show.html", invitation=reminders.find(token), token=token)


@views.post("/reminders/<token>")
@allows(PUBLIC)
def mute(token: str) -> Response:
    reminders.mute(token)
    if "List-Unsubscribe" in request.form:
        return make_response("", 200)  # to a program, which follows no redirect
    return go("reminders.show", token=token)
