"""The database is away, was restarted, or is full: what people are told meanwhile."""

import select

import pytest
from flask import Flask

from tests.apps import make_app
from tests.client import Browser, words_of
from tests.databases import connected
from tests.people import make_individual
from tests.ports import free_port
from webapp.database import database
from webapp.models.written import Statement
from webapp.permissions import PUBLIC, allows


@pytest.mark.parametrize("path", ["/users", "/sign-in", "/join", "/nowhere"])
def test_while_the_database_is_away_everybody_is_told_to_come_back(path: str) -> None:
    app = make_app(f"postgresql://affluent@127.0.0.1:{free_port()}/away")
    browser = Browser(app)
    with browser.client.session_transaction() as cookie:
        cookie["_user_id"] = "somebody's session"

    answer = browser.get(path)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Nothing was changed. Reload the page in a few seconds." in words_of(answer)


def test_the_process_lives_while_the_database_is_away() -> None:
    app = make_app(f"postgresql://affluent@127.0.0.1:{free_port()}/away")

    assert app.test_client().get("/healthz").status_code == 200


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize("is_pooled", [False, True])
def test_a_connection_that_the_server_has_ended_is_replaced(
    database_url: str, is_pooled: bool
) -> None:
    url = database_url.replace("postgresql://", "postgresql+pool://") if is_pooled else database_url
    app = make_app(url)
    browser = Browser(app).sign_in_as(_somebody(app))
    assert browser.get("/account").status_code == 200

    with app.app_context():
        farewell = select.poll()
        farewell.register(database.connection().fileno(), select.POLLRDHUP)
    with connected(database_url) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert farewell.poll(5000)

    assert browser.get("/account").status_code == 200
    with app.app_context():
        database.close()
        getattr(database.obj, "close_all", database.close)()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_server_that_goes_while_it_is_asked_is_away_whatever_asks(database_url: str) -> None:
    """Some statements go to the driver directly: what it raises has to have the same name."""
    app = make_app(database_url)
    app.add_url_rule("/asks", view_func=allows(PUBLIC)(_ask_to_be_ended))

    answer = app.test_client().get("/asks")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    with app.app_context():
        database.close()


def _ask_to_be_ended() -> str:
    ending = Statement("SELECT pg_terminate_backend(pg_backend_pid())", ())
    return str(list(ending.rows({}, is_planned=True)))


def _somebody(app: Flask):  # type: ignore[no-untyped-def]
    with app.app_context():
        return make_individual("ines@example.org")
