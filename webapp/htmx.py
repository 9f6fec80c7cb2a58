"""Pages and partials from the same views (wraps htmx-flask)."""

import hashlib
from collections.abc import Callable
from typing import Any

from flask import (
    Flask,
    Response,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_wtf.csrf import generate_csrf
from htmx_flask import Htmx
from htmx_flask import request as htmx_request

VARY = "HX-Request, Cookie, Accept-Language"


def install(app: Flask) -> None:
    Htmx(app)
    app.after_request(_vary)


def csrf_token() -> str:
    """Flask-WTF makes a signer for each form before it sees that it has the token already."""
    if "csrf_token" not in g:
        generate_csrf()
    return str(g.csrf_token)


def wants_partial() -> bool:
    """An htmx request for a fragment: not a boosted link, not the Back button."""
    htmx = htmx_request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render(page: str, partial: str | None = None, status: int = 200, **context: Any) -> Response:
    """The page, or its partial when htmx asks for one. The client never names a template."""
    template = partial if partial and wants_partial() else page
    return make_response(render_template(template, **context), status)


def done(endpoint: str, message: str, partial: str | None = None, **context: Any) -> Response:
    """A change was made: htmx gets the partial that shows it, a plain form a 303 to `endpoint`.
    `context["values"]` are the endpoint's arguments."""
    values = context.pop("values", {})
    if partial and wants_partial():
        return make_response(render_template(partial, message=message, **context))
    flash(message)
    return go(endpoint, **values)


def go(endpoint: str, **values: Any) -> Response:
    """A 303, or for htmx a 200 that makes it load the address as a page."""
    return go_to(url_for(endpoint, **values))


def go_to(address: str) -> Response:
    """The same, to an address of ours."""
    if htmx_request.htmx:
        return Response("", 200, {"HX-Redirect": address})
    return make_response(redirect(address, 303))


def unchanged_or(response: Response, news: str = "") -> Response:
    """A 304 when the browser already has this fragment. `no-cache` and not `no-store`: a browser
    only asks with its ETag what it was allowed to keep. The CSRF field is another one each time
    and valid all the same, so it makes no difference. `news` is all that makes it another fragment,
    where that is still less than its bytes."""
    response.headers["Cache-Control"] = "private, no-cache"
    lasting = news.encode() or response.get_data().replace(generate_csrf().encode(), b"")
    response.set_etag(hashlib.sha256(lasting).hexdigest()[:32])
    return make_response(response.make_conditional(request))


def fingerprint(*facts: Any) -> str:
    """A name for exactly these facts."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:24]


def unless_known(state: str, show: Callable[[], Response]) -> Response:
    """What `show` makes, or a 304 when the page says that it shows this state already: nothing
    is rendered to find out, and nothing is kept by the browser."""
    known = request.if_none_match.contains(state)
    response = Response(status=304) if known else show()
    response.set_etag(state)
    return response


def _vary(response: Response) -> Response:
    # A line is cheaper than the set that werkzeug makes of it, and every answer has one.
    before = response.headers.get("Vary")
    response.headers["Vary"] = f"{before}, {VARY}" if before else VARY
    return response
