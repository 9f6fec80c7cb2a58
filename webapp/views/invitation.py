"""One invitation: what happened to it, and sending it to another address."""

from flask import Blueprint, Response, flash, make_response, request
from flask_babel import gettext as _

from webapp import clock
from webapp.actions import amendments, invitations, sessions, timelines
from webapp.errors import Invalid, Stale, TooMany
from webapp.htmx import go, render, unchanged_or, wants_partial
from webapp.permissions import GRANT_ADMIN, INVITE, allows
from webapp.security import require_viewer
from webapp.views.told import sentence
from webapp.views.users import people_changed

views = Blueprint("invitation", __name__)


@views.get("/invitations/<bounded:invitation_id>")
@allows(INVITE)
def show(invitation_id: int) -> Response:
    response = _page(invitation_id, partial="partials/invitations/delivery.html")
    return unchanged_or(response) if wants_partial() else response


@views.get("/invitations/<bounded:invitation_id>/amendment")
@allows(INVITE)
def change(invitation_id: int) -> Response:
    """The panel that its row opens; the page of the invitation has the same forms."""
    if wants_partial():
        return _page(invitation_id)
    invitation = invitations.find(require_viewer().account, invitation_id)
    return go("invitation.show", invitation_id=invitation.id)


@views.post("/invitations/<bounded:invitation_id>/address")
@allows(INVITE)
def mend(invitation_id: int) -> Response:
    written, viewer = request.form.get("email", ""), require_viewer()
    if invitations.find(viewer.account, invitation_id).is_admin:
        sessions.require_fresh(viewer.session)  # another person would get that role
    try:
        fresh = invitations.mend(viewer.membership, invitation_id, written)
    except Invalid as error:
        return _page(invitation_id, 422, written=written, error=error.code)
    except TooMany:
        return _page(invitation_id, 429, written=written, problem="later")
    except Stale:
        return _page(invitation_id, 409, problem="changed")
    return _done(
        invitation_id, _("A new invitation is on its way to %(email)s.", email=fresh.email)
    )


@views.post("/invitations/<bounded:invitation_id>/amendment")
@allows(INVITE)
def amend(invitation_id: int) -> Response:
    role, licence, seen = (request.form.get(name, "") for name in ("role", "licence", "seen"))
    if role == "admin":
        sessions.require_fresh(require_viewer().session)
    try:
        amendments.amend(require_viewer().membership, invitation_id, role, licence, seen)
    except Stale:
        return _page(invitation_id, 409, problem="changed")
    return _done(invitation_id, _("The new offer is saved."))


def _done(invitation_id: int, said: str) -> Response:
    flash(said)
    if wants_partial():
        return people_changed()
    return go("invitation.show", invitation_id=invitation_id)


def _page(
    invitation_id: int,
    status: int = 200,
    partial: str = "partials/invitations/panel.html",
    **context: str,
) -> Response:
    viewer, now = require_viewer(), clock.now()
    invitation = invitations.find(viewer.account, invitation_id)
    response = render(
        "pages/invitations/show.html",
        partial,
        status,
        invitation=invitation,
        state=invitation.shown_status(now),
        happenings=timelines.of(invitation, now),
        leaves_at=timelines.leaves_at(invitation),
        seen=amendments.standing(invitation),
        may_grant_admin=viewer.may(GRANT_ADMIN),
        why_not=invitations.why_not_inviting(viewer.membership),
        sentence=sentence,
        now=now,
        **context,
    )
    if status == 429:
        response.headers["Retry-After"] = "3600"
    return make_response(response)
