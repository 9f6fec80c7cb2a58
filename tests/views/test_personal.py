"""The account page's sessions, the copy of one's data, and erasing it."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.client import Browser, words_of
from tests.failed import failed_refund
from tests.joined import join, make_owned, make_person
from tests.money import ACCEPTED
from tests.people import PASSWORD, make_individual, make_member, membership_of
from webapp.actions import export, sessions
from webapp.models import Refund, Session, User

EMAIL = "solveig@example.org"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def user(app: Flask) -> User:
    return make_individual(EMAIL)


@pytest.fixture
def browser(app: Flask, user: User) -> Browser:
    return Browser(app).sign_in_as(user)


def others(user: User, count: int = 2) -> list[Session]:
    for _ in range(count):
        sessions.start(user, agent=PHONE)
    return [one for one in sessions.of(user) if one.agent == PHONE]


def test_the_account_page_lists_where_one_is_signed_in(user: User, browser: Browser) -> None:
    others(user)
    words = words_of(browser.get("/account"))

    assert words.count("Safari on iPhone") == 2
    assert "A browser this browser" in words
    assert "Sign out everywhere else" in words


@pytest.mark.parametrize("htmx", [False, True])
def test_one_session_ends_and_the_others_go_on(user: User, browser: Browser, htmx: bool) -> None:
    first, second = others(user)
    answer = browser.post(f"/account/sessions/{first.id}/end", htmx=htmx)

    assert answer.status_code == (200 if htmx else 303)
    assert ('hx-target="#sessions"' in answer.text) == htmx
    assert Session.get_by_id(first.id).ended_at == ACCEPTED
    assert Session.get_by_id(second.id).ended_at is None
    assert browser.get("/account").status_code == 200
    assert browser.post(f"/account/sessions/{first.id}/end").status_code == 303


@pytest.mark.parametrize("htmx", [False, True])
def test_all_others_end_and_this_one_goes_on(user: User, browser: Browser, htmx: bool) -> None:
    others(user, 3)
    assert browser.post("/account/sessions/end", htmx=htmx).status_code == (200 if htmx else 303)

    assert len(sessions.of(user)) == 1
    assert "Nowhere else." in words_of(browser.get("/account"))


def test_ones_own_session_ends_by_signing_out(user: User, browser: Browser) -> None:
    (own,) = sessions.of(user)
    answer = browser.post(f"/account/sessions/{own.id}/end")

    assert answer.headers["Location"] == "/sign-in"
    assert browser.get("/account").status_code == 303


def test_somebody_elses_session_looks_like_none(browser: Browser) -> None:
    (theirs,) = others(make_individual("other@example.org"), 1)

    answers = [browser.post(f"/account/sessions/{id}/end") for id in (theirs.id, 4711)]
    assert [one.status_code for one in answers] == [404, 404]
    assert words_of(answers[0]) == words_of(answers[1])
    assert Session.get_by_id(theirs.id).ended_at is None


def test_the_copy_is_for_nobody_to_keep(browser: Browser) -> None:
    answer = browser.get("/account/export.json")

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="affluent.json"'
    assert answer.json is not None
    assert answer.json["person"]["email"] == EMAIL
    assert answer.json["person"]["has_password"] is True
    assert answer.json["sessions"][0]["agent"] == "a test"


def test_the_copy_has_all_that_joining_left(app: Flask) -> None:
    user = make_person(EMAIL)
    join(user, make_owned(), "refund")
    copy = Browser(app).sign_in_as(user).get("/account/export.json").json
    assert copy is not None

    (account,), (acceptance,) = copy["accounts"], copy["acceptances"]
    assert account["payments"][0]["captured_minor"] == 18739
    assert account["subscriptions"][0]["status"] == "ended"
    assert sum(len(one["movements"]) for one in account["ledger"]) > 0
    assert acceptance["settlement"]["gross_minor"] == 4997
    assert acceptance["refunds"][0]["state"] == "held"
    assert copy["statements"][0]["number"] == "R-2026-000001"
    assert [one["account"]["kind"] for one in copy["memberships"]] == ["individual", "organisation"]
    assert copy["invitations"][0]["organisation"] == "Atelier Dumas"
    assert copy["events"][0]["kind"] == "invitation:accepted"


def test_the_copy_holds_nothing_of_others(app: Flask) -> None:
    owner = make_member("owner@example.org", make_owned(), is_admin=True)
    join(make_person(EMAIL), membership_of(owner).account, "refund")
    text = Browser(app).sign_in_as(owner).get("/account/export.json").text

    assert EMAIL not in text
    assert "4997" not in text


def test_every_key_of_the_copy_is_documented(app: Flask) -> None:
    user = make_person(EMAIL)
    join(user, make_owned(), "refund")
    told = (app.root_path + "/../docs/personal-data.md",)
    with open(told[0], encoding="utf-8") as file:
        known = set(re.findall(r"`([a-z0-9_]+)`", file.read()))

    assert keys_of(export.of(user, ACCEPTED)) - known == set()


def keys_of(value: object, inside: str = "") -> set[str]:
    if isinstance(value, list):
        return set().union(*(keys_of(one, inside) for one in value))
    if not isinstance(value, dict) or inside in ("derivation", "inputs", "facts"):
        return set()
    return set(value).union(*(keys_of(inner, name) for name, inner in value.items()))


def test_erasing_says_before_and_after_what_is_kept(app: Flask, browser: Browser) -> None:
    before = words_of(browser.get("/account/erasure"))
    assert "What is erased" in before
    assert "What is kept The record of who did what" in before

    answer = browser.post("/account/erasure")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/erased")
    after = words_of(browser.get("/account/erased"))
    assert "Your data is erased" in after
    assert "What is kept The record of who did what" in after
    assert browser.get("/account").headers["Location"].startswith("/sign-in")
    assert Browser(app).sign_in(EMAIL, PASSWORD).status_code == 422
    assert Browser(app).get("/account/erased").headers["Location"] == "/sign-in"


def test_an_old_proof_is_asked_for_again(
    browser: Browser, user: User, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(minutes=6))
    shown = browser.get("/account/erasure")
    assert "One more check: is it you?" in words_of(shown)
    assert 'action="/account/erasure"' not in shown.text

    assert browser.post("/account/erasure").status_code == 409
    assert User.get_by_id(user.id).email == EMAIL
    back = browser.sign_in(EMAIL, PASSWORD, then="erasure")
    assert back.headers["Location"] == "/account/erasure"
    assert 'action="/account/erasure"' in browser.get("/account/erasure").text


def test_what_stands_in_the_way_has_its_next_step(app: Flask) -> None:
    member = make_member("member@example.org", make_owned())
    browser = Browser(app).sign_in_as(member)
    shown = browser.get("/account/erasure")

    assert 'href="/account/departure"' in shown.text
    assert 'action="/account/erasure"' not in shown.text
    answer = browser.post("/account/erasure")
    assert answer.status_code == 409
    assert "Nothing was erased" in words_of(answer)


def test_a_refund_that_failed_is_not_said_to_be_on_its_way(app: Flask) -> None:
    user, refund = failed_refund()
    User.update(locale="en").where(User.id == user.id).execute()
    browser = Browser(app).sign_in_as(user)
    assert "A refund of €49.97 to you has failed" in words_of(browser.get("/account/erasure"))
    Refund.update(state="pending").where(Refund.id == refund.id).execute()

    assert "€49.97 is on its way to you" in words_of(browser.get("/account/erasure"))


def test_a_plan_with_days_left_is_given_up_by_a_tick(app: Flask) -> None:
    user = make_person("plan@example.org")
    User.update(locale="en").where(User.id == user.id).execute()
    browser = Browser(app).sign_in_as(user)
    shown = browser.get("/account/erasure")
    assert "It is paid until 1 December 2026" in words_of(shown)
    assert "checked" not in shown.text

    untold = browser.post("/account/erasure")
    assert untold.status_code == 422
    assert "Tick this if you want to erase your data now." in words_of(untold)
    assert User.get_by_id(user.id).email == "plan@example.org"
    told = browser.post("/account/erasure", gives_up="yes")
    assert told.headers["Location"] == "/account/erased"
