"""Is the process there; can it do its work?"""

from datetime import timedelta

from flask import Blueprint, Response, make_response

from webapp import clock, migrations, outbox
from webapp.models import OutboxMessage
from webapp.permissions import PUBLIC, allows

views = Blueprint("health", __name__)

# Older than this, due messages mean that no worker is at work.
PATIENCE = timedelta(minutes=5)


@views.get("/healthz")
@allows(PUBLIC)
def healthz() -> Response:
    return _plain("ok")


@views.get("/readyz")
@allows(PUBLIC)
def readyz() -> Response:
    if migrations.pending():
        return _plain("the database is not migrated", 503)
    overdue = OutboxMessage.select().where(
        outbox.is_waiting() & (OutboxMessage.leaves_at < clock.now() - PATIENCE)
    )
    return _plain("the outbox waits for a worker", 503) if overdue.exists() else _plain("ok")


def _plain(text: str, status: int = 200) -> Response:
    response = make_response(text + "\n", status)
    response.mimetype = "text/plain"
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response
