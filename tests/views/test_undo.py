"""Undoing, sending at once and handing over a failed refund, from the result page (J14, M7)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Browser, words_of
from tests.failed import failed_refund, seller, tried
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED, make_account, make_user
from webapp.actions import failed_refunds, ledger, refunds, statements, undo
from webapp.models import Acceptance, CreditLot, Membership, Refund, Session, Statement, User
from webapp.payments.simulated import SimulatedGateway

CLOSED = ACCEPTED + timedelta(hours=24)


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


def browser_of(app: Flask, user: User) -> Browser:
    User.update(locale="en").where(User.id == user.id).execute()
    return Browser(app).sign_in_as(user)


def test_the_account_tells_a_cancellation_from_what_it_cancels(app: Flask) -> None:
    user = make_person()
    join(user, make_owned(), "refund")
    browser = browser_of(app, user)
    assert "23 November 2026, €49.97" in words_of(browser.get("/account"))
    browser.post("/join/undo")
    words = words_of(browser.get("/account"))
    assert "R-2026-000002 , 23 November 2026, −€49.97 cancellation" in words
    assert "R-2026-000001 , 23 November 2026, €49.97 All statements" in words


def test_the_page_says_until_when_and_undoes(app: Flask) -> None:
    user = make_person()
    join(user, make_owned(), "refund")
    browser = browser_of(app, user)
    shown = browser.get("/join")
    assert "Until 24 November 2026 at 10:15" in words_of(shown)

    answer = browser.post("/join/undo")

    assert (answer.status_code, answer.location) == (303, "/join")
    page = browser.get("/join")
    assert page.status_code == 200
    assert "You are back on your own account" in words_of(page)
    assert 'action="/join/undo"' not in page.text
    assert Acceptance.get().undone_at == ACCEPTED


def test_both_statements_are_on_the_page_once_undone(app: Flask) -> None:
    user = make_person()
    join(user, make_owned(), "refund")
    browser = browser_of(app, user)
    browser.post("/join/undo")

    assert "R-2026-000001" in words_of(browser.get("/join"))
    for statement in Statement.select():
        statements.render(statement.id)
    page = browser.get("/join")
    assert "Statement R-2026-000001 (PDF) Cancelling statement R-2026-000002 (PDF)" in words_of(
        page
    )
    # The parts of a button stand beside each other: its words are one of them, their number too.
    number = '<span class="nowrap">R-2026-000002</span>'
    assert f"</svg><span>Cancelling statement {number} (PDF)</span></a>" in page.text


def test_a_second_press_shows_the_same(app: Flask) -> None:
    user = make_person()
    join(user, make_owned(), "credit")
    browser = browser_of(app, user)

    assert [browser.post("/join/undo").status_code for _ in range(3)] == [303] * 3
    assert browser.get("/join").status_code == 200


def test_too_late_is_said_and_nothing_changes(app: Flask, clock: time_machine.Traveller) -> None:
    user = make_person()
    join(user, make_owned(), "refund")
    clock.move_to(CLOSED)

    answer = browser_of(app, user).post("/join/undo")

    assert answer.status_code == 409
    assert "It is too late to undo" in words_of(answer)
    assert Acceptance.get().undone_at is None


def test_who_has_gone_to_another_organisation_reads_so(app: Flask) -> None:
    user = make_person()
    acceptance = join(user, make_owned(), "refund")
    acceptance.membership.end(ACCEPTED)
    Membership.create(user=user, account=make_owned("Maison Petit"), joined_at=ACCEPTED)

    answer = browser_of(app, user).post("/join/undo")

    assert answer.status_code == 409
    assert "have moved on since" in words_of(answer)


def test_the_last_owner_reads_what_to_do(app: Flask) -> None:
    user = make_person()
    acceptance = join(user, organisation := make_owned(), "refund")
    Membership.update(is_owner=Membership.id == acceptance.membership_id).where(
        Membership.account == organisation
    ).execute()

    answer = browser_of(app, user).post("/join/undo")

    assert answer.status_code == 409
    assert "hand the ownership over" in words_of(answer)


def test_sending_now_takes_the_forms_away(app: Flask) -> None:
    user = make_person()
    join(user, make_owned(), "refund")
    browser = browser_of(app, user)

    assert browser.post("/join/confirmation").location == "/join"
    page = browser.get("/join")
    assert 'action="/join/undo"' not in page.text
    assert browser.post("/join/undo").status_code == 409
    assert Acceptance.get().undo_until == ACCEPTED


def test_sending_what_was_undone_is_refused(app: Flask) -> None:
    user = make_person()
    join(user, make_owned(), "refund")
    browser = browser_of(app, user)
    browser.post("/join/undo")

    assert browser.post("/join/confirmation").status_code == 409
    assert Refund.get().state == "canceled"


@pytest.mark.parametrize("path", ["/join/undo", "/join/confirmation", "/join/credit"])
def test_who_never_joined_has_nothing_here(app: Flask, path: str) -> None:
    acceptance = join(make_person(), make_owned(), "refund")
    other = make_user("other@example.org", make_account(), is_owner=True)

    answer = browser_of(app, other).post(path, refund=str(Refund.get().id))

    assert answer.status_code == 404
    assert Acceptance.get_by_id(acceptance.id).is_held(ACCEPTED)


@pytest.mark.parametrize("path", ["/join/undo", "/join/confirmation", "/join/credit"])
def test_nobody_decides_without_signing_in(app: Flask, path: str) -> None:
    join(make_person(), make_owned(), "refund")

    assert Browser(app).post(path, refund=str(Refund.get().id)).status_code == 303
    assert Acceptance.get().is_held(ACCEPTED)


def test_a_failed_refund_is_handed_over_by_one_press(app: Flask) -> None:
    user, refund = failed_refund()
    browser = browser_of(app, user)
    assert 'action="/join/credit"' in browser.get("/join").text

    answer = browser.post("/join/credit", refund=str(refund.id))

    assert (answer.status_code, CreditLot.get().amount_minor) == (303, 4997)
    page = browser.get("/join")
    assert "Now credit of Atelier Dumas" in words_of(page)
    assert 'action="/join/credit"' not in page.text
    assert ledger.check() == []


def test_handing_over_asks_for_a_proof_that_is_fresh(app: Flask) -> None:
    user, refund = failed_refund()
    browser = browser_of(app, user)
    browser.csrf()
    Session.update(proven_at=ACCEPTED - timedelta(minutes=6)).execute()

    answer = browser.post("/join/credit", refund=str(refund.id))

    assert answer.status_code == 409
    assert "One more check: is it you?" in words_of(answer)
    assert (tried(refund).state, CreditLot.select().count()) == ("failed", 0)


def test_a_refund_that_leaves_again_is_handed_over_no_more(app: Flask) -> None:
    user, refund = failed_refund()
    browser = browser_of(app, user)
    browser.get("/join")
    failed_refunds.try_again(seller(), refund.id)
    answer = browser.post("/join/credit", refund=str(refund.id))

    assert answer.status_code == 409
    assert "on its way again" in words_of(answer)
    assert not CreditLot.select().exists()


@pytest.mark.parametrize("state", ["failed", "succeeded"])
def test_somebody_elses_refund_looks_like_none(app: Flask, state: str) -> None:
    _, refund = failed_refund()
    Refund.update(state=state).execute()
    other = make_person("other@example.org")
    join(other, make_owned("Maison Petit"), "credit")
    browser = browser_of(app, other)

    answers = [browser.post("/join/credit", refund=str(at)) for at in (refund.id, 4711)]

    assert [one.status_code for one in answers] == [404, 404]
    assert words_of(answers[0]) == words_of(answers[1])


@pytest.mark.parametrize("given", ["", "x", "-1", "9" * 30, "²", "1.0"])
def test_what_is_no_refund_is_not_there(app: Flask, given: str) -> None:
    user, _ = failed_refund()

    assert browser_of(app, user).post("/join/credit", refund=given).status_code == 404


def test_after_undoing_and_joining_anew_the_new_one_is_undone(app: Flask) -> None:
    user, organisation = make_person(), make_owned()
    first = join(user, organisation, "refund")
    undo.undo(user, first.id)
    second = join(user, organisation, "credit")

    browser_of(app, user).post("/join/undo")

    assert Acceptance.get_by_id(second.id).undone_at == ACCEPTED
    assert ledger.check() == []


def test_the_banks_reference_is_shown_once_there_is_one(
    app: Flask, clock: time_machine.Traveller
) -> None:
    user = make_person()
    acceptance = join(user, make_owned(), "refund")
    undo.send_now(user, acceptance.id)
    (share,) = settlement_of(acceptance).shares
    refund = Refund.get(Refund.share == share)
    refunds.request(refund.id, SimulatedGateway())
    clock.shift(30)
    refunds.follow(refund.id, SimulatedGateway())

    assert f"Bank reference: {tried(refund).bank_reference}" in words_of(
        browser_of(app, user).get("/join")
    )


def polled(browser: Browser, etag: str = "") -> TestResponse:
    headers = {"If-None-Match": etag} if etag else {}
    return browser.get("/join", htmx=True, headers=headers)


def test_a_page_that_looks_again_is_told_when_nothing_is_new(
    app: Flask, clock: time_machine.Traveller
) -> None:
    user = make_person()
    acceptance = join(user, make_owned(), "refund")
    browser = browser_of(app, user)
    browser.csrf()
    first = polled(browser)
    etag = first.headers["ETag"]
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "private, no-cache")

    clock.shift(60)  # another CSRF field and another time left are no news
    assert polled(browser, etag).status_code == 304
    undo.send_now(user, acceptance.id)
    after = polled(browser, etag)

    assert after.status_code == 200
    assert after.headers["ETag"] != etag
    assert 'action="/join/undo"' not in after.text


def test_the_banks_reference_is_news(app: Flask) -> None:
    user = make_person()
    undo.send_now(user, join(user, make_owned(), "refund").id)
    browser = browser_of(app, user)
    etag = polled(browser).headers["ETag"]
    Refund.update(state="succeeded", bank_reference="7403 8812").execute()

    after = polled(browser, etag)
    assert after.status_code == 200
    assert "Bank reference: 7403 8812" in words_of(after)
    assert "data-poll" in after.text  # the statement is not rendered yet


def test_another_session_has_its_own_fragment(app: Flask) -> None:
    """Its forms carry that session's CSRF field."""
    user = make_person()
    join(user, make_owned(), "refund")
    etags = {polled(browser_of(app, user)).headers["ETag"] for _ in range(2)}

    assert len(etags) == 2


@pytest.mark.parametrize("has_password", [True, False])
def test_the_page_says_how_to_sign_in(app: Flask, has_password: bool) -> None:
    user = make_person()
    User.update(password_hash="x" if has_password else None).where(User.id == user.id).execute()
    join(user, make_owned(), "refund")

    words = words_of(browser_of(app, user).get("/join"))
    assert ("the same password" in words) == has_password
    assert ("a code that we email you" in words) == (not has_password)


def test_the_page_says_when_the_money_arrives(app: Flask) -> None:
    user = make_person()
    join(user, make_owned(), "refund")

    words = words_of(browser_of(app, user).get("/join"))
    assert "usually between 1 December 2026 and 8 December 2026" in words
    assert "Time left: 24 h 00 min" in words
