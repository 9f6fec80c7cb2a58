"""Sessions, route permissions, headers: what every request passes through."""

import hashlib
from ipaddress import IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import Flask, Response, abort, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import SecurityError

from webapp import clock
from webapp.actions import second_factor, sessions
from webapp.addresses import normalised
from webapp.config import Config
from webapp.cookies import Cookies
from webapp.errors import NotAllowed
from webapp.htmx import csrf_token, go
from webapp.models import User
from webapp.permissions import DEVELOPMENT, PUBLIC, SIGNED_IN, Viewer, declaration_of

csrf = CSRFProtect()
# So many people may share a browser before it forgets who signed in there first.
KNOWN = 8
# Whoever has to set up a second factor can do that, join, and leave.
OPEN = ("factors", "join", "invitee", "sign_in")


class SignedIn(UserMixin):  # type: ignore[misc]
    """What flask-login carries: its id is the token of the session, never the user's."""

    def __init__(self, token: str, viewer: Viewer) -> None:
        self.token = token
        self.viewer = viewer

    def get_id(self) -> str:
        return self.token


class NamedParts:
    """For the class of requests: what a form holds without a name, no form of ours has sent. It is
    left out before anybody takes the name for a word."""

    def _load_form_data(self) -> None:
        super()._load_form_data()  # type: ignore[misc]
        for kind in ("form", "files"):
            parts = self.__dict__[kind]
            if None in parts:
                named = [part for part in parts.items(multi=True) if part[0] is not None]
                self.__dict__[kind] = type(parts)(named)


def install(app: Flask) -> None:
    settings: Config = app.config["SETTINGS"]
    secure = settings.base_url.startswith("https:")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-affluent" if secure else "affluent",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=sessions.LIFE,
        # A cookie on every answer would keep fragments from being a 304.
        SESSION_REFRESH_EACH_REQUEST=False,
        TRUSTED_HOSTS=[urlsplit(settings.base_url).hostname, "127.0.0.1", "localhost"],
        # Somewhat above the largest file (uploads.MOST_BYTES), so that the form can say so.
        MAX_CONTENT_LENGTH=40 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=20 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.session_interface = Cookies()
    app.request_class = type("Request", (NamedParts, app.request_class), {})
    app.before_request(refuse_other_hosts)
    csrf.init_app(app)
    manager = LoginManager(app)
    # Sessions are rows that end when we say; tying them to an IP would sign phones out.
    manager.session_protection = None
    manager.user_loader(_load)
    app.before_request(refuse_cross_site)
    app.before_request(require_permission)
    app.after_request(add_headers)
    app.jinja_env.globals.update(viewer=current_viewer)
    app.context_processor(lambda: {"csrf_token": csrf_token})  # after Flask-WTF's own


def _load(token: str) -> SignedIn | None:
    viewer = sessions.viewer_of(token)
    return None if viewer is None else SignedIn(token, viewer)


def current_viewer() -> Viewer | None:
    signed_in: Any = current_user
    return signed_in.viewer if signed_in and signed_in.is_authenticated else None


def forget_viewer() -> None:
    """For the rest of the request it is nobody's: a page about the database's absence must not
    ask the database who reads it."""
    current_app.login_manager._update_request_context_with_user()  # type: ignore[attr-defined]


def require_viewer() -> Viewer:
    """The person of a request whose route needs one."""
    viewer = current_viewer()
    if viewer is None:
        abort(401)
    return viewer


def sign_in(user: User) -> None:
    """Starts a new session for `user` in this browser; an older one of this browser ends."""
    sign_out()
    session.pop("half", None)
    membership = user.membership()
    token = sessions.start(
        user,
        agent=request.headers.get("User-Agent", ""),
        needs_factor=membership is not None and second_factor.is_missing(membership),
    )
    session.permanent = True
    login_user(SignedIn(token, _viewer(token)))
    name = _name_here(str(user.email))
    session["known"] = [name, *(one for one in session.get("known", []) if one != name)][:KNOWN]


def _viewer(token: str) -> Viewer:
    viewer = sessions.viewer_of(token)
    if viewer is None:
        raise RuntimeError("a session that was just started must be there")
    return viewer


def is_held_up() -> bool:
    """Is the person to set up a second factor before anything else?"""
    viewer = current_viewer()
    if viewer is None or not viewer.session.needs_factor:
        return False
    if "is_held_up" not in g:
        g.is_held_up = second_factor.is_missing(viewer.membership)
    return bool(g.is_held_up)


def sign_out() -> None:
    viewer = current_viewer()
    if viewer is not None:
        sessions.end(viewer.session)
        logout_user()


def browser_id() -> str:
    """A random name for this browser, in its signed cookie; made when first needed by a POST."""
    if "browser" not in session:
        session["browser"] = clock.new_token()
    return hashlib.sha256(session["browser"].encode()).hexdigest()


def lane(email: str) -> str:
    """Names this browser where `email` has signed in from it before, else "": whoever guesses or
    asks for codes elsewhere does not hold up that person here (see actions/guesses.py)."""
    if not session.get("known"):
        return ""
    try:
        name = _name_here(normalised(email))
    except ValueError:
        return ""
    return name if name in session["known"] else ""


def _name_here(address: str) -> str:
    return hashlib.sha256(f"{browser_id()}:{address}".encode()).hexdigest()[:16]


def source() -> str:
    """Where a request comes from, for throttling: of IPv6 the network of 64 bits, for whoever has
    one of its addresses has all."""
    given = (request.remote_addr or "unknown")[:64]
    try:
        address = ip_address(given)
    except ValueError:
        return given
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))


def came_from() -> SplitResult:
    """The page that a request was made on, as the browser tells it: anybody may write anything
    there, and what is no address is none."""
    told = request.headers.get("HX-Current-URL") or request.referrer or ""
    try:
        return urlsplit(told)
    except ValueError:
        return urlsplit("")


def refuse_other_hosts() -> None:
    """Before anything else answers with a page, whose links need a host name that is ours."""
    if isinstance(request.routing_exception, SecurityError):
        raise request.routing_exception


def refuse_cross_site() -> None:
    """Writes that another site caused are refused before anything is read: as the browser says it,
    or, where it is too old to, by the origin that it names."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = (request.headers.get(name) for name in ("Sec-Fetch-Site", "Origin"))
    if site == "cross-site" or (site is None and origin is not None and not _is_ours(origin)):
        abort(403)


def _is_ours(origin: str) -> bool:
    """Not "null" either, which is what a page without an origin is given."""
    try:
        return urlsplit(origin).hostname in current_app.config["TRUSTED_HOSTS"]
    except ValueError:
        return False


def require_permission() -> Any:
    """Enforces what the route declares."""
    if request.endpoint is None or request.endpoint == "static":
        return None
    declared = declaration_of(current_app.view_functions[request.endpoint])
    if declared == PUBLIC:
        return None
    if declared == DEVELOPMENT:
        if not current_app.config["SETTINGS"].is_development:
            abort(404)
        return None
    viewer = current_viewer()
    if viewer is None:
        abort(401)
    sessions.touch(viewer.session)
    if is_held_up() and request.endpoint.partition(".")[0] not in OPEN:
        return go("factors.show")
    if declared != SIGNED_IN and (declared is None or not viewer.may(declared)):
        raise NotAllowed("role", capability=declared)
    return None


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; manifest-src 'self'"
)


LASTING = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # For browsers from before the policy's frame-ancestors.
    "X-Frame-Options": "DENY",
    # Flask-WTF needs a Referer of our own on https; nobody else gets one.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def lasting_headers(settings: Config) -> dict[str, str]:
    """Those of every answer with a body."""
    if settings.base_url.startswith("https:"):
        return {**LASTING, "Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
    return LASTING


def add_headers(response: Response) -> Response:
    headers = response.headers
    if response.status_code == 304:
        # Nothing but what keeps it fresh: the rest holds as it was said with the body.
        headers.setdefault("Cache-Control", "private, no-store")
        return response
    for name, value in lasting_headers(current_app.config["SETTINGS"]).items():
        headers.setdefault(name, value)
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "private, no-store")
    return response
