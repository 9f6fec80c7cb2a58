"""A press that is half done when an answer arrives that nobody pressed for: a poll's, or that of a
field which the press left. Its release still does what the button says."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.service import Service, demonstrating, wait_until
from tests.browser.windows import DESK, PHONE, Windows

CLAIRE = "claire.dumas@atelier-dumas.example"
CAMILLE = "camille.roux@mail.example"
THEO = "theo.marchand@mail.example"
PASSWORD = "a river joins another"
OPERATOR = "finance@affluent.example"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with demonstrating(tmp_path_factory.mktemp("demo")) as service:
        yield service


def window_of(demo: Service, windows: Windows, email: str, path: str, on: str = "desk") -> Page:
    windows.base = demo.base
    page = windows.open(locale="fr-FR", **{"desk": DESK, "phone": PHONE}[on])
    page.goto("/dev")
    page.locator(f"form:has([value='{email}']) button").click()
    page.wait_for_load_state()
    page.goto(path)
    return page


@contextmanager
def half_pressed(page: Page, target: Locator) -> Iterator[None]:
    """Pressed before the block and released after it."""
    target.hover()
    page.mouse.down()
    yield
    page.mouse.up()


@pytest.mark.parametrize(
    ("email", "path", "button", "kind"),
    [
        (OPERATOR, "/statements", "#statement-files a[href*='csv']", "credit"),
        (CLAIRE, "/activity", "#activity-more a[download]", "invitations"),
    ],
)
def test_a_press_that_leaves_the_search_fetches_the_file_that_is_shown(
    demo: Service, windows: Windows, email: str, path: str, button: str, kind: str
) -> None:
    page = window_of(demo, windows, email, path)
    asked: list[str] = []
    page.locator("[name=q]").fill("julien")
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_download() as download:
        page.locator(button).click()
    assert asked == []
    assert "q=" not in download.value.url
    page.locator("details summary", has_text="Par").click()
    page.locator("select[name=kind]").select_option(kind)
    expect(page).to_have_url(re.compile("kind=.*q=julien|q=julien.*kind="))
    expect(page.locator(button)).to_have_attribute("href", re.compile("q=julien"))


def test_the_badge_moves_under_a_press_that_leads_to_the_users(
    demo: Service, windows: Windows
) -> None:
    page = window_of(demo, windows, CLAIRE, "/settings")
    other = window_of(demo, windows, CLAIRE, "/users")
    badge = page.locator("#pending-badge")
    before = int(badge.inner_text())
    with half_pressed(page, badge):
        other.locator("#add [name=emails]").fill("nouvelle@mail.example")
        other.locator("#add form:has([name=emails]) button[type=submit]").first.click()
        expect(badge).to_have_text(str(before + 1))
    expect(page).to_have_url(re.compile("/users"))


def test_a_files_progress_moves_under_a_press_that_leads_to_it(
    demo: Service, windows: Windows, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Email\n" + "\n".join(f"p{at}@mail.example" for at in range(3)))
    page = window_of(demo, windows, CLAIRE, "/uploads")
    page.set_input_files("#file", path)
    page.locator("form:has(#file) button[type=submit]").first.click()
    with demo.resting():
        page.locator("#send-all").click()
        expect(page.locator(".progress")).to_be_visible()
        page.goto("/users")
        link = page.locator(".progress a")
        expect(link).to_be_visible()
        link.hover()
        page.mouse.down()
    expect(page.locator(".progress progress")).to_have_attribute("value", "3", timeout=60_000)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"/uploads/\d+$"))


def test_a_copy_is_fetched_while_the_next_one_gets_ready(demo: Service, windows: Windows) -> None:
    owner = ("--owner", "owner@presses.example", "--currency", "EUR", "--seats", "5")
    made = demo.command("organisation", "create", "Presses", *owner, typed=PASSWORD)
    invoice = (made.split()[-1], "F-1")
    days = ("--issued-on", "2026-11-01", "--due-on", "2026-12-01")
    demo.command("invoice", "add", invoice[0], "--number", "F-1", *days, "--total", "10.00")
    windows.base = demo.base
    page = windows.open(**DESK)
    page.goto("/billing")
    page.locator("#sign-in [name=email]").fill("owner@presses.example")
    page.locator("#sign-in [name=password]").fill(PASSWORD)
    page.locator("#sign-in button").click()
    page.locator("a[href^='/billing/invoices/']").first.click()
    prepare, ready = page.locator("#copies form button"), page.locator("#copies a[download]")
    prepare.click()
    expect(ready).to_have_count(1, timeout=60_000)
    first = str(ready.get_attribute("href"))
    demo.command("invoice", "paid", *invoice)
    page.reload()
    with demo.resting():
        prepare.click()
        expect(page.locator("#copies li")).to_have_count(2)
        ready.hover()
        page.mouse.down()
    expect(ready).to_have_count(2, timeout=60_000)
    with page.expect_download() as download:
        page.mouse.up()
    assert download.value.url.endswith(first)


def test_what_was_opened_stays_open_while_the_list_beside_it_changes(
    demo: Service, windows: Windows
) -> None:
    page = window_of(demo, windows, CLAIRE, "/users")
    page.locator("#find summary").click()
    page.locator("#q").press_sequentially("hugo")
    expect(page.locator("#people tbody tr")).to_have_count(1)
    expect(page.locator("#find details")).to_have_attribute("open", "")


def test_an_invoice_is_paid_by_a_press_while_another_is_settled(
    demo: Service, windows: Windows
) -> None:
    days = ("--issued-on", "2026-11-01", "--due-on", "2026-12-31")
    demo.command("invoice", "add", THEO, "--number", "LATER", *days, "--total", "10.00")
    page = at_the_invitation(demo, windows, THEO)
    later = page.locator("#offer h2", has_text="LATER")
    expect(later).to_be_visible()
    pay = page.locator("#offer a[target=_blank]")
    with page.expect_popup() as opened, half_pressed(page, pay):
        demo.command("invoice", "paid", THEO, "LATER")
        expect(later).to_have_count(0)
    expect(opened.value).to_have_url(re.compile("/dev/pay/"))


def test_joining_is_undone_by_a_press_while_the_statement_gets_ready(
    demo: Service, windows: Windows
) -> None:
    page = at_the_invitation(demo, windows, CAMILLE)
    page.locator("#acceptance [value=refund]").tap()
    with demo.resting():
        page.locator("#acceptance button[data-for=refund]").tap()
        undo = page.locator("#undo form[action='/join/undo'] button")
        undo.hover()
        page.mouse.down()
    expect(page.locator("#result a[href$='.pdf']")).to_be_visible(timeout=60_000)
    page.mouse.up()
    expect(page.locator("#undo")).to_have_count(0)
    expect(page.locator("#result [id^=document]")).to_have_count(2)


def at_the_invitation(demo: Service, windows: Windows, email: str) -> Page:
    """On a phone, signed in, by the link in the newest mail."""
    page = window_of(demo, windows, email, "/dev/mail", "phone")
    mail = page.locator("tr", has_text=email).locator("a").first

    def is_there() -> bool:
        page.goto("/dev/mail")
        return mail.count() > 0

    wait_until(is_there)
    mail.tap()
    page.locator("main a[href*='/join/']").first.tap()
    expect(page.locator("#offer")).to_be_visible()
    return page
