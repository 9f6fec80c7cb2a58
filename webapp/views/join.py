"""The invitee's page: what will change, the choice, and what came of it."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, request, session
from flask_babel import get_locale

from webapp import clock, errors
from webapp.actions import (
    failed_refunds,
    invitations,
    joining,
    offers,
    outcomes,
    statements,
    undo,
)
from webapp.htmx import go, render, unchanged_or, wants_partial
from webapp.models import Acceptance, Invitation, InvitationLink, Statement, User
from webapp.permissions import PUBLIC, SIGNED_IN, Viewer, allows
from webapp.security import current_viewer, require_viewer
from webapp.views import join_pages as pages
from webapp.views import link as links

views = Blueprint("join", __name__)


@views.get("/join/<token>")
@allows(PUBLIC)
def open(token: str) -> Response:
    """Takes the token out of the address bar; changes nothing (rules J1, J2)."""
    return links.keep(go("join.show"), links.hash_of(token))


@views.get("/join")
@allows(PUBLIC)
def show() -> Response:
    viewer, link = current_viewer(), links.held_link()
    if link is None:
        return _without_link(viewer)
    response = _standing(link, viewer)
    return links.keep(response, link.token_hash)


def is_answering() -> bool:
    """Does the request come from the page of an invitation that can still be answered? htmx asks
    from nowhere else, whatever the invitation has become."""
    return wants_partial() or pages.live_link() is not None


def proving(status: int, **step: Any) -> Response:
    """The invitation's page at a step of showing who one is; htmx gets that step alone."""
    viewer, link = current_viewer(), pages.live_link()
    if link is None:
        return go("join.show")
    step = {"problem": "proof" if viewer else "", **pages.person(link.invitation, viewer), **step}
    if wants_partial():
        return render("partials/sign_in/ways.html", None, status, then="join", **step)
    return _standing(link, viewer, status, **step)


@views.post("/join/acceptance")
@allows(SIGNED_IN)
def accept() -> Response:
    form, viewer, link = request.form, require_viewer(), links.held_link()
    invitation = _invitation(link, viewer)
    if invitation is None:
        return _without_link(viewer)
    if link is not None and joining.why_dead(invitation, link, clock.now()) == "replaced":
        return _standing(link, viewer)
    choice = form.get("choice", "")
    try:
        joining.accept(
            invitation.id, viewer.session, choice, form.get("quote", ""), form.get("licence", "")
        )
    except errors.NotAllowed as error:
        if error.code != "proof":
            return pages.page("other_person", 403, invitation)
        session["chosen"] = choice
        return pages.offer(invitation, viewer, 409, problem="proof")
    except errors.Gone as error:
        return pages.page(error.code, 410, invitation)
    except errors.Blocked as error:
        return pages.offer(invitation, viewer, 409, problem=error.code)
    except errors.Stale as error:
        return pages.offer(invitation, viewer, 409, problem=error.code)
    except errors.Invalid as error:
        problem = "incomplete" if error.code == "quote" else error.code
        return pages.offer(invitation, viewer, 422, problem=problem)
    session.pop("chosen", None)
    return go("join.show")


@views.post("/join/decline")
@allows(PUBLIC)
def decline() -> Response:
    """Who holds the mailed link may say no: no proof of person is asked for that (rule J13)."""
    viewer, link = current_viewer(), links.held_link()
    if link is None or (viewer is not None and viewer.user.email != link.invitation.email):
        return pages.page("other_person", 403, None)
    dead = joining.why_dead(link.invitation, link, clock.now())
    if dead and dead != "declined":
        return pages.page(dead, 410, link.invitation)
    invitations.decline(link.invitation, request.form.get("reason", ""))
    return go("join.show")


@views.post("/join/undo")
@allows(SIGNED_IN)
def undo_acceptance() -> Response:
    return _decide(undo.undo)


@views.post("/join/confirmation")
@allows(SIGNED_IN)
def confirm() -> Response:
    """Gives the undo up: what is held leaves now."""
    return _decide(undo.send_now)


@views.post("/join/credit")
@allows(SIGNED_IN)
def hand_over() -> Response:
    """A refund that failed becomes the organisation's credit, if its person wants that."""
    viewer, given = require_viewer(), request.form.get("refund", "")
    refund_id = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
    try:
        failed_refunds.hand_over(viewer.user, viewer.session, refund_id)
    except (errors.NotAllowed, errors.Stale) as error:
        acceptance = _own_acceptance(viewer)
        if acceptance is None:
            raise
        return _result(acceptance, 409, problem=error.code)
    return go("join.show")


def _decide(verb: Callable[[User, int], Acceptance]) -> Response:
    viewer = require_viewer()
    acceptance = _own_acceptance(viewer)
    if acceptance is None:
        return pages.page("no_link", 404, None)
    try:
        verb(viewer.user, acceptance.id)
    except (errors.Stale, errors.Blocked) as error:
        return _result(undo.find(viewer.user, acceptance.id), 409, problem=error.code)
    return go("join.show")


def _own_acceptance(viewer: Viewer) -> Acceptance | None:
    """That of the link in this browser, else the person's latest."""
    link = links.held_link()
    here = joining.acceptance_of(link.invitation) if link is not None else None
    if here is not None and here.user_id == viewer.user.id:
        return here
    return joining.latest_acceptance(viewer.user)


def _invitation(link: InvitationLink | None, viewer: Viewer) -> Invitation | None:
    """The invitation that this browser holds the link of; after the cookie ended, the one that
    this person accepted last, if any."""
    acceptance = joining.latest_acceptance(viewer.user) if link is None else None
    held: Invitation | None = link.invitation if link is not None else None
    return acceptance.invitation if acceptance is not None else held


def _without_link(viewer: Viewer | None) -> Response:
    """The cookie of the link has ended, or was never there: a person who is known goes on where
    they stopped all the same."""
    if viewer is None and not request.cookies:
        return links.probe(go("invitee.ask_for_cookies"))
    if viewer is None:
        return pages.page("no_link", 404, None)
    acceptance = joining.latest_acceptance(viewer.user)
    if acceptance is not None and acceptance.membership_id == viewer.membership.id:
        return _result(acceptance)
    found = offers.open_for(viewer.user.email, clock.now()) if viewer.user.verified_at else []
    if found:
        return pages.page("choosing", 200, None, open_invitations=found)
    return pages.page("no_link", 404, None) if acceptance is None else _result(acceptance)


def _standing(
    link: InvitationLink, viewer: Viewer | None, status: int = 200, **step: Any
) -> Response:
    """The page for the state that the invitation and the person are in (rule J15)."""
    invitation, now = link.invitation, clock.now()
    is_other = viewer is not None and not pages.is_for(link, viewer)
    dead = joining.why_dead(invitation, link, now)
    if dead == "accepted" and viewer is not None and not is_other:
        acceptance = joining.acceptance_of(invitation)
        if acceptance is not None:
            return _result(acceptance)
    if dead:
        return pages.page(dead, 410, None if is_other else invitation)
    if is_other:
        return pages.page("other_person", 200, invitation)
    if viewer is None:
        return pages.page(
            "sign_in", status, invitation, **{**pages.person(invitation, viewer), **step}
        )
    return pages.offer(invitation, viewer, status, **step)


def _result(acceptance: Acceptance, status: int = 200, problem: str = "") -> Response:
    viewer, now = require_viewer(), clock.now()
    settlement = outcomes.settlement_of(acceptance)
    refunds = outcomes.refunds_of(settlement)
    issued = statements.visible_to(viewer).where(Statement.settlement == settlement)
    documents = list(issued.order_by(Statement.id)) if settlement is not None else []
    context: dict[str, Any] = {
        "acceptance": acceptance,
        "settlement": settlement,
        "refunds": refunds,
        "statements": documents,
        "is_held": acceptance.is_held(now),
        "arrival": outcomes.arrival(acceptance, refunds),
        "problem": problem,
        "then": "join",
        "is_invited": False,
        "handed_over": outcomes.handed_over(settlement),
        "look_again": outcomes.looks_again_in(acceptance, refunds, documents, now),
        "now": now,
    }
    response = render("pages/join/result.html", "partials/join/result.html", status, **context)
    if not wants_partial() or request.method != "GET":
        return response
    # What the form fields and the clock say is other each time, and no news.
    news = (viewer.session.id, session.get("csrf_token"), str(get_locale()), *_state(context))
    return unchanged_or(response, repr(news))


def _state(context: dict[str, Any]) -> Iterator[object]:
    acceptance: Acceptance = context["acceptance"]
    yield acceptance.undone_at, acceptance.undo_until, context["is_held"]
    yield acceptance.id, acceptance.membership.ended_at
    yield [(one.id, one.state, one.bank_reference, one.changed_at) for one in context["refunds"]]
    yield [(one.number, one.sha256) for one in context["statements"]]
    yield sorted(context["handed_over"])
