"""The poll that every open window sends every few seconds, answered before a request is made of it
while nothing has changed: who asks, and may they, is looked up as for any request; the rest of what
a request takes would cost ten times as much. Whatever is not as usual goes the ordinary way."""

import time
from collections.abc import Iterable
from typing import Any

from flask import Flask
from peewee import InterfaceError, OperationalError

from webapp import clock, metrics
from webapp.actions import sessions
from webapp.cookies import Cookies
from webapp.database import connect_usably, release
from webapp.htmx import VARY, fingerprint
from webapp.models import people
from webapp.permissions import INVITE, Viewer

BADGE = "/invitations/badge"


def install(app: Flask) -> None:
    """To be called before anything else wraps the program, so that it holds for a poll, too."""
    app.wsgi_app = Polls(app, app.wsgi_app)  # type: ignore[method-assign]


def badge(viewer: Viewer) -> tuple[int, str]:
    """The number of the badge, and the name of the fragment that shows it."""
    pending = people.pending_count(viewer.account, clock.now())
    return pending, fingerprint(pending, viewer.user.locale)


class Polls:
    def __init__(self, app: Flask, inner: Any) -> None:
        self._app, self._inner = app, inner

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known and environ["PATH_INFO"] == BADGE and environ["REQUEST_METHOD"] == "GET":
            begun = time.perf_counter()
            state = self._state(environ)
            if state and f'"{state}"' in known:
                metrics.count(self._app, BADGE, "GET", 304, time.perf_counter() - begun)
                start_response("304 NOT MODIFIED", _headers(state))
                return []
        answer: Iterable[bytes] = self._inner(environ, start_response)
        return answer

    def _state(self, environ: dict[str, Any]) -> str | None:
        """What the badge is just now for whoever asks; None where the ordinary way has to say."""
        host = environ.get("HTTP_HOST", "").partition(":")[0]
        if host not in self._app.config["TRUSTED_HOSTS"]:
            return None
        token = self._token(environ.get("HTTP_COOKIE", ""))
        if token is None:
            return None
        try:
            connect_usably()
            viewer = sessions.viewer_of(token)
            return badge(viewer)[1] if viewer and _is_usual(viewer) else None
        except (OperationalError, InterfaceError):
            return None
        finally:
            release()

    def _token(self, cookies: str) -> str | None:
        """Of the session, out of the signed cookie."""
        interface = self._app.session_interface
        name = interface.get_cookie_name(self._app)
        value = _named(name, cookies)
        if value is None or not isinstance(interface, Cookies):
            return None
        token = interface.read(self._app, value).get("_user_id")
        return token if isinstance(token, str) else None


def _named(name: str, cookies: str) -> str | None:
    if name not in cookies:
        return None
    for part in cookies.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None


def _is_usual(viewer: Viewer) -> bool:
    """May they see it, and is nothing to be asked of them or to be written?"""
    session = viewer.session
    return viewer.may(INVITE) and not session.needs_factor and not sessions.is_to_touch(session)


def _headers(state: str) -> list[tuple[str, str]]:
    return [
        ("ETag", f'"{state}"'),
        ("Cache-Control", "private, no-cache"),
        ("Vary", VARY),
    ]
