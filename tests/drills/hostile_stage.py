"""Where hostile requests play: the cast of an organisation, every browser signed in, and a database
that is as it was before each of them. What a view reads of a form is learned by watching it."""

import io
import logging
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, ClassVar
from unittest import mock
from urllib.parse import unquote_to_bytes

from flask import Flask
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.test import run_wsgi_app

from tests.apps import make_app
from tests.databases import remembered
from tests.drills.hostile_requests import FORM, Route, Sent
from tests.drills.hostile_words import ELEMENT, HEADER, WORKED_OUT
from tests.people import Cast, make_cast, on_the_day
from tests.views.test_access import RIGHTS, draft, invoice, keep_mail, values_of
from webapp import mailer, passwords
from webapp.database import database
from webapp.permissions import DEVELOPMENT, PUBLIC, SIGNED_IN, declaration_of

# Of a processor; by the clock a busy machine takes ten times as long, and a wait for a lock that
# nobody gives back lasts for fifteen.
MOST_SECONDS = 2.0
MOST_WAITED = 14.0
EVERYBODY = ("invitee", "nobody", "owner", "link holder", "operator")
RULE = re.compile(r"<(?:[^:<>]*:)?(\w+)>")


class Watched(ImmutableMultiDict[str, Any]):
    """A form or query that remembers what it was asked for."""

    asked: ClassVar[set[str]] = set()

    def get(self, key: str, *rest: Any, **options: Any) -> Any:
        self.asked.add(key)
        return super().get(key, *rest, **options)

    def getlist(self, key: str, *rest: Any, **options: Any) -> Any:
        self.asked.add(key)
        return super().getlist(key, *rest, **options)

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, str):
            self.asked.add(key)
        return super().__contains__(key)


class Heard(logging.Handler):
    """The last error that the program wrote down, which its answer does not tell."""

    last: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.last = record.exc_info[1]


class Fault(AssertionError):
    """The program did not stand a request."""


class Stage:
    def __init__(self, app: Flask, cast: Cast, keep: "Keep") -> None:
        self.app, self.cast, self.keep = app, cast, keep
        self.sent = 0
        self.statuses: dict[int, int] = {}
        self.heard = Heard()
        self._signed_in = {role: self._headers(role) for role in EVERYBODY}
        keep.remember()

    def _headers(self, role: str) -> dict[str, str]:
        browser = self.cast.browser(role)
        token = browser.csrf()
        cookie = browser.client.get_cookie("affluent")
        assert cookie is not None
        return {"HTTP_COOKIE": f"affluent={cookie.value}", "HTTP_X_CSRFTOKEN": token}

    def play(self, route: Route, sent: Sent) -> int:
        """The status of the answer, which stands all checks; the database is as before."""
        status: int = self.timed(f"{route.label}: {sent}", lambda: self._answer(route, sent))
        self.sent += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status < 400 or status == 429:
            self.keep.restore()
        return status

    def timed(self, what: str, work: Callable[[], Any]) -> Any:
        """What `work` gives, which must not take long twice: a busy machine may keep anybody
        waiting once."""
        for _ in range(2):
            begun, before = time.perf_counter(), time.process_time()
            result = work()
            took, worked = time.perf_counter() - begun, time.process_time() - before
            if worked <= MOST_SECONDS and took <= MOST_WAITED:
                return result
            self.keep.restore()
        raise Fault(f"took {worked:.1f} s of a processor, {took:.1f} by the clock: {what}")

    def path_of(self, endpoint: str) -> str:
        with self.app.test_request_context():
            return str(self.app.url_for(endpoint))

    def _answer(self, route: Route, sent: Sent) -> int:
        environ = self._environ(route, sent)
        try:
            pieces, status, headers = Context().run(run_wsgi_app, self.app, environ, True)
            content = b"".join(pieces)
        except Exception as error:
            self.keep.restore()
            raise Fault(f"{route.label}: {type(error).__name__}: {error}: {sent}") from error
        code = int(status[:3])
        if code >= 500:
            self.keep.restore()
            why = f"{type(self.heard.last).__name__}: {self.heard.last}"
            raise Fault(f"{route.label} answered {status}: {why}: {sent}") from self.heard.last
        if HEADER in headers or any("\r" in value or "\n" in value for value in headers.values()):
            raise Fault(f"{route.label} let a header in: {sent}")
        if headers.get("Content-Type", "").startswith("text/html"):
            for trace in (ELEMENT.encode(), WORKED_OUT.encode()):
                if trace in content:
                    raise Fault(f"{route.label} has {trace!r} on its page: {sent}")
        return code

    def _environ(self, route: Route, sent: Sent) -> dict[str, Any]:
        return {
            "REQUEST_METHOD": route.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(sent.path).decode("latin-1"),
            "QUERY_STRING": sent.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": sent.content_type,
            "CONTENT_LENGTH": str(len(sent.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(sent.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **self._signed_in[sent.role],
            **sent.headers,
        }

    def routes(self, method: str, only: set[str] | None = None) -> list[Route]:
        """Every route of the app that takes this method, in the order of their names; or those
        whose names are given."""
        found = []
        values = {name: str(value) for name, value in values_of(self.cast).items()}
        for rule in sorted(self.app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
            if method not in (rule.methods or ()) or (only and rule.endpoint not in only):
                continue
            pieces = tuple(RULE.split(rule.rule))
            own = {name: values.get(name, "1") for name in rule.arguments}
            declared = declaration_of(self.app.view_functions[rule.endpoint])
            route = Route(rule.endpoint, method, pieces, own, (), roles_for(declared))
            found.append(self._learned(route))
        return found

    def _learned(self, route: Route) -> Route:
        """Sent a few times, each with all that its view asked for so far."""
        names: set[str] = set()
        for value in ("", "1", "a@example.org"):
            pairs = "&".join(f"{name}={value}" for name in sorted(names))
            address = "".join(route.values.get(piece, piece) for piece in route.pieces)
            is_post = route.method != "GET"
            for role in route.roles[: 1 + is_post]:
                Watched.asked.clear()
                body = pairs.encode() if is_post else b""
                query = "" if is_post else pairs
                self.play(route, Sent(role, address, query, FORM if is_post else "", body, {}))
                names |= Watched.asked - {"csrf_token"}
        return Route(
            route.endpoint, route.method, route.pieces, route.values,
            tuple(sorted(names)), route.roles,
        )  # fmt: skip


def roles_for(declared: str | None) -> tuple[str, ...]:
    """Who gets past the door: elsewhere there is nothing to find."""
    if declared in (PUBLIC, DEVELOPMENT):
        return ("nobody", "invitee", "link holder", "owner")
    if declared == SIGNED_IN:
        return ("invitee", "owner", "operator")
    return tuple(role for role in ("owner", "operator") if role in RIGHTS[str(declared)])


class Keep:
    """A copy of the database, and the way back to it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def remember(self) -> None:
        if self.url.startswith("sqlite"):
            self._own = sqlite3.connect(self.url.removeprefix("sqlite:///"))
            self._copy = sqlite3.connect(":memory:")
            self._own.backup(self._copy)
        else:
            self._recall = remembered(self.url)

    def restore(self) -> None:
        if database.in_transaction():
            database.rollback()
        if self.url.startswith("sqlite"):
            database.close()
            self._copy.backup(self._own)
        else:
            self._recall()


@contextmanager
def quick_hashes() -> Iterator[None]:
    """Slow hashes are slow on purpose, and hide nothing."""
    quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with mock.patch.object(passwords, "_hasher", quick):
        yield


@contextmanager
def heard_by(handler: logging.Handler) -> Iterator[None]:
    """What the program writes down goes to `handler` alone, until the block ends."""
    logger = logging.getLogger("affluent")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


@contextmanager
def stage_on(url: str, plant: Any = None) -> Iterator[Stage]:
    """`plant` may add routes of its own to the app first."""
    app = make_app(url)
    mailer.install(app)
    watched = {"parameter_storage_class": Watched}
    app.request_class = type("WatchedRequest", (app.request_class,), watched)
    if plant is not None:
        plant(app)
    with app.app_context(), on_the_day(), quick_hashes():
        keep_mail()
        cast = make_cast(app)
        draft(cast)
        invoice(cast)
        stage = Stage(app, cast, Keep(url))
        with heard_by(stage.heard):
            yield stage
    database.close()
