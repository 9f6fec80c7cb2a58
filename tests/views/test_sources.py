"""From where guesses are counted: what a visitor writes into a header is no other source."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.apps import make_app
from tests.client import Browser
from webapp.actions import sign_in
from webapp.database import database
from webapp.security import source

NEAR = "192.0.2.1"


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "FROM_SOURCE", 3)


@pytest.fixture
def behind(database_url: str) -> Iterator[Flask]:
    """The app behind one proxy."""
    app = make_app(database_url, trusted_proxies=1)
    with app.app_context():
        yield app
    database.close()


def guesses(app: Flask, told: list[dict[str, str]], near: str = NEAR) -> list[int]:
    """The statuses of one wrong password with each of these headers, from one neighbour, each
    time for another address and in another browser."""
    statuses = []
    for at, headers in enumerate(told):
        browser = Browser(app)
        fields = {"csrf_token": browser.csrf(), "email": f"p{at}@example.org", "password": "wrong"}
        answer = browser.client.post(
            "/sign-in", data=fields, headers=headers, environ_overrides={"REMOTE_ADDR": near}
        )
        statuses.append(answer.status_code)
    return statuses


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP"])
def test_without_a_proxy_headers_make_no_other_source(app: Flask, name: str) -> None:
    told = [{name: f"198.51.100.{at}"} for at in range(5)]

    assert guesses(app, told) == [422, 422, 422, 429, 429]


@pytest.mark.usefixtures("few")
def test_behind_a_proxy_only_what_the_proxy_wrote_counts(behind: Flask) -> None:
    forged = [{"X-Forwarded-For": f"198.51.100.{at}, 203.0.113.7"} for at in range(5)]

    assert guesses(behind, forged) == [422, 422, 422, 429, 429]
    assert guesses(behind, [{"X-Forwarded-For": "198.51.100.0, 203.0.113.8"}]) == [422]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:eeee:dddd:cccc", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("no address", "no address"),
        ("x" * 5000, "x" * 64),
        ("", "unknown"),
    ],
)
def test_a_network_of_one_subscriber_is_one_source(app: Flask, address: str, name: str) -> None:
    with app.test_request_context(environ_overrides={"REMOTE_ADDR": address}):
        assert source() == name
