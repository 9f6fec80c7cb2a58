"""The second step of signing in: the authenticator's digits, a recovery code, or a passkey."""

from flask import Blueprint, Response, flash, request
from flask_babel import ngettext

from webapp import security
from webapp.actions import authenticators, passkeys, recovery_codes, second_factor
from webapp.errors import Invalid
from webapp.htmx import go, render
from webapp.models import User
from webapp.permissions import PUBLIC, allows
from webapp.views import half, sign_in
from webapp.views.passkey import options_for, remember
from webapp.views.place import go_on, then

views = Blueprint("second_step", __name__)


@views.get("/sign-in/second-step")
@allows(PUBLIC)
def show() -> Response:
    user = half.held()
    return _begin_anew() if user is None else _page(user)


@views.post("/sign-in/second-step")
@allows(PUBLIC)
def create() -> Response:
    user = half.held()
    if user is None:
        return _begin_anew()
    before = recovery_codes.left(user)
    try:
        second_factor.show(user, request.form.get("code", ""), security.lane(user.email))
    except Invalid as error:
        return _page(user, 422, error.code)
    security.sign_in(user)
    left = recovery_codes.left(user)
    if left < before:
        flash(_left(left))
    return go_on()


@views.post("/sign-in/passkey")
@allows(PUBLIC)
def passkey() -> Response:
    """A passkey is both steps at once, and the first one as well."""
    answer = request.form.get("credential", "")
    try:
        user = passkeys.show(security.browser_id(), security.source(), answer)
    except Invalid as error:
        held = half.held()
        return _page(held, 422, error.code) if held else sign_in.page(422, error=error.code)
    security.sign_in(user)
    remember()
    return go_on()


def _begin_anew() -> Response:
    return go("sign_in.show", then=then() or None)


def _page(user: User, status: int = 200, error: str = "") -> Response:
    return render(
        "pages/sign_in/second_step.html",
        None,
        status,
        has_app=authenticators.is_on(user),
        passkey=options_for(user),
        then=then(),
        error=error,
    )


def _left(count: int) -> str:
    said: str = ngettext(
        "That recovery code is used up. %(num)d is left: make new ones on your account page.",
        "That recovery code is used up. %(num)d are left.",
        count,
    )
    return said
