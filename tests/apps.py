"""The app as tests start it: development settings, a database of its own, no worker."""

import tempfile
from contextvars import Context
from dataclasses import replace
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.test import TestResponse

from webapp import create_app, outbox
from webapp.config import from_environment


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
    app.jinja_env.bytecode_cache = _compiled_templates()
    outbox.nudge_with(None)
    return app


@cache
def _compiled_templates() -> FileSystemBytecodeCache:
    """Every test has an app of its own; compiling its pages anew takes longer than most tests."""
    return FileSystemBytecodeCache(tempfile.mkdtemp(prefix="affluent-"))
