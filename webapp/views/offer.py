"""The form's choices: what is offered to whoever is invited."""

from flask import request

from webapp.actions import invitations
from webapp.actions.inviting import Offer
from webapp.config import LOCALES
from webapp.errors import Invalid
from webapp.security import require_viewer

TEXTS = ("name", "department", "job_title", "location", "note")


def chosen_offer() -> Offer:
    """Invalid names the field that holds no choice."""
    form, locale = request.form, require_viewer().account.locale
    for name, allowed, default in (
        ("licence", invitations.LICENCES, "basic"),
        ("role", invitations.ROLES, "member"),
        ("locale", LOCALES, locale),
    ):
        if form.get(name, default) not in allowed:
            raise Invalid("choice", field=name)
    return Offer(
        licence=form.get("licence", "basic"),
        role=form.get("role", "member"),
        locale=form.get("locale", locale),
        **{name: form.get(name, "") for name in TEXTS},
    )
