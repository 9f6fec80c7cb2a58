"""The signed cookie, as Flask keeps it, at less cost."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature

from webapp import clock


class Cookies(SecureCookieSessionInterface):
    """Flask makes a signer for each request, twice where the session changes, and verifies the
    same cookie again and again: the key stays, and so does what it has signed. Whether the cookie
    is too old, and whether its session is in force, is asked each time."""

    def __init__(self) -> None:
        super().__init__()
        self.signers: dict[Any, Any] = {}
        self.verified = lru_cache(4096)(self._verified)

    def get_signing_serializer(self, app: Flask) -> Any:
        if app.secret_key not in self.signers:
            self.signers[app.secret_key] = super().get_signing_serializer(app)
        return self.signers[app.secret_key]

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        value = request.cookies.get(self.get_cookie_name(app))
        return self.session_class(self.read(app, value) if value else None)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing but a change is sent, and every answer says that it varies by cookie (`htmx`)."""
        if session.modified:
            super().save_session(app, session, response)

    def read(self, app: Flask, value: str) -> dict[str, Any]:
        """What a cookie says; nothing where we have not signed it, or too long ago."""
        serializer = self.get_signing_serializer(app)
        try:
            payload, signed_at = self.verified(serializer, value)
            age = clock.now() - signed_at
            if not 0 <= age.total_seconds() <= app.permanent_session_lifetime.total_seconds():
                return {}
            said: dict[str, Any] = serializer.load_payload(payload)
        except BadSignature:
            return {}
        return said

    def _verified(self, serializer: Any, value: str) -> tuple[bytes, datetime]:
        signer = serializer.make_signer(serializer.salt)
        payload, signed_at = signer.unsign(value, return_timestamp=True)
        return payload, signed_at
