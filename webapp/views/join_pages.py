"""The pages that an invitee may be shown before there is an answer, each with what it needs."""

from typing import Any

from flask import Response, request, session

from webapp import clock
from webapp.actions import asking, joining, offers, reporting, sessions, sign_in
from webapp.htmx import render
from webapp.models import Invitation, InvitationLink
from webapp.permissions import Viewer
from webapp.views import asked
from webapp.views import link as links


def live_link() -> InvitationLink | None:
    link = links.held_link()
    if link is None or joining.why_dead(link.invitation, link, clock.now()):
        return None
    return link


def is_for(link: InvitationLink, viewer: Viewer) -> bool:
    return bool(viewer.user.email == link.invitation.email)


def person(invitation: Invitation, viewer: Viewer | None) -> dict[str, Any]:
    """What the step needs to know of whoever is to be proven: a visitor's address is not shown."""
    is_new = viewer is None and not sign_in.is_user(invitation.email)
    return {
        "is_invited": True,
        "is_new": is_new,
        "is_asked": asked.is_recent(invitation.email),
        "name": request.form.get("name", "") or (invitation.name if is_new else ""),
        "email": viewer.user.email if viewer is not None else request.form.get("email", ""),
    }


def offer(
    invitation: Invitation, viewer: Viewer, status: int, problem: str = "", **step: Any
) -> Response:
    now, licence = clock.now(), request.values.get("licence", "")
    offer = offers.offer_to(viewer.user, invitation, now, licence)
    invitation = offer.invitation  # as it would be taken
    chosen = request.form.get("choice") or session.get("chosen")
    is_fresh = sessions.is_fresh(viewer.session)
    return render(
        "pages/join/offer.html",
        "partials/join/offer.html",
        status,
        invitation=invitation,
        offer=offer,
        open_invitations=offers.open_for(viewer.user.email, now),
        problem=problem,
        chosen=chosen,
        is_proven=is_fresh and session.get("chosen") == "credit",
        then="join",
        report=reporting.token_of(invitation),
        **{**person(invitation, viewer), **step},
    )


def page(state: str, status: int, invitation: Invitation | None, **context: Any) -> Response:
    page = state if state in ("sign_in", "other_person", "choosing") else "dead"
    if invitation is not None:
        context["report"] = reporting.token_of(invitation)
        context["is_renewable"] = asking.is_renewable(invitation, clock.now())
    context = {"then": "join", "is_invited": True, **context}
    return render(
        f"pages/join/{page}.html", None, status, state=state, invitation=invitation, **context
    )
