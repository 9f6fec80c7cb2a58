"""One's own ways of signing in: passkeys, the authenticator app, recovery codes."""

from base64 import b64encode
from typing import Any

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from webapp import agents, qr, security, webauthn
from webapp.actions import (
    authenticators,
    factors,
    passkeys,
    recovery_codes,
    second_factor,
    sessions,
)
from webapp.errors import Blocked, Invalid, NotAllowed
from webapp.htmx import go, render
from webapp.permissions import SIGNED_IN, allows
from webapp.security import require_viewer
from webapp.views.passkey import remember

views = Blueprint("factors", __name__)


@views.get("/account/sign-in")
@allows(SIGNED_IN)
def show() -> Response:
    return _page()


@views.post("/account/passkeys")
@allows(SIGNED_IN)
def add_passkey() -> Response:
    viewer, form = require_viewer(), request.form
    try:
        factors.add_passkey(
            viewer, security.browser_id(), form.get("credential", ""), form.get("name", "")
        )
    except (NotAllowed, Invalid) as error:
        return _refused(error)
    remember()
    flash(_("The passkey is saved. Next time, sign in with it."))
    if second_factor.is_asked(viewer.user) and not recovery_codes.left(viewer.user):
        return _codes(factors.make_recovery_codes(viewer))
    return go("factors.show")


@views.post("/account/passkeys/<bounded:passkey_id>/removal")
@allows(SIGNED_IN)
def remove_passkey(passkey_id: int) -> Response:
    try:
        factors.remove_passkey(require_viewer(), passkey_id)
    except (NotAllowed, Blocked) as error:
        return _refused(error)
    flash(_("The passkey no longer works here. Remove it on your device, too."))
    return go("factors.show")


@views.post("/account/authenticator")
@allows(SIGNED_IN)
def begin_authenticator() -> Response:
    try:
        secret = factors.begin_authenticator(require_viewer())
    except (NotAllowed, Invalid) as error:
        return _refused(error)
    return _page(secret=secret)


@views.post("/account/authenticator/confirmation")
@allows(SIGNED_IN)
def confirm_authenticator() -> Response:
    viewer = require_viewer()
    try:
        codes = factors.confirm_authenticator(viewer, request.form.get("code", ""))
    except NotAllowed as error:
        return _refused(error)
    except Invalid as error:
        return _page(422, problem=error.code, secret=authenticators.waiting(viewer.user))
    flash(_("The authenticator app is set up. You were signed out everywhere else."))
    return _codes(codes)


@views.post("/account/authenticator/removal")
@allows(SIGNED_IN)
def remove_authenticator() -> Response:
    try:
        factors.remove_authenticator(require_viewer())
    except (NotAllowed, Blocked) as error:
        return _refused(error)
    flash(_("The authenticator app is no longer asked for."))
    return go("factors.show")


@views.post("/account/recovery-codes")
@allows(SIGNED_IN)
def make_recovery_codes() -> Response:
    try:
        return _codes(factors.make_recovery_codes(require_viewer()))
    except NotAllowed as error:
        return _refused(error)


def _refused(error: NotAllowed | Invalid | Blocked) -> Response:
    """Nothing was changed; the page says why, or asks for a proof."""
    if isinstance(error, NotAllowed) and error.code != "proof":
        raise error
    return _page(422 if isinstance(error, Invalid) else 409, problem=error.code)


def _codes(codes: list[str]) -> Response:
    """Shown this once, with a file to keep them in."""
    return render("pages/account/recovery_codes.html", None, codes=codes)


def _page(status: int = 200, problem: str = "", secret: str | None = None) -> Response:
    viewer = require_viewer()
    user, is_fresh = viewer.user, sessions.is_fresh(viewer.session)
    is_possible = webauthn.is_possible()
    agent = request.headers.get("User-Agent", "")
    return render(
        "pages/account/factors.html",
        None,
        status,
        me=viewer,
        is_fresh=is_fresh,
        is_required=second_factor.is_required(viewer.membership),
        is_missing=second_factor.is_missing(viewer.membership),
        is_possible=is_possible,
        has_app=authenticators.is_on(user),
        codes_left=recovery_codes.left(user),
        is_asked=second_factor.is_asked(user),
        passkeys=passkeys.of(user),
        new_passkey=_registering(viewer) if is_possible and is_fresh else None,
        suggested=" · ".join(filter(None, (agents.browser(agent), agents.system(agent)))),
        secret=secret,
        drawn=_drawn(authenticators.address(user, secret)) if secret else "",
        problem=problem,
        then="factors",
        is_invited=False,
        email=user.email,
    )


def _registering(viewer: Any) -> Any:
    return passkeys.registering(security.browser_id(), viewer.user)


def _drawn(address: str) -> str:
    """The QR code as an image's address: nothing but this page ever holds it."""
    return "data:image/svg+xml;base64," + b64encode(qr.svg(address)).decode()
