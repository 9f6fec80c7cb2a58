"""The poll that every open window sends every few seconds, answered before a request is made of it:
who asks, and may they, is looked up as for any request; the rest of what a request takes would cost
ten times as much. Whatever is not as usual goes the ordinary way."""

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from flask import Flask, render_template
from flask_babel import force_locale
from peewee import InterfaceError, OperationalError

from webapp import clock, metrics
from webapp.actions import sessions
from webapp.cookies import Cookies
from webapp.database import connect_usably, release
from webapp.htmx import VARY, fingerprint
from webapp.models import people
from webapp.permissions import INVITE, Viewer
from webapp.security import lasting_headers

BADGE = "/invitations/badge"
FRAGMENT = "partials/invitations/badge.html"


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
        self._fragment = lru_cache(1_000)(self._rendered)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        begun, found = time.perf_counter(), None
        if environ["PATH_INFO"] == BADGE and environ["REQUEST_METHOD"] == "GET":
            found = self._badge(environ)
        if found is None:
            answer: Iterable[bytes] = self._inner(environ, start_response)
            return answer
        pending, state, locale = found
        lasting = [("ETag", f'"{state}"'), ("Cache-Control", "private, no-cache"), ("Vary", VARY)]
        is_known = f'"{state}"' in environ.get("HTTP_IF_NONE_MATCH", "")
        if is_known:
            start_response("304 NOT MODIFIED", lasting)
            body = []
        else:
            body = [self._fragment(pending, locale)]
            kind = ("Content-Type", "text/html; charset=utf-8")
            size = ("Content-Length", str(len(body[0])))
            others = lasting_headers(self._app.config["SETTINGS"]).items()
            start_response("200 OK", [kind, size, *lasting, *others])
        status = 304 if is_known else 200
        metrics.count(self._app, BADGE, "GET", status, time.perf_counter() - begun)
        return body

    def _rendered(self, pending: int, locale: str) -> bytes:
        with self._app.app_context(), force_locale(locale):
            return render_template(FRAGMENT, pending=pending).encode()

    def _badge(self, environ: dict[str, Any]) -> tuple[int, str, str] | None:
        """The number, the name of its fragment and the language of whoever asks; None where the
        ordinary way has to answer."""
        if environ.get("HTTP_HOST", "").partition(":")[0] not in self._app.config["TRUSTED_HOSTS"]:
            return None
        token = self._token(environ.get("HTTP_COOKIE", ""))
        if token is None:
            return None
        try:
            connect_usably()
            found = sessions.viewer_and_numbers_of(token)
            if found is None or not _is_usual(found[0]):
                return None
            pending, locale = found[1].pending, str(found[0].user.locale)
            return pending, fingerprint(pending, locale), locale
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
