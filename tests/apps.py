"""The app as tests start it: development settings, a database of its own, no worker."""

import tempfile
from contextvars import Context
from dataclasses import replace
from functools import cache
from typing import Any

from babel.support import Translations
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from webapp import create_app, outbox
from webapp.config import from_environment


def _compile_addresses_once() -> None:
    """Every test's app has the same addresses, and werkzeug's writing of a function for each takes
    two thirds of the app's start. Such a function knows its rule by `self` alone."""
    compile_one = Rule._compile_builder
    known: dict[Any, Any] = {}

    def compiled(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, *rule._trace, repr(rule.defaults), append_unknown)
        if key not in known:
            known[key] = compile_one(rule, append_unknown)
        return known[key]

    Rule._compile_builder = compiled  # type: ignore[method-assign]


def _read_catalogues_once() -> None:
    """Nor do their sentences differ, which each app reads for templates, and again for itself."""
    load_one = Translations.load
    known: dict[Any, Any] = {}

    def loaded(folder: Any, locales: list[Any], domain: str | None = None) -> Any:
        key = (str(folder), *map(str, locales), domain)
        if key not in known:
            known[key] = load_one(folder, locales, domain)
        return known[key]

    Translations.load = loaded  # type: ignore[method-assign, assignment]


_compile_addresses_once()
_read_catalogues_once()


class Client(FlaskClient):
    """Begins each request outside the app context that a test may have pushed: there, who is
    signed in would be remembered from one request, and one browser, to the next."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return Context().run(super().open, *args, **kwargs)


def make_app(database_url: str, **changes: Any) -> Flask:
    """`changes` are fields of Config. Nudges are off: tests drain the outbox themselves."""
    settings = from_environment(
        {"DATABASE_URL": database_url, "SECRET_KEY": "a key for tests, long enough"}
    )
    app = create_app(replace(settings, **changes))
    app.config["TESTING"] = True
    app.test_client_class = Client
    app.jinja_env.bytecode_cache = compiled_templates()
    outbox.nudge_with(None)
    return app


@cache
def compiled_templates() -> FileSystemBytecodeCache:
    """Every test has an app of its own; compiling its pages anew takes longer than most tests."""
    return FileSystemBytecodeCache(tempfile.mkdtemp(prefix="affluent-"))
