"""The page of an invitation in Chromium: alive, its address mended there; settings, activity."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.service import Service
from tests.browser.test_users import Organisation, add
from tests.browser.windows import Windows

REPORT = Path(__file__).parent.parent / "reports" / "postfix.eml"


@pytest.fixture
def organisation(house: Service, windows: Windows) -> Organisation:
    return Organisation(house, windows)


def invited(page: Page, email: str) -> None:
    """Opens the page of a new invitation, whose mail has left."""
    add(page, email)
    page.locator("#people tbody").get_by_role("link", name=email).click()
    expect(page.locator("#delivery .timeline")).to_contain_text("The mail server took the email.")


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_a_mail_that_comes_back_shows_by_itself_and_is_sent_elsewhere(
    house: Service, organisation: Organisation, size: str
) -> None:
    page, wrong, right = organisation.window(size), *map(organisation.address, ("zo", "zoe"))
    invited(page, wrong)
    page.locator("#send [name=email]").fill("half-typed")
    mail = house.mail_to(wrong)
    report = REPORT.read_text().replace("MESSAGE-ID", str(mail["Message-ID"]))
    house.command("bounce", typed=report.replace("zoe@example.org", wrong))
    expect(page.locator("#delivery")).to_contain_text("Email refused")
    expect(page.locator("#delivery .note")).to_contain_text("550 5.1.1")
    # What somebody is typing is not touched by what comes in.
    expect(page.locator("#send [name=email]")).to_have_value("half-typed")
    old = house.link_for(wrong)
    page.locator("#send [name=email]").fill(right)
    page.locator("#send").get_by_role("button", name="Send").click()
    expect(page.locator("#flash")).to_contain_text(right)
    expect(page.locator("#delivery .timeline")).to_contain_text("corrected the address")
    other = organisation.windows.open(locale="en-GB")
    other.goto(old)
    expect(other.locator("h1")).to_have_text("A newer link was sent")
    other.goto(house.link_for(right))
    expect(other.locator("main")).to_contain_text("Activate your account")


def test_without_script_the_address_is_mended_too(
    house: Service, organisation: Organisation
) -> None:
    page = organisation.window(javascript=False)
    add(page, organisation.address("anna"))
    page.locator("#people tbody").get_by_role("link", name="anna").click()
    page.locator("#send [name=email]").fill("anna@")
    page.locator("#send").get_by_role("button", name="Send").click()
    expect(page.locator("#send .error")).to_have_text("This is not an address.")
    page.locator("#send [name=email]").fill(organisation.address("annette"))
    page.locator("#send").get_by_role("button", name="Send").click()
    expect(page.locator("#flash")).to_contain_text(organisation.address("annette"))
    page.get_by_role("button", name="Cancel the invitation").click()
    expect(page.locator("#delivery mark")).to_have_text("Cancelled")


def test_what_was_set_and_done_stands_in_the_activity(organisation: Organisation) -> None:
    page = organisation.window()
    add(page, organisation.address("anna"))
    expect(page.locator("#pending-badge")).to_have_text("1")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("The credit").check()
    page.get_by_label("First, after days").fill("1000")
    save = page.locator("form[action='/settings']").get_by_role("button", name="Save")
    save.click()
    expect(page.locator("[name=first_reminder_days][aria-invalid=true]")).to_have_value("1000")
    page.get_by_label("First, after days").fill("5")
    save.click()
    expect(page.locator("#flash")).to_contain_text("The settings are saved.")
    page.goto("/activity")
    expect(page.locator("#events li")).to_have_count(3)
    expect(page.locator("#events li").first).to_contain_text("refund or credit, first reminder")
    page.locator("#activity summary").click()
    page.get_by_label("Kind").select_option("settings")
    expect(page.locator("#events li")).to_have_count(2)
    expect(page).to_have_url(re.compile("kind=settings"))
    page.go_back()
    expect(page.locator("#events li")).to_have_count(3)
