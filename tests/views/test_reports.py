"""The page behind a mail's link to report it, and the operator's list of reports."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.client import Browser, words_of
from tests.people import Cast, make_cast, on_the_day
from tests.snapshots import everything
from webapp.actions import reporting
from webapp.models import Invitation


@pytest.fixture(autouse=True)
def _day() -> Iterator[None]:
    with on_the_day():
        yield


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app)


def address(cast: Cast) -> str:
    return f"/reports/{reporting.token_of(cast.invitation)}"


def test_opening_the_link_changes_nothing_and_names_no_address(cast: Cast) -> None:
    before = everything()
    browser = Browser(cast.app)

    for _ in range(3):
        page = browser.get(address(cast))
        browser.head(address(cast))

    assert page.status_code == 200
    assert "Report the invitation of Atelier Dumas" in words_of(page)
    assert "zoe@example.org" not in page.text
    assert everything() == before


def test_a_report_and_its_taking_back_are_one_press_each(cast: Cast) -> None:
    browser = Browser(cast.app)
    answer = browser.post(address(cast), words="<b>Not me</b>")
    assert (answer.status_code, answer.location) == (303, address(cast))
    page = browser.get(address(cast))
    assert "can no longer invite this address" in words_of(page)
    answer = browser.post(f"{address(cast)}/withdrawal")
    assert answer.status_code == 303
    assert f'action="{address(cast)}"' in browser.get(address(cast)).text
    assert Invitation.get_by_id(cast.invitation.id).status == "declined"


def test_it_works_without_cookies(cast: Cast) -> None:
    bare = cast.app.test_client(use_cookies=False)
    assert bare.post(address(cast), data={"words": "no"}).status_code == 303
    assert Invitation.get_by_id(cast.invitation.id).reported_at is not None


@pytest.mark.parametrize("role", ["link holder", "invitee"])
def test_the_invitations_page_leads_there(cast: Cast, role: str) -> None:
    browser = cast.browser(role)
    assert f'href="{address(cast)}"' in browser.get("/join").text
    browser.post("/join/decline")
    assert f'href="{address(cast)}"' in browser.get("/join").text


def test_somebody_else_is_not_led_there(cast: Cast) -> None:
    assert "/reports/" not in cast.browser("other invitee").get("/join").text


def test_the_operator_sees_reports_and_says_when_they_are_seen_to(cast: Cast) -> None:
    reporting.report(reporting.token_of(cast.invitation), "<b>Who</b> are they?")
    browser = cast.browser("operator")
    page = browser.get("/billing")
    words = words_of(page)
    assert "<b>Who</b> are they?" in words
    assert "zoe@example.org" in words
    assert "hugo@dumas.example" in words
    answer = browser.post(f"/billing/reports/{cast.invitation.id}/seen")
    assert answer.location == "/billing"
    assert "No invitation was reported." in words_of(browser.get("/billing"))
