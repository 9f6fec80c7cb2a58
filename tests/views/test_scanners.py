"""What mail scanners do to every link that they find, by five habits: nothing changes (rule J1)."""

import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.client import Browser
from tests.people import Cast, make_cast, membership_of, on_the_day
from tests.snapshots import everything
from webapp import clock
from webapp.actions import invitations
from webapp.models import Invitation

LINK = re.compile(r'<a [^>]*href="([^"]+)"')
Habit = Callable[[FlaskClient, str], None]


@pytest.fixture(autouse=True)
def _day() -> Iterator[None]:
    with on_the_day():
        yield


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app)


def gets(client: FlaskClient, address: str) -> None:
    for _ in range(20):
        client.get(address, follow_redirects=True)


def asks_for_the_head(client: FlaskClient, address: str) -> None:
    for _ in range(20):
        client.head(address, follow_redirects=True)


def prefetches(client: FlaskClient, address: str) -> None:
    for headers in ({"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}):
        client.get(address, headers=headers, follow_redirects=True)


def mutates_the_query(client: FlaskClient, address: str) -> None:
    for query in ("?x=1", "?choice=credit&quote=x", "?licence=basic", "?_method=POST", "?%00=%ff"):
        client.get(address + query, follow_redirects=True)
    client.get(address[:-1], follow_redirects=True)
    client.get(address.swapcase(), follow_redirects=True)


def clicks_every_link(client: FlaskClient, address: str) -> None:
    """As a headless browser does, and no button; two clicks deep."""
    seen = set()
    pages = [client.get(address, follow_redirects=True)]
    for _ in range(2):
        found = {unescape(href) for page in pages for href in LINK.findall(page.text)}
        new = {href for href in found if href.startswith("/")} - seen
        seen |= new
        pages = [client.get(href, follow_redirects=True) for href in sorted(new)]
    assert seen


HABITS: tuple[Habit, ...] = (
    gets, asks_for_the_head, prefetches, mutates_the_query, clicks_every_link,
)  # fmt: skip


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
@pytest.mark.parametrize("state", ["live", "expired", "replaced", "revoked", "declined"])
def test_a_scanner_changes_nothing(cast: Cast, state: str, habit: Habit) -> None:
    end(cast, state)
    before = everything()

    habit(cast.app.test_client(), f"/join/{cast.token}")
    habit(cast.app.test_client(use_cookies=False), f"/join/{cast.token}")

    assert everything() == before


def end(cast: Cast, state: str) -> None:
    owner = membership_of(cast.users["owner"])
    if state == "expired":
        Invitation.update(expires_at=clock.now()).execute()
    elif state == "replaced":
        invitations.resend(owner, cast.invitation.id)
    elif state == "revoked":
        invitations.revoke(owner, cast.invitation.id)
    elif state == "declined":
        invitations.decline(cast.invitation, "")


def test_the_link_still_works_after_all_scanners(cast: Cast) -> None:
    for habit in HABITS:
        habit(cast.app.test_client(), f"/join/{cast.token}")
    browser = Browser(cast.app).sign_in_as(cast.users["invitee"])

    assert 'action="/join/acceptance"' in browser.open_link(cast.token).text
