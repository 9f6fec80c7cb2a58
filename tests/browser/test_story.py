"""The main job as people see it: on a phone, in French, from the mail's own link."""

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from tests.browser.service import Service, running, wait_until
from tests.browser.windows import DESK, PHONE, Windows
from tests.scenarios.people import (
    FINANCE,
    FREE,
    MONTHLY,
    OWNER,
    PASSWORD,
    YEARLY,
    write_import,
)

OWNERS_PASSWORD = "a river joins another"


@pytest.fixture
def service(database_url: str) -> Iterator[Service]:
    with running(database_url) as service:
        yield service


@pytest.mark.parametrize(
    ("engine", "javascript"),
    [("sqlite", True), ("sqlite", False), ("postgresql", True)],
    ids=["sqlite", "sqlite-without-javascript", "postgresql"],
)
def test_the_story_on_a_phone_in_french(
    service: Service, windows: Windows, javascript: bool, tmp_path: Path
) -> None:
    windows.base = service.base
    open_the_house(service, tmp_path)
    desk = windows.open(javascript=javascript, **DESK)
    invite_three(desk)
    phones = {email: windows.open(javascript=javascript, **PHONE) for email in (FREE, YEARLY)}
    join_for_free(phones[FREE], service)
    take_the_refund(phones[YEARLY], service)
    phone = windows.open(javascript=javascript, **PHONE)
    leave_the_credit(phone, service)
    expect_badge(desk, 0, javascript)
    refund, credit = statement(phones[YEARLY], javascript), statement(phone, javascript)
    assert "100,00 €" in refund
    assert "Visa •••• 4242" in refund
    assert "49,97 €" in credit
    assert "Atelier Dumas" in credit
    sign_in_as_before(windows.open(javascript=javascript, **PHONE))
    see_all_statements(windows.open(javascript=javascript, **DESK), javascript)
    assert service.command("ledger", "check") == "the ledger holds"


def open_the_house(service: Service, folder: Path) -> None:
    today = datetime.now(ZoneInfo("Europe/Paris")).date()
    rows = write_import(folder / "people.csv", today)
    assert service.command("import", str(rows)).startswith("imported 3,")
    create = ("organisation", "create", "Atelier Dumas", "--owner", OWNER, "--currency", "EUR")
    service.command(*create, "--seats", "25", "--locale", "fr", typed=OWNERS_PASSWORD)
    service.command("operator", "create", FINANCE, typed=OWNERS_PASSWORD)


def sign_in(page: Page, email: str, password: str) -> None:
    form = page.locator("#sign-in")
    form.locator("[name=email]").fill(email)
    form.locator("[name=password]").fill(password)
    form.get_by_role("button").click()


def invite_three(desk: Page) -> None:
    desk.goto("/users")
    sign_in(desk, OWNER, OWNERS_PASSWORD)
    expect(desk.get_by_role("heading", level=1)).to_have_text("Gestion des utilisateurs")
    expect(desk.locator("#pending-badge")).to_have_text("0")
    desk.get_by_label("Ajouter des utilisateurs").fill(f"{FREE}, {YEARLY}\nMona <{MONTHLY}>")
    desk.get_by_role("button", name="Ajouter", exact=True).click()
    expect(desk.locator("#pending-badge")).to_have_text("3")
    expect(desk.locator("tbody tr", has_text=YEARLY)).to_contain_text("En attente")


def open_mail(phone: Page, service: Service, email: str) -> None:
    phone.goto(service.link_for(email))
    expect(phone).to_have_url(f"{service.base}/join")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("Atelier Dumas")


def join_for_free(phone: Page, service: Service) -> None:
    open_mail(phone, service, FREE)
    sign_in(phone, FREE, PASSWORD)
    form = phone.locator("#acceptance")
    expect(form.get_by_role("radio")).to_have_count(0)
    form.get_by_role("button").tap()
    expect(phone.locator("#result")).to_be_visible()
    expect(phone.locator("#result a[href$='.pdf']")).to_have_count(0)


def take_the_refund(phone: Page, service: Service) -> None:
    open_mail(phone, service, YEARLY)
    sign_in(phone, YEARLY, PASSWORD)
    form = phone.locator("#acceptance")
    expect(form.get_by_role("radio")).to_have_count(2)
    expect(form.locator(":checked")).to_have_count(0)
    form.locator("label", has_text="Visa •••• 4242").tap()
    button = form.get_by_role("button")
    expect(button).to_have_count(1)
    expect(button).to_contain_text("100,00 €")
    button.tap()
    expect(phone.locator("#result")).to_contain_text("100,00 €")


def leave_the_credit(phone: Page, service: Service) -> None:
    open_mail(phone, service, MONTHLY)
    phone.locator("form[action='/sign-in/code']").get_by_role("button").tap()
    phone.locator("[name=code]").fill(service.code_for(MONTHLY))
    phone.locator("form:has([name=code])").get_by_role("button").tap()
    form = phone.locator("#acceptance")
    form.locator("label", has_text="Atelier Dumas").tap()
    button = form.get_by_role("button")
    expect(button).to_contain_text("49,97 €")
    expect(button).to_contain_text("Atelier Dumas")
    button.tap()
    expect(phone.locator("#result")).to_contain_text("49,97 €")


def expect_badge(desk: Page, number: int, javascript: bool) -> None:
    """By itself in an open window; without JavaScript at the next look."""
    if not javascript:
        desk.reload()
    expect(desk.locator("#pending-badge")).to_have_text(str(number))


def statement(phone: Page, javascript: bool) -> str:
    """The text of the PDF that the result page comes to offer."""
    link = phone.locator("#result a[href$='.pdf']")
    look_until(phone, link, javascript)
    return downloaded(phone, link)


def look_until(page: Page, wanted: Locator, javascript: bool) -> None:
    if not javascript:
        wait_until(lambda: wanted.count() > 0 or not page.reload())
    expect(wanted).to_be_visible(timeout=30_000)


def downloaded(page: Page, link: Locator) -> str:
    with page.expect_download() as download:
        link.click()
    pdf = PdfReader(BytesIO(Path(download.value.path()).read_bytes()))
    text = " ".join(page.extract_text() for page in pdf.pages)
    return " ".join(text.split()).replace("\u202f", " ")


def sign_in_as_before(phone: Page) -> None:
    phone.goto("/sign-in")
    sign_in(phone, YEARLY, PASSWORD)
    phone.goto("/account")
    expect(phone.locator("main")).to_contain_text("Atelier Dumas")


def see_all_statements(desk: Page, javascript: bool) -> None:
    desk.goto("/statements")
    sign_in(desk, FINANCE, OWNERS_PASSWORD)
    links = desk.locator("tbody a[href$='.pdf']")
    look_until(desk, links.nth(2), javascript)
    expect(links).to_have_count(3)
    row = desk.locator("tbody tr", has_text=YEARLY)
    assert "100,00 €" in downloaded(desk, row.locator("a[href$='.pdf']"))
