"""The signed cookie, as Flask keeps it, at less cost."""

from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface


class Cookies(SecureCookieSessionInterface):
    """Flask makes a signer for each request, twice where the session changes; the key stays."""

    def __init__(self) -> None:
        super().__init__()
        self.signers: dict[Any, Any] = {}

    def get_signing_serializer(self, app: Flask) -> Any:
        if app.secret_key not in self.signers:
            self.signers[app.secret_key] = super().get_signing_serializer(app)
        return self.signers[app.secret_key]
