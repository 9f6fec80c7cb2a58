"""Signing in by password and by mailed code, and what ends a session."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from pwdlib.hashers.bcrypt import BcryptHasher

from tests.client import Browser, words_of
from tests.people import PASSWORD, Cast, invite, link_of, make_individual
from webapp import clock
from webapp.actions import codes
from webapp.models import OutboxMessage, Session, SignInCode, User


def drawn_code() -> str:
    """The digits of the newest mail, as that mail has them."""
    return codes.draw(SignInCode.select().order_by(SignInCode.id.desc()).get())


def test_the_right_password_signs_in(app: Flask, cast: Cast) -> None:
    browser = Browser(app)
    answer = browser.sign_in("claire@dumas.example", PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/users").status_code == 200


def test_unknown_and_wrong_get_the_same_answer(app: Flask, cast: Cast) -> None:
    answers = [
        Browser(app).sign_in(email, "not the password")
        for email in ("claire@dumas.example", "nobody@dumas.example")
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    pages = [
        re.sub(r'value="[^"]*"|content="[^"]*"|hx-headers[^>]*', "", answer.text)
        for answer in answers
    ]
    assert pages[0] == pages[1]


def test_after_ten_wrong_passwords_even_the_right_one_must_wait(
    app: Flask, cast: Cast, day: Any
) -> None:
    browser = Browser(app)
    for _ in range(10):
        assert browser.sign_in("claire@dumas.example", "wrong").status_code == 422
    refused = browser.sign_in("claire@dumas.example", PASSWORD)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert browser.sign_in("hugo@dumas.example", PASSWORD).status_code == 303
    day.shift(timedelta(minutes=16))
    assert Browser(app).sign_in("claire@dumas.example", PASSWORD).status_code == 303


def test_an_imported_hash_becomes_argon2id_at_its_first_use(app: Flask, cast: Cast) -> None:
    user = make_individual("bea@example.org")
    User.update(password_hash=BcryptHasher(rounds=4).hash(PASSWORD)).where(
        User.id == user.id
    ).execute()
    assert Browser(app).sign_in("bea@example.org", PASSWORD).status_code == 303
    assert User.get_by_id(user.id).password_hash.startswith("$argon2id$")
    assert Browser(app).sign_in("bea@example.org", PASSWORD).status_code == 303


def test_a_mailed_code_signs_in_once(app: Flask, cast: Cast) -> None:
    browser = Browser(app)
    asked = browser.post("/sign-in/code", email="claire@dumas.example")
    assert asked.status_code == 200
    code = drawn_code()
    assert browser.post("/sign-in/code", code=code).status_code == 303
    again = Browser(app)
    again.post("/sign-in/code", email="lea@dumas.example")
    assert again.post("/sign-in/code", email="claire@dumas.example", code=code).status_code == 422


def test_a_code_works_in_its_own_browser_only(app: Flask, cast: Cast) -> None:
    Browser(app).post("/sign-in/code", email="claire@dumas.example")
    code = drawn_code()
    other = Browser(app).post("/sign-in/code", email="claire@dumas.example", code=code)
    assert other.status_code == 422


def test_five_wrong_tries_end_a_code(app: Flask, cast: Cast) -> None:
    browser = Browser(app)
    browser.post("/sign-in/code", email="claire@dumas.example")
    code = drawn_code()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert browser.post("/sign-in/code", code=wrong).status_code == 422
    assert browser.post("/sign-in/code", code=code).status_code == 422


def test_a_code_lives_ten_minutes(app: Flask, cast: Cast, day: Any) -> None:
    browser = Browser(app)
    browser.post("/sign-in/code", email="claire@dumas.example")
    code = drawn_code()
    day.shift(timedelta(minutes=10))
    assert browser.post("/sign-in/code", code=code).status_code == 422


def test_an_unknown_address_gets_the_same_page_and_no_mail(app: Flask, cast: Cast) -> None:
    known = Browser(app).post("/sign-in/code", email="claire@dumas.example")
    unknown = Browser(app).post("/sign-in/code", email="nobody@dumas.example")
    assert known.status_code == unknown.status_code == 200
    assert words_of(known).replace("claire", "nobody") == words_of(unknown)
    mails = OutboxMessage.select().where(OutboxMessage.kind == "mail:code")
    assert [mail.payload["is_known"] for mail in mails.order_by(OutboxMessage.id)] == [True, False]


def test_a_session_that_was_signed_out_is_dead_for_good(app: Flask, cast: Cast) -> None:
    browser = Browser(app)
    browser.sign_in("claire@dumas.example", PASSWORD)
    cookie = browser.get("/users").request.environ["HTTP_COOKIE"]
    assert browser.post("/sign-out").status_code == 303
    replayed = app.test_client(use_cookies=False).get("/users", headers={"Cookie": cookie})
    assert replayed.status_code == 303
    assert "/sign-in" in replayed.location


def test_setting_a_password_goes_through_a_code_and_ends_other_sessions(
    app: Flask, cast: Cast
) -> None:
    browser, other = Browser(app), Browser(app)
    for one in (browser, other):
        one.sign_in("claire@dumas.example", PASSWORD)
    assert browser.post("/account/password/code").status_code == 200
    new = "a river takes every stream"
    short = browser.post("/account/password", code=drawn_code(), password="short")
    assert short.status_code == 422
    answer = browser.post("/account/password", code=drawn_code(), password=new)
    assert answer.status_code == 303
    assert browser.get("/users").status_code == 200
    assert other.get("/users").status_code == 303
    assert Browser(app).sign_in("claire@dumas.example", PASSWORD).status_code == 422
    assert Browser(app).sign_in("claire@dumas.example", new).status_code == 303
    assert OutboxMessage.select().where(OutboxMessage.kind == "mail:password").count() == 1


def test_a_new_person_proves_the_invited_address_by_code(app: Flask, cast: Cast) -> None:
    token = link_of(invite(cast.users["owner"], "nina@example.org"))
    browser = Browser(app)
    page = browser.open_link(token)
    assert "nina@example.org" not in page.text
    browser.post("/sign-in/code", then="join")
    wrong = browser.post("/sign-in/code", then="join", code="000000", name="Nina")
    assert wrong.status_code == 422 or drawn_code() == "000000"
    answer = browser.post("/sign-in/code", then="join", code=drawn_code(), name="Nina Lopez")
    assert (answer.status_code, answer.location) == (303, "/join")
    user = User.get(User.email == "nina@example.org")
    assert user.name == "Nina Lopez"
    assert browser.post("/join/acceptance").status_code == 303
    assert user.membership().account == cast.organisation


def test_only_the_hash_of_a_session_is_kept(app: Flask, cast: Cast) -> None:
    browser = Browser(app)
    browser.sign_in("claire@dumas.example", PASSWORD)
    with browser.client.session_transaction() as cookie:
        token = cookie["_user_id"]
    assert token not in {row.token_hash for row in Session.select()}
    assert clock.now() < Session.select().order_by(Session.id.desc()).get().expires_at


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil", "nowhere"])
def test_signing_in_leads_nowhere_else(app: Flask, cast: Cast, then: str) -> None:
    answer = Browser(app).sign_in("claire@dumas.example", PASSWORD, then=then)
    assert answer.location == "/"
