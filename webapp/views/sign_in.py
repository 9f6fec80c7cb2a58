"""Signing in by password or mailed code, and out."""

from typing import Any

from flask import Blueprint, Response, request
from flask_babel import get_locale

from webapp import security
from webapp.actions import accounts, second_factor, sign_in
from webapp.addresses import normalised
from webapp.errors import Invalid
from webapp.htmx import go, render
from webapp.models import User
from webapp.permissions import PUBLIC, SIGNED_IN, allows
from webapp.views import asked, half, join
from webapp.views.link import held_link
from webapp.views.place import go_on, then

views = Blueprint("sign_in", __name__)


@views.get("/sign-in")
@allows(PUBLIC)
def show() -> Response:
    if security.current_viewer() is not None:
        return go_on()
    return page()


@views.post("/sign-in")
@allows(PUBLIC)
def create() -> Response:
    form = request.form
    try:
        user = sign_in.by_password(
            form.get("email", ""),
            form.get("password", ""),
            security.source(),
            security.lane(form.get("email", "")),
        )
    except Invalid as error:
        return page(422, error=error.code)
    return proven(user)


@views.post("/sign-in/code")
@allows(PUBLIC)
def code() -> Response:
    return _redeem() if request.form.get("code") is not None else _request_code()


def _request_code() -> Response:
    """Mails a code. Without an address it goes to the invited one, which is not shown."""
    given = request.form.get("email", "")
    email = given or _invited_email()
    try:
        sign_in.request_code(
            email,
            security.browser_id(),
            security.source(),
            is_invited=bool(email) and email == _invited_email(),
            lane=_lane(email),
        )
        asked.remember(given and normalised(given), normalised(email))
    except (Invalid, ValueError):
        return page(422, error="email")
    return _code_page(200)


def _lane(email: str) -> str:
    """Who holds the mailed link waits for no stranger either."""
    return "link" if email and email == _invited_email() else security.lane(email)


def _invited_email() -> str:
    link = held_link()
    return str(link.invitation.email) if link is not None else ""


def _redeem() -> Response:
    email = request.form.get("email") or asked.email() or _invited_email()
    try:
        user = sign_in.by_code(email, security.browser_id(), request.form["code"], _lane(email))
    except Invalid as error:
        return _code_page(422, error=error.code, again=bool(error.facts.get("again")))
    return proven(user or _new_person(email))


def _new_person(email: str) -> User:
    """Whoever proved an invited address that has no user yet: a free account of their own, so that
    accepting, declining and coming back are the same as for everybody."""
    link = held_link()
    invitation = link.invitation if link is not None else None
    if invitation is None or invitation.email != email:
        raise Invalid("code", field="code")
    name = request.form.get("name", "") or invitation.name
    member = accounts.create_individual(email, name, str(get_locale()), invitation.account.currency)
    user: User = member.user
    return user


@views.post("/sign-out")
@allows(SIGNED_IN)
def destroy() -> Response:
    security.sign_out()
    asked.forget()
    return go("join.show") if then() == "join" else go("sign_in.show")


def proven(user: User) -> Response:
    """A password or a mailed code was right: on, or to the second step."""
    asked.forget()
    if second_factor.is_asked(user):
        half.hold(user)
        return go("second_step.show", then=then() or None)
    security.sign_in(user)
    return go_on()


def page(status: int = 200, **context: Any) -> Response:
    if then() == "join" and join.is_answering():
        return join.proving(status, **context)
    return render(
        "pages/sign_in/index.html",
        None,
        status,
        then=then(),
        email=request.form.get("email", ""),
        **context,
    )


def _code_page(status: int, **context: Any) -> Response:
    if then() == "join" and join.is_answering():
        return join.proving(status, **{"is_asked": True, **context})
    return render(
        "pages/sign_in/code.html",
        None,
        status,
        then=then(),
        email=asked.email(),
        **context,
    )
