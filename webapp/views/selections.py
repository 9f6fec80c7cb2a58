"""What is done to the ticked invitations of the users list."""

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.actions import selections
from webapp.actions.selections import Done
from webapp.htmx import go, wants_partial
from webapp.permissions import INVITE, allows
from webapp.security import require_viewer
from webapp.views.asking import asked_before
from webapp.views.users import people_changed

views = Blueprint("selections", __name__)


@views.post("/invitations/resends")
@allows(INVITE)
def resend() -> Response:
    done = selections.resend(require_viewer().membership, _ticked())
    said = ngettext(
        "%(num)d new invitation is on its way.",
        "%(num)d new invitations are on their way.",
        done.changed,
    )
    return _answer(done, said)


@views.post("/invitations/revocations")
@allows(INVITE)
def revoke() -> Response:
    done = selections.revoke(require_viewer().membership, _ticked())
    said = ngettext(
        "%(num)d invitation is cancelled: its link no longer works.",
        "%(num)d invitations are cancelled: their links no longer work.",
        done.changed,
    )
    return _answer(done, said)


def _ticked() -> list[int]:
    texts = request.form.getlist("id")
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]


def _answer(done: Done, said: str) -> Response:
    """Says what was done and what was not; the open windows ask for the rows anew."""
    if done.changed:
        flash(said)
    if done.kept:
        flash(
            ngettext(
                "%(num)d invitation stayed as it was: it was answered or cancelled in the"
                " meantime, or its address has received enough emails for now.",
                "%(num)d invitations stayed as they were: they were answered or cancelled in the"
                " meantime, or their addresses have received enough emails for now.",
                done.kept,
            ),
            "warning",
        )
    if not (done.changed or done.kept):
        flash(_("Nothing was done: select invitations first."), "warning")
    if not wants_partial():
        return go("users.index", **asked_before().shown)
    return people_changed()
