"""An invitee's phone: 390 by 844, touched, in both languages, with and without script."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.service import Service, demonstrating, wait_until
from tests.browser.windows import PHONE, Windows

CAMILLE = "camille.roux@mail.example"
THEO = "theo.marchand@mail.example"
PASSWORD = "demonstration"

# (locale, scheme, script)
PHONES = (
    ("fr-FR", "light", True),
    ("fr-FR", "dark", False),
    ("en-GB", "dark", True),
    ("en-GB", "light", False),
)
JOIN = {"fr": "Rejoindre Atelier Dumas", "en": "Join Atelier Dumas"}


@pytest.fixture
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with demonstrating(tmp_path_factory.mktemp("demo")) as service:
        yield service


def phone_at_the_invitation(
    demo: Service, windows: Windows, email: str, look: tuple[str, str, bool]
) -> Page:
    windows.base = demo.base
    locale, scheme, has_script = look
    page = windows.open(locale=locale, javascript=has_script, color_scheme=scheme, **PHONE)
    open_mail(page, email, "Atelier Dumas")
    page.locator("main a[href*='/join/']").first.tap()
    expect(page).to_have_url(f"{demo.base}/join")
    assert_in_order(page, has_script)
    return page


def assert_in_order(page: Page, has_script: bool = True) -> None:
    """axe is a script itself: without any, the page's own promises are looked at."""
    assert page.locator("h1").count() == 1
    if has_script:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def sign_in(page: Page, email: str, password: str) -> None:
    page.locator("#sign-in [name=email]").fill(email)
    page.locator("#sign-in [name=password]").fill(password)
    page.locator("#sign-in button").tap()


def open_mail(page: Page, email: str, words: str) -> None:
    """The newest mail to this address whose subject has these words, once it has been sent."""
    mail = page.locator("tr", has_text=email).locator("a", has_text=words)

    def is_there() -> bool:
        page.goto("/dev/mail")
        return mail.count() > 0

    wait_until(is_there)
    mail.first.tap()


def code_in(context: BrowserContext, email: str) -> str:
    """As it stands in the newest mail, read in another tab."""
    tab = context.new_page()
    open_mail(tab, email, "code")
    words = tab.locator("main").inner_text()
    tab.close()
    return next(word for word in words.split() if len(word) == 6 and word.isdigit())


@pytest.mark.parametrize("look", PHONES, ids=str)
def test_a_password_and_a_code_are_asked_for_without_losing_the_page(
    demo: Service, windows: Windows, look: tuple[str, str, bool]
) -> None:
    page = phone_at_the_invitation(demo, windows, CAMILLE, look)
    heading = page.get_by_role("heading", level=1)
    sign_in(page, CAMILLE, "wrong")
    expect(page.locator("[role=alert]")).to_be_visible()
    expect(heading).to_have_text(JOIN[look[0][:2]])
    assert_in_order(page, look[2])
    page.locator("form[action='/sign-in/code'] button").first.tap()
    expect(page.locator("[name=code]")).to_be_visible()
    expect(heading).to_have_text(JOIN[look[0][:2]])
    assert_in_order(page, look[2])
    page.goto("/join")
    page.locator("[name=code]").fill(code_in(page.context, CAMILLE))
    page.locator("form:has([name=code]) button").tap()
    expect(page.locator("#acceptance")).to_be_visible()
    expect(page.locator("#acceptance :checked")).to_have_count(0)
    assert_in_order(page, look[2])


@pytest.mark.parametrize("look", PHONES, ids=str)
def test_an_invoice_is_paid_in_another_tab_and_the_page_goes_on(
    demo: Service, windows: Windows, look: tuple[str, str, bool]
) -> None:
    page = phone_at_the_invitation(demo, windows, THEO, look)
    sign_in(page, THEO, PASSWORD)
    pay = page.locator("#offer a[target=_blank]")
    expect(pay).to_be_visible()
    expect(page.locator("#acceptance")).to_have_count(0)
    assert_in_order(page, look[2])
    with page.context.expect_page() as opened:
        pay.tap()
    tab = opened.value
    tab.locator("form[action*='/dev/pay/'] button").tap()
    expect(tab.locator("[data-kind=success]")).to_be_visible()
    tab.close()
    if not look[2]:
        page.reload()
    expect(page.locator("#acceptance")).to_be_visible()
    expect(pay).to_have_count(0)
    assert_in_order(page, look[2])


@pytest.mark.parametrize("look", PHONES[:2], ids=str)
def test_saying_no_is_as_easy_to_find_as_saying_yes(
    demo: Service, windows: Windows, look: tuple[str, str, bool]
) -> None:
    page = phone_at_the_invitation(demo, windows, CAMILLE, look)
    page.locator(".decline summary").tap()
    page.locator("[name=reason]").fill("Plus tard")
    page.locator("form[action='/join/decline'] button").tap()
    expect(page.locator("[name=reason]")).to_have_count(0)
    expect(page.locator("#acceptance")).to_have_count(0)
    assert_in_order(page, look[2])
