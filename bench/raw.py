"""A page of ours with nothing between the driver, the template and the server: the statements that
ours sends are sent by the driver itself, and the same template is rendered by a plain Jinja with
what ours gave it. Nobody is asked who they are, and no row becomes an object."""

import gettext
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal
from flask import Flask, template_rendered
from jinja2 import Environment, FileSystemLoader

import webapp
from bench import ours, people
from invoices import formats
from webapp import i18n
from webapp.config import from_environment
from webapp.models.user import is_erased

FOLDER = Path(webapp.__file__).parent
ZONE = ZoneInfo("Europe/Paris")
LOCALE = "fr"

Statement = tuple[str, tuple[Any, ...]]


class Recorder(logging.Handler):
    """What peewee sends."""

    def __init__(self) -> None:
        super().__init__()
        self.statements: list[Statement] = []

    def emit(self, record: logging.LogRecord) -> None:
        sql, params = record.msg
        if "session_" not in sql:  # who it is; raw does not ask
            self.statements.append((sql, tuple(params or ())))


def twin(url: str, path: str, **headers: str) -> Flask:
    """An app that answers `path` as ours answers it just now."""
    theirs = webapp.create_app(from_environment(ours.environment(url)))
    statements, name, context = _watched(theirs, path, headers)
    template = _environment(theirs).get_template(name)
    connect = _connecting(url)
    app, mine = Flask(__name__), threading.local()

    @app.get(path.partition("?")[0])
    def show() -> str:
        if not hasattr(mine, "connection"):
            mine.connection = connect()
        for sql, params in statements:
            mine.connection.execute(sql, params).fetchall()
        return template.render({**context, **template.globals})

    return app


def _watched(
    app: Flask, path: str, headers: dict[str, str]
) -> tuple[list[Statement], str, dict[str, Any]]:
    """The statements, the template and its context of one answer."""
    recorder, rendered = Recorder(), []
    logger = logging.getLogger("peewee")

    def note(_app: Flask, template: Any, context: dict[str, Any]) -> None:
        rendered.append((template.name, dict(context)))

    with template_rendered.connected_to(note, app):
        logger.addHandler(recorder)
        logger.setLevel(logging.DEBUG)
        cookie = {"Cookie": ours.cookie(people.LARGE)}
        answer = app.test_client(use_cookies=False).get(path, headers={**headers, **cookie})
        logger.setLevel(logging.WARNING)
        logger.removeHandler(recorder)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return recorder.statements, *rendered[-1]


def _environment(app: Flask) -> Environment:
    """Our templates, escaped, in one language, and nothing of Flask in them."""
    plain = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, extensions=["jinja2.ext.i18n"]
    )
    words = gettext.translation("messages", FOLDER / "translations", [LOCALE])
    plain.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    build = app.url_map.bind("127.0.0.1").build
    plain.filters.update(day=_day, moment=_moment, numberformat=_number)
    plain.filters.update(address=i18n.address, named=_named)
    plain.globals.update(
        url_for=lambda endpoint, **values: build(endpoint, values),
        csrf_token=lambda: "IjU0ZDY1NDY1NDY1NDY1NDY1NDY1NDY1NDY1NDY1NDY1NDY1NDY1NDYi.aSRFQQ.k0mWc",
        static=app.jinja_env.globals["static"],
        locale=lambda: LOCALE,
    )
    return plain


def _day(value: Any) -> str:
    return formats.day(value.astimezone(ZONE).date(), LOCALE)


def _moment(value: Any) -> str:
    return formats.moment(value, ZONE.key, LOCALE)


def _named(name: str, begins: bool = False) -> str:
    if is_erased(name):
        raise RuntimeError("of the benchmarks' people nobody was erased")
    return name


def _number(value: int) -> str:
    return format_decimal(value, locale=LOCALE)


def _connecting(url: str) -> Callable[[], Any]:
    if url.startswith("sqlite"):
        return partial(sqlite3.connect, url.removeprefix("sqlite:///"))
    import psycopg

    return partial(psycopg.connect, url, autocommit=True)


app = twin(os.environ["BENCH_DATABASE"], os.environ["BENCH_PATH"], **{"HX-Request": "true"})
