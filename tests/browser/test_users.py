"""The admins' page in Chromium: everything in place, and the address bar says where one is."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.service import Service
from tests.browser.windows import DESK, PHONE, Windows

PASSWORD = "a river joins another"
SIZES = {"desk": DESK, "phone": PHONE}


class Organisation:
    """A new organisation, and windows that its owner is signed in with."""

    def __init__(self, house: Service, windows: Windows) -> None:
        self.mark = uuid4().hex[:8]
        self.owner = f"owner-{self.mark}@dumas.example"
        self.windows = windows
        windows.base = house.base
        create = ("organisation", "create", f"Atelier {self.mark}", "--owner", self.owner)
        house.command(
            *create, "--currency", "EUR", "--seats", "25", "--locale", "en", typed=PASSWORD
        )

    def window(self, size: str = "desk", javascript: bool = True) -> Page:
        page = self.windows.open(locale="en-GB", javascript=javascript, **SIZES[size])
        page.goto("/users")
        page.locator("#sign-in [name=email]").fill(self.owner)
        page.locator("#sign-in [name=password]").fill(PASSWORD)
        page.locator("#sign-in button").click()
        expect(page.locator("#add")).to_be_visible()
        return page

    def address(self, name: str) -> str:
        return f"{name}-{self.mark}@example.org"


@pytest.fixture
def organisation(house: Service, windows: Windows) -> Organisation:
    return Organisation(house, windows)


def add(page: Page, written: str) -> None:
    page.locator("#add [name=emails]").fill(written)
    page.locator("#add form:has([name=emails]) button[type=submit]").first.click()


def row(page: Page, email: str) -> object:
    return page.locator("#people tbody tr", has_text=email)


def badge(page: Page, number: int) -> None:
    expect(page.locator("#pending-badge")).to_have_text(str(number))


def remember(page: Page) -> None:
    """Marks the document: a page that was loaded anew has lost the mark."""
    page.evaluate("document.body.dataset.kept = 'yes'")


def still_there(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-kept", "yes")


@pytest.mark.parametrize("size", SIZES)
def test_tabs_swap_in_place_and_the_address_bar_follows(
    organisation: Organisation, size: str
) -> None:
    page = organisation.window(size)
    remember(page)
    add(page, organisation.address("anna"))
    badge(page, 1)
    page.locator("#tabs a[href$='status=active']").click()
    expect(page).to_have_url(re.compile(r"/users\?status=active$"))
    expect(page.locator("#people tbody tr")).to_have_count(1)
    page.locator("#tabs a[href$='status=pending']").click()
    expect(page).to_have_url(re.compile(r"/users\?status=pending$"))
    expect(page.locator("#people tbody")).to_contain_text(organisation.address("anna"))
    expect(page.locator("#tabs [aria-current]")).to_have_attribute(
        "href", re.compile("status=pending")
    )
    still_there(page)
    page.go_back()
    expect(page).to_have_url(re.compile(r"/users\?status=active$"))
    expect(page.locator("#people tbody")).to_contain_text(organisation.owner)
    expect(page.locator("#people tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator("#people tbody tr")).to_have_count(1)


def test_the_search_follows_in_the_address_bar(organisation: Organisation) -> None:
    page = organisation.window()
    add(page, organisation.address("anna") + ", " + organisation.address("bo"))
    badge(page, 2)
    remember(page)
    page.keyboard.press("/")
    page.keyboard.type("anna")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=anna"))
    expect(page.locator("#people tbody tr")).to_have_count(1)
    still_there(page)


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
@pytest.mark.parametrize("size", SIZES)
def test_an_admin_adds_resends_and_revokes(
    organisation: Organisation, size: str, javascript: bool
) -> None:
    page = organisation.window(size, javascript)
    if javascript:
        remember(page)
    anna, bo = organisation.address("anna"), organisation.address("bo")
    add(page, f"{anna}; Bo Berg <{bo}>")
    badge(page, 2)
    expect(page.locator("#add [name=emails]")).to_have_value("")
    expect(page.locator("#flash")).to_contain_text("2 invitations")
    page.get_by_role("button", name=re.compile(f"Resend.*{anna}")).click()
    expect(page.locator("#flash")).to_contain_text(anna)
    badge(page, 2)
    page.get_by_role("button", name=re.compile("Cancel the invitation.*Bo Berg")).click()
    expect(page.locator("#flash")).to_contain_text(bo)
    badge(page, 1)
    expect(row(page, bo)).to_contain_text("Cancelled")
    if javascript:
        still_there(page)


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_many_addresses_are_previewed_before_anything_is_sent(
    organisation: Organisation, javascript: bool
) -> None:
    page = organisation.window(javascript=javascript)
    add(page, "\n".join(organisation.address(f"p{number}") for number in range(12)) + "\nno-one@")
    expect(page.locator("#add mark[data-status=active]")).to_have_count(12)
    badge(page, 0)
    page.get_by_role("button", name="Send 12 invitations").click()
    badge(page, 12)
    expect(page.locator("#add [name=emails]")).to_have_value("no-one@")
    expect(page.locator("#flash")).to_contain_text("12 invitations")
    expect(page.locator("#flash .callout").first).to_be_in_viewport()


def test_the_badge_moves_in_every_open_window(organisation: Organisation) -> None:
    here, there = organisation.window(), organisation.window("phone")
    badge(there, 0)
    add(here, organisation.address("anna"))
    badge(here, 1)
    expect(there.locator("#pending-badge")).to_have_text("1", timeout=6_000)
    there.reload()
    there.get_by_role("button", name=re.compile("Cancel the invitation")).click()
    badge(there, 0)
    expect(here.locator("#pending-badge")).to_have_text("0", timeout=6_000)


def test_an_empty_form_is_shown_again_with_the_focus_where_to_mend(
    organisation: Organisation,
) -> None:
    page = organisation.window()
    add(page, "")
    field = page.locator("#add [name=emails]")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile("address"))


def test_adding_and_resending_need_no_mouse(organisation: Organisation) -> None:
    page = organisation.window()
    page.keyboard.press("a")
    expect(page.locator("#add [name=emails]")).to_be_focused()
    page.keyboard.type(organisation.address("anna"))
    page.keyboard.press("Tab")
    expect(page.locator("#add button[type=submit]")).to_be_focused()
    page.keyboard.press("Enter")
    badge(page, 1)
    resend = page.get_by_role("button", name=re.compile("Resend"))
    resend.wait_for()
    page.locator("#q").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
        if resend.evaluate("el => el === document.activeElement"):
            break
    expect(resend).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#flash")).to_contain_text(organisation.address("anna"))
    expect(page.get_by_role("button", name=re.compile("Resend"))).to_be_focused()


def test_the_first_tab_skips_to_the_content(organisation: Organisation) -> None:
    page = organisation.window()
    page.goto("/users")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
