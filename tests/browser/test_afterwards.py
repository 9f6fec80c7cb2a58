"""After joining: the page of what came of it, alive; and one's own account, to its erasure."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.service import Service, demonstrating
from tests.browser.test_promises import CAMILLE, LOOKS, assert_in_order, join, opened
from tests.browser.windows import Windows

INES = "ines.faure@mail.example"


@pytest.fixture
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with demonstrating(tmp_path_factory.mktemp("demo")) as service:
        yield service


def accepted(demo: Service, windows: Windows, look: tuple[str, str, str]) -> Page:
    page = opened(demo, windows, CAMILLE, look)
    join(demo, page, CAMILLE)
    page.locator("[name=choice][value=refund]").check()
    page.locator("[data-for=refund]").click()
    expect(page.locator("#result")).to_be_visible()
    return page


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[3]], ids="-".join)
def test_the_result_is_alive_until_the_bank_has_the_money(
    demo: Service, windows: Windows, look: tuple[str, str, str]
) -> None:
    page = accepted(demo, windows, look)
    expect(page.locator("#result a[href$='.pdf']")).to_be_visible()
    expect(page.locator("[data-until]")).to_have_text(re.compile("24 h 00 min|23 h 5[5-9] min"))
    assert_in_order(page)
    page.locator("[action='/join/confirmation'] button").click()
    expect(page.locator("[action='/join/undo']")).to_have_count(0)
    expect(page.locator(".steps mark")).to_have_attribute("data-status", "pending", timeout=30_000)
    # Nobody reloads: the page itself asks on, and is answered.
    with page.expect_response("**/join") as asked:
        pass
    assert asked.value.status in (200, 304)
    assert_in_order(page)


def test_a_hidden_page_does_not_ask(demo: Service, windows: Windows) -> None:
    page = accepted(demo, windows, LOOKS[0])
    expect(page.locator("#result a[href$='.pdf']")).to_be_visible()
    page.locator("[action='/join/confirmation'] button").click()
    expect(page.locator("[action='/join/undo']")).to_have_count(0)
    page.clock.install()
    page.reload()
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => window.away !== false })")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)
    assert asked == []
    page.evaluate("window.away = false")
    with page.expect_response("**/join"):
        page.clock.run_for(12_000)  # less than htmx waits for an answer


@pytest.mark.parametrize("look", [LOOKS[1], LOOKS[2]], ids="-".join)
def test_another_browser_is_signed_out_from_afar(
    demo: Service, windows: Windows, look: tuple[str, str, str]
) -> None:
    other = opened(demo, windows, INES, look)
    page = opened(demo, windows, INES, look)
    page.goto("/account")
    assert_in_order(page)
    page.locator("#sessions li button").click()
    expect(page.locator("#sessions li")).to_have_count(1)
    expect(page.locator("#flash .callout")).to_be_visible()
    other.goto("/account")
    expect(other.locator("#sign-in")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[3]], ids="-".join)
def test_a_person_takes_their_data_and_has_it_erased(
    demo: Service, windows: Windows, look: tuple[str, str, str], javascript: bool
) -> None:
    page = opened(demo, windows, INES, look)
    if not javascript:
        cookies = page.context.cookies()
        page = windows.open(locale=look[0], javascript=False)
        page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.goto("/account")
    with page.expect_download() as download:
        page.locator("a[href='/account/export.json']").click()
    assert INES in download.value.path().read_text()
    page.locator("a[href='/account/erasure']").click()
    if javascript:
        assert_in_order(page)
    page.locator("[action='/account/erasure'] button").click()
    expect(page).to_have_url(f"{demo.base}/account/erased")
    expect(page.locator("#account-menu")).to_have_count(0)
    if javascript:
        assert_in_order(page)
