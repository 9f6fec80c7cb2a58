"""The admins' page in Chromium: everything in place, and the address bar says where one is."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

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


def row(page: Page, email: str) -> Locator:
    return page.locator("#people tbody tr", has_text=email)


def cancel(page: Page, who: str) -> None:
    page.get_by_role("button", name=re.compile(f"^Cancel the invitation.*{who}")).click()
    page.get_by_role("button", name="Yes, cancel it").locator("visible=true").click()


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
    cancel(page, "Bo Berg")
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
    # The parts of an answer are put in one after the other.
    expect(page.locator("#add [name=emails]")).to_have_count(1)
    expect(page.locator("#add [name=emails]")).to_have_value("no-one@")
    expect(page.locator("#flash")).to_contain_text("12 invitations")
    expect(page.locator("#flash .callout").first).to_be_in_viewport()


def test_the_badge_moves_in_every_open_window(organisation: Organisation) -> None:
    here, there = organisation.window(), organisation.window("phone")
    badge(there, 0)
    add(here, organisation.address("anna"))
    badge(here, 1)
    expect(there.locator("#pending-badge")).to_have_text("1")
    there.reload()
    cancel(there, "anna")
    badge(there, 0)
    expect(here.locator("#pending-badge")).to_have_text("0")


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
    expect(page.locator("#add .inline button")).to_be_focused()
    page.keyboard.press("Enter")
    badge(page, 1)
    resend = page.get_by_role("button", name=re.compile("Resend"))
    resend.wait_for()
    page.locator("#q").focus()
    for _ in range(12):
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


def rows(page: Page) -> Locator:
    return page.locator("#people tbody tr[id]")


def test_the_list_follows_while_one_types(organisation: Organisation) -> None:
    page = organisation.window()
    add(page, f"Hélène Lefèvre <{organisation.address('h')}>, {organisation.address('bo')}")
    badge(page, 2)
    remember(page)
    page.keyboard.press("/")
    page.keyboard.type("LEFEVRE h")
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_value("LEFEVRE h")
    expect(page).to_have_url(re.compile(r"/users\?q=LEFEVRE\+h$"))
    for _ in "LEFEVRE h":
        page.keyboard.press("Backspace")
    expect(rows(page)).to_have_count(3)
    expect(page).to_have_url(re.compile("/users$"))
    page.keyboard.type("zzz")
    expect(page.locator("#people")).to_contain_text("Nobody found")
    still_there(page)
    page.go_back()
    expect(page.locator("#q")).to_have_value("")
    expect(rows(page)).to_have_count(3)


def test_filters_and_order_stay_when_the_page_is_loaded_anew(organisation: Organisation) -> None:
    page = organisation.window()
    add(page, f"Zoë Aa <{organisation.address('z')}>, Ana Bb <{organisation.address('a')}>")
    badge(page, 2)
    page.locator("#find summary").click()
    page.locator("#by-role").select_option("member")
    expect(rows(page)).to_have_count(2)
    page.locator("#sort-name").click()
    expect(page).to_have_url(re.compile(r"/users\?role=member&sort=name$"))
    expect(rows(page).first).to_contain_text("Ana Bb")
    page.reload()
    expect(rows(page).first).to_contain_text("Ana Bb")
    expect(rows(page)).to_have_count(2)
    expect(page.locator("#by-role")).to_have_value("member")
    page.locator("#sort-name").click()
    expect(rows(page).first).to_contain_text("Zoë Aa")
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Name")


def test_rows_and_tabs_move_in_every_open_window(organisation: Organisation) -> None:
    """Without taking the focus, what was ticked, or what somebody is typing."""
    here, there = organisation.window(), organisation.window("phone")
    add(here, organisation.address("anna"))
    expect(rows(there)).to_have_count(2)
    expect(there.locator("#tab-pending")).to_contain_text("1")
    there.locator("tbody input[type=checkbox]").check()
    there.locator("#q").focus()
    there.locator("#add [name=emails]").fill("half-typed@")
    there.evaluate("document.querySelector('#rows tr').dataset.mine = 'yes'")
    add(here, organisation.address("bo"))
    expect(rows(there)).to_have_count(3)
    expect(there.locator("tbody input[type=checkbox]:checked")).to_have_count(1)
    expect(there.locator("#add [name=emails]")).to_have_value("half-typed@")
    expect(there.locator("#add [name=emails]")).to_be_focused()
    cancel(here, "anna")
    expect(row(there, organisation.address("anna"))).to_contain_text("Cancelled")
    expect(there.locator("#tab-pending")).to_contain_text("1")


def test_a_window_that_nobody_looks_at_asks_nothing(organisation: Organisation) -> None:
    page = organisation.window()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/live" in one.url else None)
    with page.expect_response(re.compile("/users/live")) as first:
        pass
    assert first.value.status == 304
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })"
    )
    page.wait_for_timeout(500)
    asked.clear()
    page.wait_for_timeout(4_500)
    assert asked == []
    with page.expect_response(re.compile("/users/live")):
        page.evaluate(
            "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
        )


ASKING = """
window.asked = [];
addEventListener("poll", (event) => {
  window.asking ??= event.target;
  if (event.target === window.asking) window.asked.push(performance.now());
}, true);
"""


def test_windows_that_were_opened_together_do_not_ask_together(organisation: Organisation) -> None:
    """Each waits for a length of its own, drawn between nine and eleven tenths."""
    waited = {}
    for drawn in (0, 0.999):
        page = organisation.window()
        page.add_init_script(f"Math.random = () => {drawn}")
        page.add_init_script(ASKING)
        page.clock.install()
        page.reload()
        page.clock.run_for(12_000)
        first, second = page.evaluate("window.asked.slice(0, 2)")
        waited[drawn] = second - first
    assert waited[0] < waited[0.999]


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_the_ticked_ones_are_cancelled_together(
    organisation: Organisation, javascript: bool
) -> None:
    page = organisation.window(javascript=javascript)
    add(page, " ".join(organisation.address(name) for name in ("anna", "bo", "cy")))
    badge(page, 3)
    toolbar = page.locator("#selection")
    expect(toolbar).to_be_hidden()
    for name in ("anna", "bo"):
        page.get_by_role("checkbox", name=re.compile(organisation.address(name))).check()
    expect(toolbar).to_be_visible()
    if javascript:
        expect(toolbar).to_contain_text("2 invitations selected")
    toolbar.get_by_role("button", name="Cancel the invitations").click()
    page.get_by_role("button", name="Back").locator("visible=true").click()
    expect(page.locator("#ask-revocations")).to_be_hidden()
    badge(page, 3)
    toolbar.get_by_role("button", name="Cancel the invitations").click()
    page.get_by_role("button", name="Yes, cancel them").click()
    badge(page, 1)
    expect(page.locator("#flash")).to_contain_text("2 invitations are cancelled")
    expect(row(page, organisation.address("bo"))).to_contain_text("Cancelled")
    expect(toolbar).to_be_hidden()


def test_all_that_are_shown_are_ticked_and_resent(organisation: Organisation) -> None:
    page = organisation.window()
    add(page, " ".join(organisation.address(name) for name in ("anna", "bo")))
    badge(page, 2)
    page.get_by_role("checkbox", name="Select all the invitations shown").check()
    expect(page.locator("#selection")).to_contain_text("2 invitations selected")
    page.locator("#selection").get_by_role("button", name="Resend").click()
    page.get_by_role("button", name="Yes, resend them").click()
    expect(page.locator("#flash")).to_contain_text("2 new invitations")
    expect(page.locator("tbody input[type=checkbox]:checked")).to_have_count(0)


def test_the_offer_and_the_address_change_in_the_row(organisation: Organisation) -> None:
    page = organisation.window("phone")
    anna, ana = organisation.address("anna"), organisation.address("ana")
    add(page, anna)
    remember(page)
    change = page.get_by_role("button", name=f"Change the invitation for {anna}")
    change.click()
    page.locator("#offer-role").select_option("finance")
    page.locator("#offer-licence").select_option("licensed")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#flash")).to_contain_text("The new offer is saved.")
    expect(row(page, anna)).to_contain_text("Finance")
    expect(row(page, anna)).to_contain_text("Licensed")
    expect(change).to_be_focused()
    change.press("Enter")
    field = page.locator("#panel [name=email]")
    field.fill("ana@")
    field.press("Enter")
    expect(page.locator("#email-error")).to_be_visible()
    expect(field).to_be_focused()
    field.fill(ana)
    field.press("Enter")
    expect(row(page, ana)).to_contain_text("Pending")
    expect(page.locator("#panel")).to_be_hidden()
    still_there(page)


def test_the_question_is_answered_by_keyboard_and_the_focus_stays(
    organisation: Organisation,
) -> None:
    page = organisation.window()
    add(page, organisation.address("anna"))
    button = page.get_by_role("button", name=re.compile("^Cancel the invitation"))
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ask:popover-open")).to_be_visible()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    badge(page, 0)
    expect(page.locator("#people :focus")).to_have_count(1)
