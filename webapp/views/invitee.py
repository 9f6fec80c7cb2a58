"""What invitees do on the way to an answer: wait, ask for a new link or a licence, choose between
two organisations, remove somebody from their own account."""

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from webapp import clock, errors
from webapp.actions import asking, offers, sharing
from webapp.htmx import done, go, unchanged_or, wants_partial
from webapp.permissions import PUBLIC, SIGNED_IN, allows
from webapp.security import current_viewer, require_viewer
from webapp.views import join_pages as pages
from webapp.views import link as links

views = Blueprint("invitee", __name__, url_prefix="/join")


@views.get("/cookies")
@allows(PUBLIC)
def ask_for_cookies() -> Response:
    """A browser comes here with the cookie that it was just given, or it keeps none: the one case
    in which opening the mail's link again would not help. No script is needed to see it."""
    return go("join.show") if request.cookies else pages.page("no_cookies", 404, None)


@views.get("/offer")
@allows(PUBLIC)
def look_again() -> Response:
    """What a page that waits asks for: 304 while nothing changed, the offer when something did,
    and the whole page anew when it has become another one (rule J6)."""
    viewer, link = current_viewer(), pages.live_link()
    if not wants_partial() or viewer is None or link is None or not pages.is_for(link, viewer):
        return go("join.show")
    response = unchanged_or(pages.offer(link.invitation, viewer, 200))
    return links.keep(response, link.token_hash)


@views.post("/renewal")
@allows(PUBLIC)
def ask_for_link() -> Response:
    """Whoever holds an expired link asks for a new one; it goes to the invited address alone."""
    link = links.held_link()
    if link is None or link.replaced_at is not None:
        return go("join.show")
    try:
        asking.for_link(link.invitation)
    except errors.Stale:
        return go("join.show")
    return done(
        "join.show",
        _("We have passed it on. If the invitation is resent, the new link comes by email."),
    )


@views.post("/seat")
@allows(SIGNED_IN)
def ask_for_seat() -> Response:
    link, viewer = links.held_link(), require_viewer()
    if link is None or link.invitation.email != viewer.user.email:
        raise errors.NotThere("invitation")
    try:
        asking.for_seat(link.invitation)
    except errors.Stale:
        return go("join.show")
    return done("join.show", _("We email you as soon as a licence is free."))


@views.post("/choice")
@allows(SIGNED_IN)
def choose() -> Response:
    """Turns to another invitation of this person. Who holds no link of theirs must have proven by
    a mailed code that the address is theirs."""
    viewer, held = require_viewer(), links.held_link()
    has_mail = held is not None and held.invitation.email == viewer.user.email
    given = request.form.get("invitation", "")
    chosen = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
    link = offers.link_to(viewer.user.email, chosen, clock.now())
    if link is None or not (has_mail or viewer.user.verified_at):
        raise errors.NotThere("invitation")
    return links.keep(go("join.show"), link.token_hash)


@views.post("/users/<bounded:membership_id>/removal")
@allows(SIGNED_IN)
def remove_user(membership_id: int) -> Response:
    user = sharing.remove(require_viewer().membership, membership_id)
    return done("join.show", _("%(name)s no longer uses your account.", name=user.shown_name))
