"""Looking changes nothing: GET and HEAD, by anybody, as often as they like (rule J1)."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from tests.client import Browser
from tests.money import ACCEPTED
from tests.people import ROLES, Cast, make_cast, on_the_day
from tests.snapshots import everything
from tests.views.test_access import address_of, draft, invoice, keep_mail, routes
from webapp.actions import joining, quotes, sessions
from webapp.models import Session

QUERIES = (
    "",
    "?status=pending&q=zo&role=admin&licence=basic&after=1~member~1",
    "?confirmed=yes&emails=a@example.org&choice=refund&quote=x&_method=POST&code=123456",
    "?kind=refund&from=2026-01-01&to=nonsense&q=%00&after=R-2026-000001&then=join",
)


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with on_the_day():
        yield


@pytest.fixture
def cast(app: Flask) -> Cast:
    keep_mail()
    cast = make_cast(app)
    draft(cast)
    invoice(cast)
    return cast


@pytest.mark.parametrize("role", ROLES)
def test_looking_at_every_page_changes_nothing(cast: Cast, role: str) -> None:
    browser = cast.browser(role)
    before = everything()

    # Later, so that the session's last-seen time is written anew.
    with time_machine.travel(ACCEPTED + sessions.SEEN_EVERY, tick=False):
        for endpoint, method in sorted(routes(cast.app)):
            if method != "GET":
                continue
            address = address_of(cast.app, endpoint, cast)
            assert browser.head(address).status_code < 500
            for query in QUERIES:
                assert browser.get(address + query).status_code < 500
                assert browser.get(address + query, htmx=True).status_code < 500

    assert everything() == before
    if role in cast.users:
        assert Session.select().where(Session.last_seen_at > ACCEPTED).exists()


def test_looking_after_joining_changes_nothing(cast: Cast) -> None:
    join(cast)
    browser = Browser(cast.app).sign_in_as(cast.users["invitee"])
    browser.open_link(cast.token)
    before = everything()

    for _ in range(3):
        assert browser.get("/join").status_code == 200
        assert browser.head("/join").status_code == 200
        assert browser.get("/statements/R-2026-000001.pdf").status_code == 503

    assert everything() == before


def join(cast: Cast) -> None:
    offered = quotes.current(cast.membership("invitee").account, ACCEPTED)
    assert offered is not None
    token = quotes.sign(offered, cast.invitation)
    joining.accept(cast.invitation.id, cast.session("invitee"), "refund", token)


@pytest.mark.parametrize("role", ["nobody", "invitee", "foreign owner"])
def test_a_mail_scanner_may_open_the_link_as_often_as_it_likes(cast: Cast, role: str) -> None:
    browser = Browser(cast.app)
    if role in cast.users:
        browser.sign_in_as(cast.users[role])
    before = everything()

    for at in range(20):
        ending = ("", "?utm_source=mail", "?token=x&accept=1", "/", ".")[at % 5]
        browser.get(f"/join/{cast.token}{ending}", follow_redirects=True)
        browser.head(f"/join/{cast.token}{ending}")
        browser.get(f"/join/{cast.token}", htmx=True)
        browser.get("/join?choice=credit", htmx=True)

    assert everything() == before
    assert browser.open_link(cast.token).status_code == 200


def test_an_anonymous_visitor_has_no_row(cast: Cast) -> None:
    before = everything()
    browser = Browser(cast.app)

    browser.get("/sign-in")
    browser.open_link(cast.token)
    browser.get("/nowhere")

    assert everything() == before
