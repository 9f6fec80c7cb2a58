"""One member's page, or the panel of their row: role, licence, handing over, removing."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, request, session
from flask_babel import gettext as _

from webapp.actions import members
from webapp.errors import Blocked, Gone, NotAllowed, Stale
from webapp.htmx import go, render, wants_partial
from webapp.models import Membership, people
from webapp.permissions import MANAGE_MEMBERS, allows
from webapp.security import require_viewer
from webapp.views.users import people_changed

views = Blueprint("members", __name__)


@views.get("/members")
@allows(MANAGE_MEMBERS)
def back() -> Response:
    """On from a proof, to the page that asked for it."""
    kept = session.get("member")
    return go("members.show", membership_id=kept["id"]) if kept else go("users.index")


@views.get("/members/<bounded:membership_id>")
@allows(MANAGE_MEMBERS)
def show(membership_id: int) -> Response:
    return _page(membership_id)


@views.post("/members/<bounded:membership_id>/role")
@allows(MANAGE_MEMBERS)
def role(membership_id: int) -> Response:
    wanted = request.form.getlist("role")
    return _do(
        membership_id,
        lambda: members.change_roles(require_viewer(), membership_id, wanted, _seen()),
        _("The role is changed."),
        roles=wanted,
    )


@views.post("/members/<bounded:membership_id>/licence")
@allows(MANAGE_MEMBERS)
def licence(membership_id: int) -> Response:
    wanted = request.form.get("licence", "")
    return _do(
        membership_id,
        lambda: members.change_licence(require_viewer(), membership_id, wanted, _seen()),
        _("The licence is changed."),
    )


@views.post("/members/<bounded:membership_id>/ownership")
@allows(MANAGE_MEMBERS)
def ownership(membership_id: int) -> Response:
    return _do(
        membership_id,
        lambda: members.hand_over(require_viewer(), membership_id, _seen()),
        _("The ownership is handed over. You are now an administrator, with finance."),
        form="ownership",
    )


@views.post("/members/<bounded:membership_id>/removal")
@allows(MANAGE_MEMBERS)
def removal(membership_id: int) -> Response:
    try:
        user = members.remove(require_viewer(), membership_id, _seen())
    except (NotAllowed, Stale, Gone) as error:
        return _refused(error, membership_id, form="removal")
    session.pop("member", None)
    flash(_("%(who)s is no longer a member, and is told by email.", who=user.shown_name))
    return people_changed() if wants_partial() else go("users.index")


def _seen() -> str:
    return request.form.get("seen", "")


def _do(membership_id: int, verb: Callable[[], Membership], said: str, **kept: Any) -> Response:
    try:
        member = verb()
    except (NotAllowed, Stale, Blocked, Gone) as error:
        return _refused(error, membership_id, **kept)
    session.pop("member", None)
    flash(said)
    # Who has just given up their own right to be here cannot go back to this page.
    is_own = member.id == require_viewer().membership.id
    if is_own and not member.is_inviting:
        return go("home.show")
    return people_changed() if wants_partial() else go("members.show", membership_id=membership_id)


def _refused(
    error: NotAllowed | Stale | Blocked | Gone, membership_id: int, **kept: Any
) -> Response:
    """Nothing was done: the fresh page says why. What was chosen is kept through a proof."""
    if isinstance(error, Gone):
        return _gone()
    if isinstance(error, NotAllowed):
        if error.code != "proof":
            raise error
        session["member"] = {"id": membership_id, **kept}
    return _page(membership_id, 409, problem=error.code)


def _page(membership_id: int, status: int = 200, problem: str = "") -> Response:
    viewer = require_viewer()
    try:
        member = members.find(viewer.account, membership_id)
    except Gone:
        return _gone()
    kept = session.get("member", {})
    return render(
        "pages/members/show.html",
        "partials/members/panel.html",
        status,
        member=member,
        account=viewer.account,
        is_own=member.id == viewer.membership.id,
        is_last_owner=members.is_last_owner(member),
        is_removable=members.is_removable(viewer.membership, member),
        changeable=members.changeable(viewer.membership, member),
        seen=members.standing(member),
        seats_used=people.seats_used(viewer.account),
        kept=kept if kept.get("id") == membership_id else {},
        problem=problem,
        then="member",
        email=viewer.user.email,
    )


def _gone() -> Response:
    if wants_partial():
        flash(_("Nothing was done: this person is no longer a member."), "warning")
        return people_changed(410)
    account = require_viewer().account
    return render("pages/members/gone.html", None, 410, account=account)
