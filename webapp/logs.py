"""Log lines: plain ones for people, JSON ones for programs, and in neither an address or a token.

What is logged names rows by their id and pages by their route. That is the rule; `without_secrets`
is the net below it, for the words of errors, of other libraries and of other programs."""

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any, TextIO

from flask import Flask, Response, current_app, g, has_request_context, request
from flask.signals import request_started

from webapp import clock

log = logging.getLogger("affluent.requests")

# Looked for from the beginning of a word only: from each of its letters, a long one takes minutes.
ADDRESS = re.compile(r"(?<![^\s@<>\"'(),;:=/])[^\s@<>\"'(),;:=/]+(?:@|%40)[^\s@<>\"'(),;:=/]+")
# Those of links, sessions and forms have 43 characters and more; ids have fewer.
TOKEN = re.compile(r"[A-Za-z0-9_-]{40,}(?:\.[A-Za-z0-9_-]{4,})*")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)
# Asked for every few seconds; lines of theirs would hide the others.
PROBES = ("health.healthz", "health.readyz", "metrics.show")
# Loggers whose programs give them handlers of their own.
ELSEWHERE = ("gunicorn.error", "huey")


def install(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    formatter = JSONLines() if settings.log_format == "json" else PlainLines()
    root = logging.getLogger()
    mine = next((one for one in root.handlers if isinstance(one, StandardError)), None)
    if mine is None:
        mine = StandardError()
        root.addHandler(mine)
    mine.setFormatter(formatter)
    adopt(formatter)
    logging.getLogger("affluent").setLevel(logging.INFO)
    request_started.connect(_begin, app)
    app.after_request(_end)


def adopt(formatter: logging.Formatter | None = None) -> None:
    """Makes the lines of the programs that run us look like ours; to be called again when one has
    set up its logger only afterwards."""
    if formatter is None:
        mine = next(one for one in logging.getLogger().handlers if isinstance(one, StandardError))
        formatter = mine.formatter
    for name in ELSEWHERE:
        logger = logging.getLogger(name)
        for handler in logger.handlers:
            handler.setFormatter(formatter)
            logger.propagate = False


def without_secrets(text: str) -> str:
    return TOKEN.sub("[token]", ADDRESS.sub("[address]", text))


def request_id() -> str:
    """The proxy's name for this request where there is a proxy and the name is well-formed, else
    one of ours."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        is_trusted = current_app.config["SETTINGS"].trusted_proxies > 0
        known = is_trusted and REQUEST_ID.fullmatch(given)
        g.request_id = given if known else clock.new_request_id()
    return str(g.request_id)


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is now, not to what it was at the start."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class PlainLines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JSONLines(logging.Formatter):
    """One object a line: time, level, logger, message, the request's id, the error with its
    traceback, and what the line counts, by name."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        if has_request_context():
            said["request_id"] = request_id()
        said |= getattr(record, "fields", {})
        if record.exc_info:
            said["error"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(said, ensure_ascii=False)


def _begin(app: Flask) -> None:
    g.began = time.perf_counter()


def seconds_so_far() -> float:
    return time.perf_counter() - float(g.get("began", time.perf_counter()))


def route() -> str:
    """Where a request went, without what stood in its place: `/join/<token>`, or "" for nowhere."""
    return request.url_rule.rule if request.url_rule is not None else ""


def method() -> str:
    """Its name, unless somebody made one up."""
    return request.method if request.method in METHODS else "other"


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    is_unchanged = response.status_code == 304  # what open windows ask for every few seconds
    if response.status_code >= 400 or not (is_unchanged or request.endpoint in PROBES):
        _tell(response)
    return response


def _tell(response: Response) -> None:
    fields = {
        "method": method(),
        "route": route(),
        "status": response.status_code,
        "milliseconds": round(seconds_so_far() * 1000, 1),
    }
    words = "{method} {route} {status} {milliseconds} ms".format(**fields)
    log.info("%s", words, extra={"fields": fields})
