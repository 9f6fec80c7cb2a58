"""The queue that wakes the worker: the outbox's rows are the truth, huey carries a nudge."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from huey import Huey
from peewee import Database

from webapp.config import Config

NAME = "affluent"


def attach(app: Flask, real_database: Database) -> Callable[[], Any]:
    """Gives the app its queue, and returns the nudge. Huey needs the real database, no proxy."""
    huey = open_queue(app.config["SETTINGS"], real_database)
    app.extensions["huey"] = huey

    @huey.task(name="drain")  # type: ignore[untyped-decorator]
    def drain() -> None:
        from webapp.worker import drain_outbox  # only a worker process gets here

        drain_outbox()

    nudge: Callable[[], Any] = drain
    return nudge


def open_queue(settings: Config, real_database: Database) -> Huey:
    if settings.queue_url:
        from huey import RedisHuey

        return RedisHuey(NAME, url=settings.queue_url, results=False)
    from huey.contrib.sql_huey import SqlHuey

    return SqlHuey(NAME, database=real_database, create_tables=False, results=False)
