"""What is done to the ticked invitations of the users list, or to all that match."""

from urllib.parse import parse_qs, urlencode

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webapp import clock
from webapp.actions import matching, selections
from webapp.actions.selections import Done
from webapp.htmx import go, render, wants_partial
from webapp.i18n import named, ngettext
from webapp.models import facets
from webapp.models.asked import Asked
from webapp.permissions import INVITE, allows
from webapp.security import require_viewer
from webapp.views.asking import asked_before, read
from webapp.views.users import people_changed

views = Blueprint("selections", __name__)


@views.get("/invitations/matching")
@allows(INVITE)
def matching_ones() -> Response:
    """What can be done with all that the list is narrowed to, also those that it does not show."""
    asked, account = read(request.args), require_viewer().account
    return render(
        "pages/users/matching.html",
        "partials/users/matching_panel.html",
        asked=asked,
        account=account,
        count=matching.found(account, asked, clock.now()).count(),
        wanted=urlencode(asked.shown),
        inviters={id: named(name) for id, name in facets.inviters(account)},
    )


@views.post("/invitations/resends")
@allows(INVITE)
def resend() -> Response:
    if asked := _matching():
        count = matching.begin(require_viewer().membership, "resend", asked)
        said = ngettext(
            "%(num)d new invitation goes out in the background. The list follows.",
            "%(num)d new invitations go out in the background. The list follows.",
            count,
        )
        return _answer(Done(count, 0), said)
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
    if asked := _matching():
        count = matching.begin(require_viewer().membership, "revoke", asked)
        said = ngettext(
            "%(num)d invitation is being cancelled in the background. The list follows.",
            "%(num)d invitations are being cancelled in the background. The list follows.",
            count,
        )
        return _answer(Done(count, 0), said)
    done = selections.revoke(require_viewer().membership, _ticked())
    said = ngettext(
        "%(num)d invitation is cancelled: its link no longer works.",
        "%(num)d invitations are cancelled: their links no longer work.",
        done.changed,
    )
    return _answer(done, said)


def _matching() -> Asked | None:
    """What the list was narrowed to, where all of it is meant and not what is ticked."""
    written = request.form.get("matching")
    return None if written is None else read(MultiDict(parse_qs(written)))


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
        return go("users.index", **(_matching() or asked_before()).shown)
    return people_changed()
