"""Where one is signed in: ending one of the sessions, or all others."""

from flask import Blueprint, Response
from flask_babel import gettext as _

from webapp import security
from webapp.actions import sessions
from webapp.htmx import done, go
from webapp.permissions import SIGNED_IN, allows
from webapp.security import require_viewer

views = Blueprint("sessions", __name__)

LIST = "partials/account/sessions_changed.html"


@views.post("/account/sessions/<bounded:session_id>/end")
@allows(SIGNED_IN)
def end(session_id: int) -> Response:
    viewer = require_viewer()
    if session_id == viewer.session.id:
        security.sign_out()
        return go("sign_in.show")
    sessions.end_own(viewer.user, session_id)
    return _ended(_("That browser is signed out."))


@views.post("/account/sessions/end")
@allows(SIGNED_IN)
def end_others() -> Response:
    viewer = require_viewer()
    sessions.end_others(viewer.user, keep=viewer.session)
    return _ended(_("You are signed out everywhere else."))


def _ended(message: str) -> Response:
    viewer = require_viewer()
    return done("account.show", message, LIST, me=viewer, sessions=sessions.of(viewer.user))
