"""Is the process there; can it do its work?"""

from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, Response, jsonify
from peewee import InterfaceError, OperationalError

from webapp import clock, migrations, outbox
from webapp.database import connect_usably, database
from webapp.models import OutboxMessage
from webapp.permissions import PUBLIC, allows

views = Blueprint("health", __name__)

# Older than this, due messages mean that no worker is at work.
PATIENCE = timedelta(minutes=5)


@views.get("/healthz")
@allows(PUBLIC)
def healthz() -> Response:
    response = Response("ok\n")
    response.mimetype = "text/plain"
    return response


@views.get("/readyz")
@allows(PUBLIC)
def readyz() -> Response:
    """200 when all is well; else 503, and the answer says what is not, by name. What comes after a
    check that failed was not looked at."""
    found: dict[str, str] = {}
    for name, fault in CHECKS.items():
        found[name] = fault() or "ok"
        if found[name] != "ok":
            break
    response = jsonify(found)
    if found.keys() != CHECKS.keys() or set(found.values()) != {"ok"}:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return response


def _database() -> str:
    try:
        connect_usably()
        database.execute_sql("SELECT 1")
    except (OperationalError, InterfaceError):
        if not database.is_closed():
            database.close()
        return "away"
    return ""


def _migrations() -> str:
    return "not applied" if migrations.pending() else ""


def _outbox() -> str:
    overdue = OutboxMessage.select().where(
        outbox.is_waiting() & (OutboxMessage.leaves_at < clock.now() - PATIENCE)
    )
    return "waits for a worker" if overdue.exists() else ""


# Each says what is wrong, or nothing.
CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "outbox": _outbox,
}
