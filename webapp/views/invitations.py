"""Invitations: sending, previewing, resending, revoking, and the live badge."""

from contextlib import suppress
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    render_template,
    request,
)
from flask_babel import get_locale
from flask_babel import gettext as _

from webapp import clock, polls
from webapp.actions import invitations
from webapp.actions.invitations import Invited
from webapp.actions.previews import MOST_INPUTS, Preview, preview
from webapp.downloads import csv_of
from webapp.errors import Invalid, NotThere, Stale, TooMany
from webapp.htmx import go, render, unless_known, wants_partial
from webapp.i18n import ngettext
from webapp.models import Invitation, people
from webapp.permissions import INVITE, allows
from webapp.security import require_viewer
from webapp.views import kept
from webapp.views.asking import asked_before
from webapp.views.offer import TEXTS, chosen_offer
from webapp.views.users import adding, listing

views = Blueprint("invitations", __name__)

AT_ONCE = 10


@views.post("/invitations")
@allows(INVITE)
def create() -> Response:
    viewer = require_viewer()
    try:
        offer, checked = chosen_offer(), checked_rows()
        if offer.role == "admin":
            kept.through_proof(viewer.session)
    except Invalid as error:
        return _form_again(error)
    is_clean = not checked.not_ready and len(checked.ready) <= AT_ONCE
    if not (is_clean or "confirmed" in request.form):
        return _preview_page(checked)
    invited = invitations.invite(viewer.membership, checked.ready, offer)
    _resend_chosen()
    return _sent(invited, checked)


@views.post("/invitations/preview")
@allows(INVITE)
def preview_only() -> Response:
    try:
        chosen_offer()
        return _preview_page(checked_rows())
    except Invalid as error:
        return _form_again(error)


@views.post("/invitations/rows")
@allows(INVITE)
def judge_rows() -> Response:
    """A row of the preview was mended: what it is now, and how many are ready."""
    try:
        checked = checked_rows()
    except Invalid as error:
        return _form_again(error)
    partial = None if not checked.to_mend else "partials/users/judged.html"
    context = _context(values=request.form, preview=checked)
    return render("pages/users/preview.html", partial, **context)


@views.post("/invitations/failed.csv")
@allows(INVITE)
def failed() -> Response:
    """The rows of a preview that cannot be sent, with their reasons."""
    try:
        checked = preview(require_viewer().account, request.form.get("emails", ""))
    except Invalid as error:
        return _form_again(error)
    words = current_app.jinja_env.get_template("partials/users/words.html").module
    found = {row.verdict for row in checked.not_ready}
    said = {one: str(words.verdict(one)).strip() for one in found}  # type: ignore[attr-defined]
    rows = [(row.email or row.written, row.name, said[row.verdict]) for row in checked.not_ready]
    lines = csv_of([(_("Email"), _("Name"), _("Result")), *rows], str(get_locale()))
    response = Response(lines, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=_("not-sent.csv"))
    return response


@views.post("/invitations/<bounded:invitation_id>/resend")
@allows(INVITE)
def resend(invitation_id: int) -> Response:
    try:
        fresh = invitations.resend(require_viewer().membership, invitation_id)
    except Stale:
        return _changed_meanwhile(invitation_id)
    except TooMany:
        return _row(
            _find(invitation_id),
            _("Nothing was sent: this address has received enough emails. Try again later."),
            429,
        )
    return _row(fresh, _("A new invitation is on its way to %(email)s.", email=fresh.email))


@views.post("/invitations/<bounded:invitation_id>/revocation")
@allows(INVITE)
def revoke(invitation_id: int) -> Response:
    try:
        fresh = invitations.revoke(require_viewer().membership, invitation_id)
    except Stale:
        return _changed_meanwhile(invitation_id)
    said = _(
        "The invitation for %(email)s is cancelled: its link no longer works.", email=fresh.email
    )
    return _row(fresh, said)


@views.post("/invitations/takeover")
@allows(INVITE)
def take_over() -> Response:
    count = invitations.take_over(require_viewer().membership)
    flash(ngettext("%(num)d invitation is now yours.", "%(num)d invitations are now yours.", count))
    return go("users.index")


@views.get("/invitations/badge")
@allows(INVITE)
def badge() -> Response:
    viewer = require_viewer()
    pending, state = polls.badge(viewer)
    response = unless_known(
        state,
        lambda: make_response(render_template(polls.FRAGMENT, pending=pending)),
    )
    # The browser asks with what it kept: every open window polls this.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def checked_rows() -> Preview:
    """The rows of the form; `mended` are those that a preview showed as inputs."""
    form = request.form
    checked = preview(require_viewer().account, form.get("emails", ""), form.getlist("mended"))
    if not checked.rows:
        raise Invalid("emails", field="emails")
    return checked


def _sent(invited: Invited, checked: Preview) -> Response:
    """Says what went out. Rows that could not go stay in the form, to be mended."""
    count = len(invited.invitations)
    said = ngettext(
        "%(num)d invitation is on its way.", "%(num)d invitations are on their way.", count
    )
    kept = [row.line for row in (*invited.kept, *checked.kept)]
    kept_text = "\n".join(filter(None, (*kept, request.form.get("kept", ""))))
    if count:
        flash(said)
        _warn_of_seats(count)
    if kept_text:
        flash(
            _(
                "Some addresses stayed in the form. Nothing was sent to them: correct them, then"
                " add them again."
            ),
            "warning",
        )
    if not (wants_partial() or kept_text):
        return go("users.index")
    return _page_with({"emails": kept_text, **_choices(kept_text)})


def _warn_of_seats(count: int) -> None:
    """Pending invitations reserve nothing, but more of them than free licences is worth saying."""
    account = require_viewer().account
    free = max(0, account.seats - people.seats_used(account))
    if request.form.get("licence") == "licensed" and count > free:
        flash(
            ngettext(
                "%(num)d licence is free. The first to accept get one; the others have to wait"
                " until one is free.",
                "%(num)d licences are free. The first to accept get one; the others have to wait"
                " until one is free.",
                free,
            ),
            "warning",
        )


def _resend_chosen() -> None:
    """Those of a preview that were invited before, where the person ticked them."""
    resent = 0
    for chosen in request.form.getlist("resend")[:MOST_INPUTS]:
        if chosen.isdecimal() and len(chosen) < 19:
            # Answered meanwhile, or mailed often enough today: the list says how it stands.
            with suppress(Stale, TooMany, NotThere):
                invitations.resend(require_viewer().membership, int(chosen))
                resent += 1
    if resent:
        flash(
            ngettext(
                "%(num)d new link is on its way.", "%(num)d new links are on their way.", resent
            )
        )


def _choices(kept: str) -> dict[str, str]:
    """The options stay only while there is something left to send with them."""
    names = ("licence", "role", "locale", *TEXTS)
    return {name: request.form.get(name, "") for name in names} if kept else {}


def _form_again(error: Invalid) -> Response:
    context = _context(values=request.form, errors={error.facts["field"]: error.code})
    return render("pages/users/index.html", "partials/users/form.html", 422, **context)


def _preview_page(checked: Preview) -> Response:
    context = _context(values=request.form, preview=checked)
    return render("pages/users/preview.html", "partials/users/preview.html", **context)


def _page_with(values: dict[str, str]) -> Response:
    context = _context(values=values)
    return render("pages/users/index.html", "partials/users/sent.html", **context)


def _context(**changes: Any) -> dict[str, Any]:
    return {**listing(), **adding(), **changes}


def _find(invitation_id: int) -> Invitation:
    return invitations.find(require_viewer().account, invitation_id)


def _row(invitation: Invitation, said: str, status: int = 200) -> Response:
    """One row changed: htmx gets the row, the tabs and the badge; a plain form the list."""
    if not wants_partial():
        flash(said, "message" if status == 200 else "warning")
        if request.form.get("back") == "invitation":
            return go("invitation.show", invitation_id=invitation.id)
        return go("users.index", **asked_before().shown)
    person = people.of_invitation(invitation, clock.now())
    kind = "success" if status == 200 else "warning"
    return make_response(
        render_template(
            "partials/invitations/changed.html", person=person, said=said, kind=kind, **listing()
        ),
        status,
    )


def _changed_meanwhile(invitation_id: int) -> Response:
    """Answered or cancelled while the page was open: nothing was done, the fresh row is shown."""
    said = _(
        "Nothing was done: this invitation changed in the meantime. Its row is now up to date."
    )
    if wants_partial():
        return _row(_find(invitation_id), said, 409)
    flash(said, "warning")
    return render("pages/users/index.html", None, 409, **_context())
