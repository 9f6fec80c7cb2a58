"""Asking once more who somebody is, before they give power away, and going on where they were."""

from flask import Blueprint, Response

from webapp.errors import NotAllowed
from webapp.htmx import go, render
from webapp.permissions import SIGNED_IN, allows
from webapp.security import require_viewer
from webapp.views import place
from webapp.views.errors import shown

views = Blueprint("proof", __name__)


@views.get("/account/proof")
@allows(SIGNED_IN)
def show() -> Response:
    email = require_viewer().user.email
    return render("pages/account/proof.html", then=place.ASKED, is_invited=False, email=email)


def ask(error: NotAllowed) -> Response:
    """For views that do not ask themselves; back to the page that the request was made on."""
    if error.code != "proof":
        return shown(403)
    place.come_back()
    return go("proof.show")
