"""A browser as tests drive it: keeps cookies, reads the CSRF field of a page, sends forms."""

import re
from html import unescape
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from webapp.actions import sessions
from webapp.models import User

HTMX = {"HX-Request": "true"}
_FIELD = r'name="{}"[^>]*? value="([^"]*)"'


class Browser:
    """Nobody is signed in at first. `htmx=True` asks as the page's script does."""

    def __init__(self, app: Flask, language: str = "en") -> None:
        self.client = app.test_client()
        self._language = language
        self._csrf = ""

    def sign_in_as(self, user: User) -> "Browser":
        """With a session proven just now, without the form."""
        with self.client.session_transaction() as cookie:
            cookie["_user_id"] = sessions.start(user, agent="a test")
            cookie["_fresh"] = True
        return self

    def sign_in(self, email: str, password: str, **fields: str) -> TestResponse:
        return self.post("/sign-in", email=email, password=password, **fields)

    def open_link(self, token: str) -> TestResponse:
        """As from the mail, all redirects followed."""
        return self.get(f"/join/{token}", follow_redirects=True)

    def get(self, path: str, htmx: bool = False, **request: Any) -> TestResponse:
        return self._send("GET", path, htmx, **request)

    def head(self, path: str, **request: Any) -> TestResponse:
        return self._send("HEAD", path, False, **request)

    def post(self, path: str, htmx: bool = False, **fields: Any) -> TestResponse:
        """Sends a form with its CSRF field."""
        return self._send("POST", path, htmx, data={"csrf_token": self.csrf(), **fields})

    def csrf(self) -> str:
        """The field that every form of this browser's session carries."""
        if not self._csrf:
            self._csrf = field_of(self.get("/sign-in", follow_redirects=True), "csrf_token")
        return self._csrf

    def _send(self, method: str, path: str, htmx: bool, **request: Any) -> TestResponse:
        headers = {"Accept-Language": self._language, **(HTMX if htmx else {})}
        headers |= request.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **request)


def field_of(response: TestResponse, name: str) -> str:
    """The value of the first control of this name on a page."""
    found = re.search(_FIELD.format(re.escape(name)), response.text)
    assert found is not None, f"no field {name!r} on the page"
    return unescape(found[1])


def words_of(response: TestResponse) -> str:
    """What a person reads on a page, in one line; no-break spaces are spaces."""
    page = response.text.replace("<wbr>", "")
    text = re.sub(r"<(script|style|template|title)\b.*?</\1>|<[^>]*>", " ", page, flags=re.S)
    return " ".join(unescape(text).split())
