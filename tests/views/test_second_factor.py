"""The second factor on its pages: asked after the password and the code, set up, and never in the
way of joining."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pyotp
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Browser, words_of
from tests.passkeys import Device
from tests.people import PASSWORD, Cast, invite, link_of, make_cast, on_the_day
from webapp import clock, policy
from webapp.actions import codes, organisations
from webapp.models import Account, Passkey, Session, SignInCode, User


@pytest.fixture(autouse=True)
def day() -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest) -> str:
    """Pages are the same on both; what the database decides is tested with the actions."""
    return str(request.param)


@pytest.fixture
def cast(app: Flask) -> Cast:
    cast = make_cast(app)
    policy.use(replace(policy.policy(), base_url="http://localhost"))
    return cast


def options_on(page: TestResponse, action: str) -> Any:
    """What the page's script would ask the browser for."""
    found = re.search(rf"action=\"{action}\" data-passkey='([^']*)'", page.text)
    assert found is not None, f"no passkey is asked for at {action}"
    return json.loads(unescape(found[1]))


def with_app(browser: Browser) -> tuple[str, list[str]]:
    """Sets the app up on the pages; its secret, and the recovery codes shown."""
    page = browser.post("/account/authenticator")
    secret = "".join(re.findall(r"<code>([A-Z2-7 ]{32,})</code>", page.text)[0].split())
    shown = browser.post("/account/authenticator/confirmation", code=now_of(secret))
    assert shown.status_code == 200
    return secret, re.findall(r"<code>([0-9a-z-]{14})</code>", shown.text)


def now_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(clock.now())


def with_passkey(browser: Browser, device: Device) -> TestResponse:
    options = options_on(browser.get("/account/sign-in"), "/account/passkeys")
    return browser.post("/account/passkeys", credential=device.make(options), name="Phone")


def test_after_the_password_the_app_is_asked_for(cast: Cast, day: Any) -> None:
    secret, recovery = with_app(cast.browser("owner"))
    assert len(recovery) == 10
    day.shift(60)
    browser = Browser(cast.app)

    first = browser.sign_in("claire@dumas.example", PASSWORD, then="statements")
    assert (first.status_code, first.location) == (303, "/sign-in/second-step?then=statements")
    assert browser.get("/users").status_code == 303
    wrong = browser.post("/sign-in/second-step", code="000000", then="statements")
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    right = browser.post("/sign-in/second-step", code=now_of(secret), then="statements")

    assert (right.status_code, right.location) == (303, "/statements")
    assert browser.get("/users").status_code == 200


def test_after_a_mailed_code_as_well_and_a_recovery_code_will_do(cast: Cast) -> None:
    _, recovery = with_app(cast.browser("owner"))
    browser = Browser(cast.app)
    browser.post("/sign-in/code", email="claire@dumas.example")
    digits = codes.draw(SignInCode.select().order_by(SignInCode.id.desc()).get())

    first = browser.post("/sign-in/code", code=digits)
    assert first.location == "/sign-in/second-step"
    assert browser.post("/sign-in/second-step", code=recovery[0]).location == "/"

    assert "9 are left" in words_of(browser.get("/account"))


def test_half_of_a_sign_in_lasts_ten_minutes(cast: Cast, day: Any) -> None:
    secret, _ = with_app(cast.browser("owner"))
    browser = Browser(cast.app)
    browser.sign_in("claire@dumas.example", PASSWORD)
    day.shift(601)

    assert browser.get("/sign-in/second-step").location == "/sign-in"
    assert browser.post("/sign-in/second-step", code=now_of(secret)).location == "/sign-in"


def test_a_new_password_ends_what_was_half_of_a_sign_in(cast: Cast, day: Any) -> None:
    """Begun by whoever knows the old one."""
    owner = cast.browser("owner")
    secret, _ = with_app(owner)
    day.shift(60)
    thief = Browser(cast.app)
    assert thief.sign_in("claire@dumas.example", PASSWORD).location == "/sign-in/second-step"
    owner.post("/account/password/code")
    digits = codes.draw(SignInCode.select().order_by(SignInCode.id.desc()).get())
    new = {"code": digits, "password": "a river of many small streams"}
    assert owner.post("/account/password", **new).status_code == 303

    assert thief.get("/sign-in/second-step").location == "/sign-in"
    answer = thief.post("/sign-in/second-step", code=now_of(secret))
    assert answer.location == "/sign-in"
    assert thief.get("/users").status_code == 303


def test_half_of_a_sign_in_that_began_before_an_upgrade_begins_anew(cast: Cast) -> None:
    browser = Browser(cast.app)
    with browser.client.session_transaction() as cookie:
        cookie["half"] = [cast.users["owner"].id, int(clock.now().timestamp())]

    assert browser.get("/sign-in/second-step").location == "/sign-in"


def test_without_the_first_step_the_second_is_nothing(cast: Cast, day: Any) -> None:
    secret, _ = with_app(cast.browser("owner"))
    day.shift(60)

    answer = Browser(cast.app).post("/sign-in/second-step", code=now_of(secret))

    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_a_passkey_is_both_steps(cast: Cast) -> None:
    device = Device()
    with_app(cast.browser("owner"))
    assert with_passkey(cast.browser("owner"), device).location == "/account/sign-in"
    browser = Browser(cast.app)
    options = options_on(browser.get("/sign-in"), "/sign-in/passkey")
    assert options["allowCredentials"] == []

    answer = browser.post("/sign-in/passkey", credential=device.show(options), then="account")

    assert (answer.status_code, answer.location) == (303, "/account")
    assert browser.get("/users").status_code == 200
    # From now on it stands first in this browser.
    browser.post("/sign-out")
    page = browser.get("/sign-in").text
    assert page.index("data-passkey") < page.index('id="password"')


def test_an_unknown_passkey_is_refused_in_words(cast: Cast) -> None:
    browser = Browser(cast.app)
    options = options_on(browser.get("/sign-in"), "/sign-in/passkey")

    answer = browser.post("/sign-in/passkey", credential=Device().show(options))

    assert answer.status_code == 422
    assert "This passkey is not known here" in words_of(answer)
    assert browser.get("/users").status_code == 303


def test_a_passkey_proves_once_more_who_it_is(cast: Cast, day: Any) -> None:
    """As a password does, for what needs a fresh proof: here, a role."""
    device = Device()
    browser = cast.browser("owner")
    with_passkey(browser, device)
    day.shift(400)
    member = cast.membership("member").id
    page = browser.get(f"/members/{member}")
    seen = re.findall(r'name="seen" value="([^"]*)"', page.text)[0]
    asked = browser.post(f"/members/{member}/role", role="admin", seen=seen)
    assert asked.status_code == 409
    options = options_on(asked, "/sign-in/passkey")
    assert len(options["allowCredentials"]) == 1

    proven = browser.post("/sign-in/passkey", credential=device.show(options), then="member")
    assert (proven.status_code, proven.location) == (303, "/members")
    again = browser.post(f"/members/{member}/role", role="admin", seen=seen)

    assert again.status_code == 303
    assert cast.membership("member").is_admin


def test_a_fresh_proof_of_who_has_an_app_takes_both(cast: Cast, day: Any) -> None:
    browser = cast.browser("owner")
    secret, _ = with_app(browser)
    day.shift(400)
    assert browser.post("/account/recovery-codes").status_code == 409

    half = browser.sign_in("claire@dumas.example", PASSWORD, then="factors")
    assert half.location == "/sign-in/second-step?then=factors"
    assert browser.post("/account/recovery-codes").status_code == 409
    whole = browser.post("/sign-in/second-step", code=now_of(secret), then="factors")

    assert whole.location == "/account/sign-in"
    assert browser.post("/account/recovery-codes").status_code == 200


def test_who_is_asked_for_one_sets_it_up_at_the_next_sign_in(cast: Cast) -> None:
    before = cast.browser("member")
    organisations.ask_for_factor(cast.membership("owner"), "all")
    assert before.get("/account").status_code == 200
    browser = Browser(cast.app)
    browser.sign_in("paul@dumas.example", PASSWORD)

    for path in ("/account", "/statements", "/account/export.json"):
        assert browser.get(path).location == "/account/sign-in"
    held_up = browser.get("/account/sign-in")
    assert held_up.status_code == 200
    assert "Set up a second factor first" in words_of(held_up)
    assert 'aria-label="Main"' not in held_up.text
    with_app(browser)

    assert browser.get("/account").status_code == 200
    assert browser.get("/account/sign-in").status_code == 200


def test_a_passkey_will_do_where_one_is_asked_and_comes_with_recovery_codes(cast: Cast) -> None:
    organisations.ask_for_factor(cast.membership("owner"), "all")
    device, browser = Device(), Browser(cast.app)
    browser.sign_in("paul@dumas.example", PASSWORD)

    shown = with_passkey(browser, device)

    recovery = re.findall(r"<code>([0-9a-z-]{14})</code>", shown.text)
    assert len(recovery) == 10
    assert browser.get("/account").status_code == 200
    other = Browser(cast.app)
    assert other.sign_in("paul@dumas.example", PASSWORD).location == "/sign-in/second-step"
    page = other.get("/sign-in/second-step")
    assert len(options_on(page, "/sign-in/passkey")["allowCredentials"]) == 1
    assert other.post("/sign-in/second-step", code=recovery[1]).location == "/"


def test_the_operators_finance_is_led_there_outside_development(cast: Cast) -> None:
    policy.use(replace(policy.policy(), env="production"))
    browser = Browser(cast.app)
    browser.sign_in("finance@seller.example", PASSWORD)

    assert browser.get("/billing").location == "/account/sign-in"
    with_app(browser)
    assert browser.get("/billing").status_code == 200


def test_joining_comes_before_the_second_factor(cast: Cast) -> None:
    """Whoever joins an organisation that asks for one is asked at the next sign-in."""
    organisations.ask_for_factor(cast.membership("owner"), "all")
    token = link_of(invite(cast.users["owner"], "nina@example.org"))
    browser = Browser(cast.app)
    browser.open_link(token)
    browser.post("/sign-in/code", then="join")
    digits = codes.draw(SignInCode.select().order_by(SignInCode.id.desc()).get())
    browser.post("/sign-in/code", then="join", code=digits, name="Nina")

    assert browser.post("/join/acceptance").status_code == 303
    assert browser.get("/join").status_code == 200
    assert browser.get("/account").status_code == 200
    assert User.get(User.email == "nina@example.org").membership().account == cast.organisation
    browser.post("/sign-out")
    browser.post("/sign-in/code", email="nina@example.org")
    digits = codes.draw(SignInCode.select().order_by(SignInCode.id.desc()).get())
    browser.post("/sign-in/code", code=digits)
    assert browser.get("/account").location == "/account/sign-in"


def test_who_is_held_up_can_still_join(cast: Cast) -> None:
    """A member elsewhere who has to set one up, invited here: the page of the invitation opens."""
    Account.update(second_factor="all").where(Account.id == cast.elsewhere.id).execute()
    user = cast.users["foreign owner"]
    token = link_of(invite(cast.users["owner"], user.email))
    browser = Browser(cast.app)
    browser.sign_in(user.email, PASSWORD)
    assert browser.get("/users").location == "/account/sign-in"

    assert browser.open_link(token).status_code == 200
    assert browser.post("/join/acceptance").status_code in (303, 409, 422)


def test_only_an_owner_says_of_whom(cast: Cast) -> None:
    page = cast.browser("owner").get("/settings")
    assert 'action="/settings/second-factor"' in page.text
    assert 'action="/settings/second-factor"' not in cast.browser("admin").get("/settings").text

    answer = cast.browser("owner").post("/settings/second-factor", second_factor="admins")

    assert (answer.status_code, answer.location) == (303, "/settings")
    assert Account.get_by_id(cast.organisation.id).second_factor == "admins"
    told = words_of(cast.browser("owner").get("/activity"))
    assert "changed the settings: second factor." in told


def test_the_secret_and_the_codes_are_shown_once(cast: Cast) -> None:
    browser = cast.browser("owner")
    secret, recovery = with_app(browser)

    for path in ("/account/sign-in", "/account", "/account/export.json"):
        page = browser.get(path).text
        assert secret not in page.replace(" ", "")
        assert not [code for code in recovery if code in page]


def test_another_session_without_a_fresh_proof_is_not_shown_the_secret(
    cast: Cast, day: Any
) -> None:
    stolen = cast.browser("owner")
    stolen.csrf()
    day.shift(6 * 60)
    shown = cast.browser("owner").post("/account/authenticator").text.replace(" ", "")
    (secret,) = re.findall(r"<code>([A-Z2-7]{32,})</code>", shown)

    answer = stolen.post("/account/authenticator/confirmation", code="000000")

    assert answer.status_code == 409
    assert secret not in answer.text.replace(" ", "")


def test_a_removed_passkey_signs_nobody_in(cast: Cast) -> None:
    device, browser = Device(), cast.browser("owner")
    with_passkey(browser, device)
    removed = browser.post(f"/account/passkeys/{Passkey.get().id}/removal")
    assert removed.status_code == 303
    stranger = Browser(cast.app)
    options = options_on(stranger.get("/sign-in"), "/sign-in/passkey")

    assert stranger.post("/sign-in/passkey", credential=device.show(options)).status_code == 422


def test_at_an_address_that_is_a_number_no_passkey_is_offered(cast: Cast) -> None:
    policy.use(replace(policy.policy(), base_url="http://127.0.0.1:8000"))

    assert "data-passkey" not in Browser(cast.app).get("/sign-in").text
    page = cast.browser("owner").get("/account/sign-in")
    assert "data-passkey" not in page.text
    assert "at this address, which is a number" in words_of(page)


def test_a_known_browser_gets_in_while_strangers_guess(cast: Cast) -> None:
    known = Browser(cast.app)
    known.sign_in("claire@dumas.example", PASSWORD)
    known.post("/sign-out")
    for _ in range(3):
        stranger = Browser(cast.app)
        for _ in range(5):
            stranger.sign_in("claire@dumas.example", "wrong")
    assert stranger.sign_in("claire@dumas.example", PASSWORD).status_code == 429

    assert known.sign_in("claire@dumas.example", PASSWORD).status_code == 303
    assert Session.select().where(Session.ended_at.is_null()).count() >= 1
