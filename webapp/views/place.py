"""Where to go on after signing in. `then` names a place, never an address from outside: one of
PLACES, or the page that this browser asked for before, which its signed cookie holds."""

from flask import Response, current_app, request, session

from webapp import clock
from webapp.htmx import go, go_to, wants_partial
from webapp.security import came_from

PLACES = {
    "users": "users.index",
    "statements": "statements.index",
    "billing": "billing.show",
    "account": "account.show",
    "factors": "factors.show",
    "erasure": "personal.erasure",
    "join": "join.show",
    "member": "members.back",
}
ASKED = "asked"
# Whoever signs in much later has something else in mind.
MOST_SECONDS = 3600
LONGEST = 1000


def then() -> str:
    given = request.values.get("then", "")
    return given if given in PLACES or given == ASKED else ""


def come_back() -> None:
    """Going on leads back to the page that this request was made on, if that can be looked at."""
    parts = came_from()
    path = "/" + parts.path.lstrip("/\\")
    address = f"{path}?{parts.query}" if parts.query else path
    is_page = len(address) <= LONGEST and current_app.url_map.bind("").test(path, "GET")
    session["asked_for"] = (address if is_page else "", _now())


def _now() -> int:
    return int(clock.now().timestamp())


def go_on() -> Response:
    place, (address, at) = then(), session.pop("asked_for", ("", 0))
    if place == ASKED and address and clock.now().timestamp() - at < MOST_SECONDS:
        return go_to(address)
    return go(PLACES.get(place, "home.show"))


def of_request() -> str | None:
    """Of a request that wants somebody signed in. A mail leads to a month or a document, and its
    reader there; a download would leave them on the page for signing in."""
    name = request.path.split("/")[1].partition(".")[0]
    if name == "join":
        return name
    is_page = request.method == "GET" and not wants_partial() and "." not in request.path
    address = request.full_path.removesuffix("?")
    if is_page and len(address) <= LONGEST and request.endpoint != "home.show":
        session["asked_for"] = (address, _now())
        return ASKED
    return name if name in PLACES else None
