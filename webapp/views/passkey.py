"""What the script of a page needs to ask the browser for a passkey."""

from typing import Any

from flask import Flask, session

from webapp import security, webauthn
from webapp.actions import passkeys, second_factor
from webapp.models import User


def install(app: Flask) -> None:
    app.jinja_env.globals.update(asked_passkey=options, is_passkey_first=is_first)


def options() -> Any:
    """For whoever signs in, or proves once more who they are; None where there is none to ask."""
    viewer = security.current_viewer()
    if viewer is not None:
        return options_for(viewer.user)
    return passkeys.asking(security.browser_id(), None) if webauthn.is_possible() else None


def options_for(user: User) -> Any:
    if not webauthn.is_possible() or not second_factor.has_passkey(user):
        return None
    return passkeys.asking(security.browser_id(), user)


def remember() -> None:
    """This browser has a passkey: it is offered first from now on."""
    session["has_passkey"] = True


def is_first() -> bool:
    return bool(session.get("has_passkey")) or security.current_viewer() is not None
