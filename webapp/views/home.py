"""The front door, and the choice of language."""

from flask import Blueprint, Response, make_response, redirect, request, session
from werkzeug.exceptions import BadRequest

from webapp.actions import profile
from webapp.config import LOCALES
from webapp.htmx import go
from webapp.permissions import PUBLIC, SEE_BILLING, SEE_USERS, allows
from webapp.security import came_from, current_viewer
from webapp.views.link import held_link

views = Blueprint("home", __name__)


@views.get("/")
@allows(PUBLIC)
def show() -> Response:
    viewer = current_viewer()
    if held_link() is not None:
        return go("join.show")
    if viewer is None:
        return go("sign_in.show")
    if viewer.may(SEE_USERS):
        return go("users.index")
    return go("statements.index" if viewer.may(SEE_BILLING) else "account.show")


@views.post("/language")
@allows(PUBLIC)
def language() -> Response:
    locale = request.form.get("locale", "")
    if locale not in LOCALES:
        raise BadRequest
    session["locale"] = locale
    viewer = current_viewer()
    if viewer is not None:
        profile.choose_language(viewer.user, locale)
    # Back to the page it was chosen on: the path alone, so never to another site.
    parts = came_from()
    path = "/" + parts.path.lstrip("/\\")
    return make_response(redirect(path + (f"?{parts.query}" if parts.query else ""), 303))
