"""What is written to the log, and what never is: addresses, tokens, queries."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.apps import make_app
from tests.client import Browser
from tests.databases import fresh_sqlite
from tests.effects import carry_out
from tests.people import Cast, make_cast
from webapp import logs, mailer
from webapp.database import database


@pytest.fixture(params=["json", "plain"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    app = make_app(fresh_sqlite(tmp_path), log_format=request.param, trusted_proxies=1)
    mailer.install(app)
    with app.app_context():
        yield app
    database.close()


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app)


def test_no_line_holds_an_address_or_a_token(
    cast: Cast, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = cast.browser("owner")
    with owner.client.session_transaction() as cookie:
        session = cookie["_user_id"]
    capsys.readouterr()

    owner.post("/invitations", emails="zoe.secret@example.org", note="a word to zoe")
    owner.get("/users?q=zoe.secret@example.org")
    owner.get("/users?q=zoe.secret%40example.org")
    visitor = Browser(cast.app)
    visitor.open_link(cast.token)
    visitor.sign_in("zoe.secret@example.org", "a password that is wrong")
    for place in ("join", "reports", "reminders", "nowhere"):
        visitor.get(f"/{place}/{cast.token}")
    carry_out("mail:invitation")
    _fail(cast, monkeypatch)
    said = capsys.readouterr().err

    for secret in ("zoe", "example.org", cast.token, cast.token[:12], session, "q=", "password"):
        assert secret not in said, secret
    assert said.count("GET /join/<token> ") == 3
    assert "GET /reports/<token> 404" in said
    assert "(mail:invitation) done" in said
    assert "GET /users 500" in said
    assert "RuntimeError: [address] holds [token]" in said


def _fail(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page goes wrong, then the page that says so goes wrong as well."""
    words = f"zoe.secret@example.org holds {cast.token}"

    def fail(**values: Any) -> Any:
        raise RuntimeError(words)

    for endpoint in ("users.index", "join.open"):
        fail.allows = "public"  # type: ignore[attr-defined]
        monkeypatch.setitem(cast.app.view_functions, endpoint, fail)
    assert cast.browser("owner").get("/users").status_code == 500
    assert Browser(cast.app).get(f"/join/{cast.token}?email=zoe").status_code == 500
    monkeypatch.setattr("webapp.views.errors.shown", fail)
    with pytest.raises((RuntimeError, TypeError)):
        Browser(cast.app).get(f"/join/{cast.token}?email=zoe")
    # What gunicorn says of it then, with the address of the page.
    logging.getLogger("gunicorn").error("Error handling request /join/%s", cast.token)


def test_what_looks_like_an_address_or_a_token_is_taken_out_of_any_line() -> None:
    for text, left in [
        ("to <zoe@example.org>: no such user", "to <[address]>: no such user"),
        ("Key (email)=(zoë.d@exämple.org) exists", "Key (email)=([address]) exists"),
        ("?q=zoe%40example.org&x", "?q=[address]"),
        ("/join/" + "aB-_" * 11, "/join/[token]"),
        ("outbox message 12 (mail:code) done", "outbox message 12 (mail:code) done"),
    ]:
        assert logs.without_secrets(text) == left


@pytest.mark.parametrize("app", ["json"], indirect=True)
def test_a_json_line_says_what_and_for_which_request(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "0123456789abcdef0123456789abcdef"
    answer = Browser(app).get("/help?x=1", headers={"X-Request-ID": name})

    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert answer.headers["X-Request-ID"] == said["request_id"] == name
    assert (said["method"], said["route"], said["status"]) == ("GET", "/help", 200)
    assert (said["level"], said["logger"]) == ("info", "affluent.requests")
    assert said["milliseconds"] > 0
    assert said["time"].endswith("+00:00")


@pytest.mark.parametrize("app", ["plain"], indirect=True)
@pytest.mark.parametrize("name", ["", "short", "a" * 65, "zoe@example.org", "two words", "é" * 9])
def test_another_name_for_a_request_than_a_well_formed_one_is_not_taken(
    app: Flask, name: str
) -> None:
    given = Browser(app).get("/healthz", headers={"X-Request-ID": name}).headers["X-Request-ID"]

    assert given != name
    assert logs.REQUEST_ID.fullmatch(given)


def test_without_a_proxy_nobody_names_requests(tmp_path: Path) -> None:
    app = make_app(fresh_sqlite(tmp_path))
    name = "0123456789abcdef"
    answers = [Browser(app).get("/healthz", headers={"X-Request-ID": name}) for _ in range(2)]

    assert len({name, *(answer.headers["X-Request-ID"] for answer in answers)}) == 3
    database.close()


@pytest.mark.parametrize("app", ["json"], indirect=True)
def test_probes_leave_a_line_only_when_they_fail(
    app: Flask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("/healthz", "/readyz"):
        assert Browser(app).get(path).status_code == 200
    assert capsys.readouterr().err == ""

    monkeypatch.setattr("webapp.migrations.pending", lambda: ["0002_more"])
    assert Browser(app).get("/readyz").status_code == 503
    assert "GET /readyz 503" in capsys.readouterr().err
