"""Whether the process lives, and whether it can do its work."""

from datetime import timedelta

import pytest
from flask import Flask

from tests.apps import make_app
from tests.ports import free_port
from webapp import clock, outbox

FINE = {"database": "ok", "migrations": "ok", "outbox": "ok"}


def test_a_process_that_can_work_says_so(app: Flask) -> None:
    outbox.write("mail:code", {})
    answer = app.test_client().get("/readyz")

    assert (answer.status_code, answer.json) == (200, FINE)
    assert app.test_client().get("/healthz").text == "ok\n"


def test_a_queue_that_nobody_empties_is_named(app: Flask) -> None:
    outbox.write("mail:code", {}, leaves_at=clock.now() - timedelta(minutes=6))
    answer = app.test_client().get("/readyz")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json == {**FINE, "outbox": "waits for a worker"}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_migrations_to_apply_are_named(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.migrations.pending", lambda: ["0002_more"])
    answer = app.test_client().get("/readyz")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json == {"database": "ok", "migrations": "not applied"}


def test_an_absent_database_is_named() -> None:
    app = make_app(f"postgresql://affluent@127.0.0.1:{free_port()}/away")
    answer = app.test_client().get("/readyz")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json == {"database": "away"}
    assert app.test_client().get("/healthz").status_code == 200
