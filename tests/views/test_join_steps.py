"""Showing who one is, and waiting for what stands in the way, without losing the page."""

from datetime import timedelta
from typing import Any

import pytest

from tests.client import Browser, field_of, words_of
from tests.people import (
    PASSWORD,
    Cast,
    invite,
    link_of,
    membership_of,
    written,
)
from webapp import clock
from webapp.actions import codes, invitations, invoices
from webapp.models import Membership, Session, SignInCode


def drawn_code() -> str:
    return codes.draw(SignInCode.select().order_by(SignInCode.id.desc()).get())


def owe(cast: Cast) -> Any:
    account = membership_of(cast.users["invitee"]).account
    invoices.add(account, "F-77", issued_on=None, due_on=None, total_minor=3000)
    return account


def test_a_wrong_password_keeps_the_invitations_page(cast: Cast) -> None:
    browser = cast.browser("link holder")
    page = browser.sign_in("zoe@example.org", "wrong", then="join")
    assert page.status_code == 422
    words = words_of(page)
    assert "Join Atelier Dumas" in words
    assert "hugo@dumas.example" in words
    assert "do not go together" in words


def test_whoever_is_signed_in_is_told_of_the_password_alone(cast: Cast) -> None:
    """Their proof asks for no address."""
    page = cast.browser("invitee").sign_in("zoe@example.org", "wrong", then="join")
    assert page.status_code == 422
    assert "This is not your password." in words_of(page)
    assert "do not go together" not in words_of(page)


def test_a_code_is_asked_for_and_typed_on_the_invitations_page(cast: Cast) -> None:
    browser = cast.browser("link holder")
    page = browser.post("/sign-in/code", then="join")
    assert page.status_code == 200
    assert "Join Atelier Dumas" in words_of(page)
    assert 'name="code"' in page.text
    assert "zoe@example.org" not in page.text
    assert 'name="code"' in browser.get("/join").text
    wrong = browser.post("/sign-in/code", then="join", code="x")
    assert wrong.status_code == 422
    assert "This is not the code" in words_of(wrong)
    answer = browser.post("/sign-in/code", then="join", code=drawn_code())
    assert answer.location == "/join"
    assert "/join/acceptance" in browser.get("/join").text


def test_the_field_for_a_code_goes_when_the_code_has_ended(cast: Cast, day: Any) -> None:
    browser = cast.browser("link holder")
    browser.post("/sign-in/code", then="join")
    day.shift(timedelta(minutes=10))
    assert 'name="code"' not in browser.get("/join").text
    late = browser.post("/sign-in/code", then="join", code="123456")
    assert "no longer works" in words_of(late)


def test_a_code_for_another_address_is_not_taken_for_the_invited_one(cast: Cast) -> None:
    browser = Browser(cast.app)
    browser.post("/sign-in/code", email="claire@dumas.example")
    page = browser.open_link(cast.token)
    assert 'name="code"' not in page.text


def test_with_htmx_each_step_stands_where_the_last_one_was(cast: Cast) -> None:
    browser = cast.browser("link holder")
    for answer in (
        browser.post("/sign-in", True, then="join", email="zoe@example.org", password="no"),
        browser.post("/sign-in/code", True, then="join"),
        browser.post("/sign-in/code", True, then="join", code="x"),
    ):
        assert answer.text.strip().startswith('<div id="ways">')
    done = browser.post("/sign-in/code", True, then="join", code=drawn_code())
    assert done.headers["HX-Redirect"] == "/join"


def test_a_step_on_a_page_that_died_meanwhile_loads_what_it_has_become(cast: Cast) -> None:
    browser = cast.browser("link holder")
    browser.csrf()
    invitations.revoke(membership_of(cast.users["owner"]), cast.invitation.id)
    for path in ("/sign-in", "/sign-in/code"):
        answer = browser.post(path, True, then="join", email="zoe@example.org", password="no")
        assert answer.headers["HX-Redirect"] == "/join"


def test_the_proof_for_credit_keeps_the_choice_and_asks_for_no_address(
    cast: Cast, day: Any
) -> None:
    browser = cast.browser("invitee")
    Session.update(proven_at=clock.now() - timedelta(minutes=6)).execute()
    quote = field_of(browser.get("/join"), "quote")
    page = browser.post("/join/acceptance", choice="credit", quote=quote)
    assert page.status_code == 409
    assert 'type="email"' not in page.text
    assert browser.sign_in("zoe@example.org", "wrong", then="join").status_code == 422
    proven = browser.sign_in("zoe@example.org", PASSWORD, then="join")
    assert proven.location == "/join"
    page = browser.get("/join")
    assert "Your choice is kept" in words_of(page)
    assert page.text.count(" checked") == 1
    assert browser.post("/join/acceptance", choice="credit", quote=quote).status_code == 303


def test_a_waiting_page_is_told_nothing_while_nothing_changed(cast: Cast) -> None:
    account = owe(cast)
    browser = cast.browser("invitee")
    assert 'hx-get="/join/offer"' in browser.get("/join").text
    first = browser.get("/join/offer", htmx=True)
    assert "F-77" in words_of(first)
    etag = {"If-None-Match": first.headers["ETag"]}
    assert browser.get("/join/offer", htmx=True, headers=etag).status_code == 304
    invoices.mark_paid(account, "F-77")
    opened = browser.get("/join/offer", htmx=True, headers=etag)
    assert opened.status_code == 200
    assert opened.text.strip().startswith('<div id="offer"')
    assert 'action="/join/acceptance"' in opened.text
    assert "hx-get" not in opened.text
    form = {"choice": "refund", "quote": field_of(opened, "quote")}
    assert browser.post("/join/acceptance", **form).status_code == 303
    assert written()["acceptances"] == 1


def test_a_resting_invitation_opens_up_by_itself(cast: Cast) -> None:
    inviter = Membership.user == cast.users["admin"]
    Membership.update(is_admin=False).where(inviter).execute()
    browser = cast.browser("invitee")
    assert 'hx-get="/join/offer"' in browser.get("/join").text
    Membership.update(is_admin=True).where(inviter).execute()
    opened = browser.get("/join/offer", htmx=True)
    assert 'action="/join/acceptance"' in opened.text


@pytest.mark.parametrize("change", ["revoked", "signed out", "accepted"])
def test_a_waiting_page_loads_anew_what_it_has_become(cast: Cast, change: str) -> None:
    account = owe(cast)
    browser = cast.browser("invitee")
    browser.get("/join")
    if change == "revoked":
        invitations.revoke(membership_of(cast.users["owner"]), cast.invitation.id)
    elif change == "signed out":
        Session.update(ended_at=clock.now()).execute()
    else:
        invoices.mark_paid(account, "F-77")
        other = cast.browser("invitee")
        quote = field_of(other.get("/join"), "quote")
        other.post("/join/acceptance", choice="refund", quote=quote)
    answer = browser.get("/join/offer", htmx=True)
    assert answer.headers["HX-Redirect"] == "/join"


def test_a_link_is_opened_on_one_device_and_answered_on_another(cast: Cast) -> None:
    laptop, phone = cast.browser("invitee"), Browser(cast.app)
    form = {"choice": "refund", "quote": field_of(laptop.get("/join"), "quote")}
    phone.open_link(cast.token)
    phone.sign_in("zoe@example.org", PASSWORD, then="join")
    phone.post("/join/acceptance", choice="refund", quote=field_of(phone.get("/join"), "quote"))
    late = laptop.post("/join/acceptance", **form)
    assert late.status_code == 303
    assert "/sign-in" in late.location
    back = laptop.sign_in("zoe@example.org", PASSWORD, then="join")
    assert back.location == "/join"
    assert "R-2026-000001" in words_of(laptop.get("/join"))
    assert written()["acceptances"] == 1


def test_whoever_is_signed_in_as_somebody_else_switches_and_loses_nothing(cast: Cast) -> None:
    browser = Browser(cast.app).sign_in_as(cast.users["member"])
    page = browser.open_link(link_of(invite(cast.users["owner"], "nina@example.org")))
    assert "paul@dumas.example" in words_of(page)
    assert "nina@example.org" not in page.text
    assert browser.post("/sign-out", then="join").location == "/join"
    page = browser.get("/join")
    assert "Activate your account" in words_of(page)
