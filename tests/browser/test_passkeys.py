"""A passkey in Chromium, whose virtual authenticator is a phone with a finger on it: made on the
account page, offered in the address field, and the proof that a role asks for."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.service import Service, demonstrating
from tests.browser.windows import PHONE, Windows
from webapp.demo import PASSWORD

OWNER = "claire.dumas@atelier-dumas.example"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with demonstrating(tmp_path_factory.mktemp("passkeys"), host="localhost") as service:
        yield service


def press(page: Page, action: str) -> None:
    page.locator(f"form[action='{action}'] button").click()


def test_a_passkey_from_its_making_to_a_role(demo: Service, windows: Windows) -> None:
    windows.base = demo.base
    page = windows.open(**PHONE)
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    added: Any = devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    page.goto("/sign-in")
    page.locator("#sign-in [name=email]").fill(OWNER)
    page.locator("#sign-in [name=password]").fill(PASSWORD)
    press(page, "/sign-in")
    page.wait_for_url(re.compile("/users"))

    page.goto("/account/sign-in")
    page.get_by_label("Nom de l’appareil").fill("Téléphone")
    press(page, "/account/passkeys")
    expect(page.locator("#flash")).to_contain_text("La clé d’accès est enregistrée.")
    expect(page.locator("main")).to_contain_text("Téléphone")
    # The same device has one for this person already, and says so.
    press(page, "/account/passkeys")
    expect(page.get_by_text("cet appareil en a déjà une pour vous")).to_be_focused()

    # Signed out, the address field offers it: the finger is there already, and nothing is typed.
    page.goto("/account")
    page.locator("[popovertarget='account-menu']").click()
    page.locator("#account-menu button").click()
    page.wait_for_url(re.compile("/users"))

    with sqlite3.connect(demo.environment["DATABASE_URL"].removeprefix("sqlite:///")) as rows:
        rows.execute("UPDATE session_ SET proven_at = '2020-01-01 00:00:00.000000+00:00'")
    page.goto("/users?status=active&q=karim")
    page.goto(page.locator("#rows a[href^='/members/']").first.get_attribute("href") or "")
    page.locator("label", has=page.locator("input[value=admin]")).click()
    page.locator("form[action$='/role'] button").click()
    press(page, "/sign-in/passkey")
    expect(page.locator("input[value=admin]")).to_be_checked()
    page.locator("form[action$='/role'] button").click()
    expect(page.locator("#flash")).to_contain_text("Le rôle est modifié.")

    name = {"authenticatorId": added["authenticatorId"]}
    kept: Any = devices.send("WebAuthn.getCredentials", name)
    assert [one["rpId"] for one in kept["credentials"]] == ["localhost"]

    # From here on the finger is elsewhere.
    devices.send("WebAuthn.setAutomaticPresenceSimulation", {**name, "enabled": False})
    assert_the_second_step_is_open(page)


def assert_the_second_step_is_open(page: Page) -> None:
    """An app beside it, its codes, and the step that asks for either."""
    page.goto("/account/sign-in")
    press(page, "/account/authenticator")
    secret = page.locator("main code").inner_text().replace(" ", "")
    assert_open(page)
    page.locator("#code").fill(pyotp.TOTP(secret).now())
    press(page, "/account/authenticator/confirmation")
    expect(page.locator("#codes li")).to_have_count(10)
    codes = page.locator("#codes li").all_inner_texts()
    assert_open(page)
    page.goto("/account")
    page.locator("[popovertarget='account-menu']").click()
    page.locator("#account-menu button").click()
    page.wait_for_url(re.compile("/sign-in"))
    page.locator("#sign-in [name=email]").fill(OWNER)
    page.locator("#sign-in [name=password]").fill(PASSWORD)
    press(page, "/sign-in")
    page.wait_for_url(re.compile("/sign-in/second-step"))
    assert_open(page)
    page.locator("#code").fill("000000")
    press(page, "/sign-in/second-step")
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    assert_open(page)
    page.locator("#code").fill(codes[0])
    press(page, "/sign-in/second-step")
    expect(page.locator("#flash")).to_contain_text("9")


def assert_open(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url}, {scheme}: {found.generate_report()}"


def test_without_script_nothing_speaks_of_passkeys(demo: Service, windows: Windows) -> None:
    windows.base = demo.base
    page = windows.open(javascript=False)
    page.goto("/sign-in")

    expect(page.locator("[data-needs-passkeys]")).to_be_hidden()
    expect(page.get_by_role("button", name="Se connecter", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Recevoir un code par courriel")).to_be_visible()
