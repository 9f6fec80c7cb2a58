"""The badge's poll is answered before a request is made of it, and notices at once whatever changed
about who asks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.signals import request_started

from tests.client import Browser
from tests.people import Cast, make_cast, membership_of, on_the_day
from webapp import clock
from webapp.database import database
from webapp.models import Membership, Session, User

BADGE = "/invitations/badge"


@pytest.fixture
def cast(app: Flask) -> Any:
    with on_the_day():
        yield make_cast(app)


@pytest.fixture
def known(cast: Cast) -> dict[str, str]:
    """What a window that shows the badge asks with."""
    return {"If-None-Match": cast.browser("owner").get(BADGE).headers["ETag"]}


def change_session(cast: Cast, **changes: Any) -> None:
    Session.update(changes).where(Session.user == cast.users["owner"]).execute()


def change_membership(cast: Cast, **changes: Any) -> None:
    own = membership_of(cast.users["owner"])
    Membership.update(changes).where(Membership.id == own.id).execute()


def poll(browser: Browser, known: dict[str, str]) -> tuple[int, int]:
    """The status, and how many requests were made of it."""
    begun: list[Any] = []

    def note(_app: Flask, **_more: Any) -> None:
        begun.append(1)

    with request_started.connected_to(note):
        answer = browser.get(BADGE, htmx=True, headers=known)
    return answer.status_code, len(begun)


def test_a_poll_asks_the_database_once(
    cast: Cast, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, asked, run = cast.browser("owner"), list[str](), database.obj.execute_sql

    def counted(sql: str, params: Any = None) -> Any:
        asked.append(sql)
        return run(sql, params)

    monkeypatch.setattr(database.obj, "execute_sql", counted)

    assert poll(owner, known) == (304, 0)
    assert len(asked) == 1


def test_a_poll_takes_no_request(cast: Cast, known: dict[str, str]) -> None:
    owner = cast.browser("owner")

    answer = owner.get(BADGE, headers=known)

    assert poll(owner, known) == (304, 0)
    assert poll(owner, {"If-None-Match": f"W/{known['If-None-Match']}"}) == (304, 0)
    assert answer.headers["ETag"] == known["If-None-Match"]
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Set-Cookie" not in answer.headers
    assert poll(owner, {"If-None-Match": '"another"'}) == (200, 0)


def test_the_poll_and_the_request_answer_the_same(app: Flask, cast: Cast) -> None:
    owner = cast.browser("owner")
    quick = owner.get(BADGE)
    change_session(cast, last_seen_at=clock.now() - timedelta(minutes=6))
    ordinary = owner.get(BADGE)

    assert quick.text == ordinary.text
    for name, value in quick.headers:
        assert name == "Vary" or ordinary.headers[name] == value, name


CHANGES: dict[str, tuple[Callable[[Cast], Any], int]] = {
    # htmx is sent to sign in by a header of a 200.
    "signed out": (lambda cast: change_session(cast, ended_at=clock.now()), 200),
    "expired": (lambda cast: change_session(cast, expires_at=clock.now()), 200),
    "long idle": (
        lambda cast: change_session(cast, last_seen_at=clock.now() - timedelta(days=15)),
        200,
    ),
    "no admin any more": (lambda cast: change_membership(cast, is_owner=False), 403),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed_at_once(cast: Cast, known: dict[str, str], what: str) -> None:
    change, status = CHANGES[what]
    owner = cast.browser("owner")
    assert poll(owner, known) == (304, 0)

    change(cast)

    assert poll(owner, known) == (status, 1)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_another_language_is_another_fragment(
    cast: Cast, known: dict[str, str], engine: str
) -> None:
    owner = cast.browser("owner")
    User.update(locale="fr").where(User.id == cast.users["owner"].id).execute()

    answer = owner.get(BADGE, headers=known)

    assert answer.status_code == 200
    assert "Invitations en attente" in answer.text


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_use_of_the_session_is_still_remembered(
    cast: Cast, known: dict[str, str], engine: str
) -> None:
    owner, before = cast.browser("owner"), clock.now() - timedelta(minutes=6)
    change_session(cast, last_seen_at=before)

    assert poll(owner, known) == (304, 1)
    seen = [each.last_seen_at > before for each in Session.select()]
    assert True in seen


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("cookie", ["affluent=nonsense", "affluent=", "other=1", ""])
def test_no_cookie_of_ours_is_nobodys(
    app: Flask, cast: Cast, known: dict[str, str], engine: str, cookie: str
) -> None:
    client = app.test_client(use_cookies=False)

    answer = client.get(BADGE, headers={**known, "Cookie": cookie})

    assert answer.status_code == 303


@pytest.mark.parametrize("engine", ["sqlite"])
def test_another_hosts_poll_is_refused(cast: Cast, known: dict[str, str], engine: str) -> None:
    asked = {**known, "Host": "elsewhere.example"}

    assert cast.browser("owner").get(BADGE, headers=asked).status_code == 400
