"""One's own account: plan, membership, statements, sign-in."""

from typing import Any

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from webapp import clock, security
from webapp.actions import (
    codes,
    departures,
    invoices,
    joining,
    profile,
    sessions,
    sign_in,
    statements,
)
from webapp.errors import Invalid
from webapp.htmx import go, render
from webapp.models import Statement
from webapp.permissions import SEE_BILLING, SIGNED_IN, allows
from webapp.security import require_viewer

views = Blueprint("account", __name__)

SHOWN = 5


@views.get("/account")
@allows(SIGNED_IN)
def show() -> Response:
    return _page()


@views.post("/account")
@allows(SIGNED_IN)
def update() -> Response:
    profile.rename(require_viewer().user, request.form.get("name", ""))
    flash(_("Your name is saved."))
    return go("account.show")


@views.post("/account/digest")
@allows(SEE_BILLING)
def digest() -> Response:
    is_wanted = request.form.get("wanted") == "yes"
    profile.choose_digest(require_viewer().user, is_wanted)
    flash(_("You get the monthly email.") if is_wanted else _("You get no more monthly emails."))
    return go("account.show")


@views.post("/account/password/code")
@allows(SIGNED_IN)
def password_code() -> Response:
    email = require_viewer().user.email
    codes.request(
        email,
        security.browser_id(),
        security.source(),
        True,
        purpose="password",
        lane=security.lane(email),
    )
    return _page(is_setting=True)


@views.post("/account/password")
@allows(SIGNED_IN)
def password() -> Response:
    viewer, form = require_viewer(), request.form
    try:
        sign_in.set_password(
            viewer.user,
            viewer.session,
            security.browser_id(),
            form.get("code", ""),
            form.get("password", ""),
            security.lane(viewer.user.email),
        )
    except Invalid as error:
        return _page(422, is_setting=True, problem=error.code)
    flash(_("Your password is saved. You were signed out everywhere else."))
    return go("account.show")


def _page(status: int = 200, **context: Any) -> Response:
    viewer = require_viewer()
    newest = statements.visible_to(viewer).order_by(Statement.issued_at.desc(), Statement.id.desc())
    is_own = viewer.account.kind == "individual"
    return render(
        "pages/account/index.html",
        None,
        status,
        me=viewer,
        may_get_digest=viewer.may(SEE_BILLING),
        subscription=viewer.account.subscription() if is_own else None,
        departure=departures.latest(viewer.user, clock.now()) if is_own else None,
        owed=invoices.open_of(viewer.account) if is_own else [],
        statements=list(newest.limit(SHOWN)),
        sessions=sessions.of(viewer.user),
        acceptance=joining.latest_acceptance(viewer.user),
        **context,
    )
