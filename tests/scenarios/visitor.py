"""A person whose browser has no JavaScript: follows links, fills in the forms of a page."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import TestResponse


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: dict[str, str] = {}
        self.words: list[str] = []
        self._open: list[tuple[str, str | None]] = []
        self._form: Form | None = None
        self._textarea = ""
        self.feed(html.replace("<wbr>", ""))

    @property
    def text(self) -> str:
        """What is read: one space between words, the no-break ones included."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given["action"], given.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "textarea":
            self._textarea = given.get("name", "")
        if self._form and given.get("name") and tag in ("input", "textarea"):
            is_chosen = given.get("type") != "radio" or "checked" in given
            if is_chosen:
                self._form.fields[given["name"]] = given.get("value", "")
        if tag not in ("input", "meta", "link", "br", "hr", "use", "img"):
            self._open.append((tag, given.get("id")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "textarea":
            self._textarea = ""
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._form and self._textarea:
            self._form.fields[self._textarea] += data
        if any(tag in ("script", "style", "template") for tag, _ in self._open):
            return
        self.words.append(data)
        for _, name in self._open:
            if name:
                self.ids[name] = self.ids.get(name, "") + data


class Visitor:
    def __init__(self, app: Flask, language: str = "en") -> None:
        self._client = app.test_client()
        self._language = language
        self.status = 0
        self.address = ""
        self.content = b""
        self.page = _Page("")

    @property
    def text(self) -> str:
        return self.page.text

    def visit(self, address: str) -> "Visitor":
        """The path alone counts: links in mails name the host that the mail was made for."""
        parts = urlsplit(address)
        return self._open(parts.path + (f"?{parts.query}" if parts.query else ""))

    def submit(self, action: str, number: int = 0, **fields: str) -> "Visitor":
        """Sends the page's form of this action (the `number`th of them), its own fields kept."""
        form = [form for form in self.page.forms if form.action == action][number]
        assert "csrf_token" in form.fields or form.method == "get"
        return self._open(action, method=form.method.upper(), data={**form.fields, **fields})

    def sign_in(self, email: str, password: str) -> "Visitor":
        return self.submit("/sign-in", email=email, password=password)

    def has_form(self, action: str) -> bool:
        return any(form.action == action for form in self.page.forms)

    def _open(self, path: str, **request: Any) -> "Visitor":
        headers = {"Accept-Language": self._language}
        answer = self._client.open(path, headers=headers, **request)
        for _ in range(5):
            if answer.status_code != 303:
                break
            path = urlsplit(answer.headers["Location"])._replace(scheme="", netloc="").geturl()
            answer.close()
            answer = self._client.get(path, headers=headers)
        return self._read(path, answer)

    def _read(self, path: str, answer: TestResponse) -> "Visitor":
        self.status, self.address, self.content = answer.status_code, path, answer.data
        is_html = answer.mimetype == "text/html"
        self.page = _Page(answer.text if is_html else "")
        answer.close()
        return self
