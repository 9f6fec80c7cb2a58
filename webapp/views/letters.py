"""The mail as it will be read: its own text, with the note, before anything is sent."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask_babel import force_locale

from webapp import clock
from webapp.actions import uploads
from webapp.actions.inviting import Offer
from webapp.actions.uploads import rows
from webapp.errors import Invalid
from webapp.htmx import render
from webapp.permissions import INVITE, allows
from webapp.policy import policy
from webapp.security import require_viewer
from webapp.texts import cleaned_note, unlinked
from webapp.views.offer import chosen_offer
from webapp.views.users import adding, listing

views = Blueprint("letters", __name__)


@views.post("/invitations/letter")
@allows(INVITE)
def of_form() -> Response:
    """Sends nothing; a plain form comes back with the letter under it."""
    errors: dict[str, str] = {}
    found: list[dict[str, Any]] = []
    try:
        found = [_letter(chosen_offer())]
    except Invalid as error:
        errors = {error.facts["field"]: error.code}
    return render(
        "pages/users/index.html",
        "partials/users/letter.html",
        422 if errors else 200,
        **{**listing(), **adding(), "values": request.form, "errors": errors, "letters": found},
    )


@views.get("/uploads/<bounded:upload_id>/letter")
@allows(INVITE)
def of_upload(upload_id: int) -> Response:
    """In each language that the file asks for."""
    upload = uploads.find(require_viewer().account, upload_id)
    locales = rows.locales(upload) or [upload.locale]
    found = [_letter(Offer(locale=locale, note=upload.note)) for locale in locales]
    page = "pages/uploads/letter.html"
    return render(page, "partials/users/letter.html", letters=found, upload=upload)


def _letter(offer: Offer) -> dict[str, Any]:
    """Both kinds of mail: which of them an address gets is nobody's to know (rule I5)."""
    viewer, settings = require_viewer(), policy()
    name = unlinked(viewer.user.name)
    facts = {
        "base_url": settings.base_url,
        "seller": unlinked(settings.seller.name),
        "name": unlinked(offer.name),
        "organisation": unlinked(viewer.account.name),
        "inviter": f"{name} ({viewer.user.email})" if name else viewer.user.email,
        "inviter_name": unlinked(viewer.user.shown_name),
        "note": [unlinked(line) for line in cleaned_note(offer.note, 1000).splitlines() if line],
        "link": f"{settings.base_url}/join/…",
        "expires_on": clock.now() + timedelta(days=settings.invitation_days),
        "home": viewer.account,
        "email": "…",
        "report": f"{settings.base_url}/reports/…",
    }
    with force_locale(offer.locale):
        return {
            "locale": offer.locale,
            "sender": settings.mail.sender,
            "subject": _written("subject.txt", facts).strip(),
            "new": _paragraphs(_written("txt", {**facts, "has_account": False})),
            "known": _paragraphs(_written("txt", {**facts, "has_account": True})),
        }


def _written(ending: str, facts: dict[str, Any]) -> str:
    template = current_app.jinja_env.get_template(f"mail/invitation.{ending}")
    return template.render(**facts)


def _paragraphs(text: str) -> list[list[str]]:
    """Paragraphs of lines; a line of the note begins with >."""
    lines = [line.strip() for line in text.split("\n")]
    found: list[list[str]] = [[]]
    for line in lines:
        if line:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [each for each in found if each]
