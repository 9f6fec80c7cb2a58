"""What every page promises, whoever opens it: nothing in the way, light, still, in bounds."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.service import Service, demonstrating, wait_until
from tests.browser.windows import DESK, PHONE, Windows

CLAIRE = "claire.dumas@atelier-dumas.example"
FINANCE = "finance@affluent.example"
CAMILLE = "camille.roux@mail.example"
THEO = "theo.marchand@mail.example"

# Who looks at which pages; nobody is signed in under "".
PAGES = {
    "": ("/dev", "/dev/mail", "/sign-in", "/join", "/nothing-here", "/help"),
    CLAIRE: (
        "/users",
        "/users?status=attention",
        "/users?q=nobody-at-all",
        "/uploads",
        "/invitations/1",
        "/invitations/3",
        "/settings",
        "/activity",
        "/activity?q=nobody-at-all",
        "/activity?from=x",
        "/billing",
        "/billing/movements",
        "/billing/charts",
        "/billing/invoices/2",
        "/users/funnel",
        "/statements",
        "/account",
        "/account/sign-in",
        "/account/proof",
        "/account/erasure",
        "/account/departure",
        "/help",
    ),
    FINANCE: (
        "/statements",
        "/statements?from=x",
        "/billing",
        "/billing/month-end",
        "/billing/charts",
        "/billing/refunds/2",
        "/account/sign-in",
    ),
    CAMILLE: ("/account", "/account/sign-in", "/account/erasure", "/statements"),
}
# (locale, scheme, size): each language, each scheme and each size, without all their products.
LOOKS = (
    ("fr-FR", "light", "phone"),
    ("fr-FR", "dark", "desk"),
    ("en-GB", "dark", "phone"),
    ("en-GB", "light", "desk"),
)
SIZES = {"phone": PHONE, "desk": DESK}
WIDTHS = (320, 600, 800, 801, 960, 961, 1100, 1200, 1280)
# How far the page, or a table in its card, can be pushed sideways.
SIDEWAYS = """Math.max(...[document.documentElement, ...document.querySelectorAll("article.table")]
  .map((el) => el.scrollWidth - el.clientWidth))"""
# Bytes on the wire of a first view: all of it, and the HTML and CSS of it.
ALL, STRUCTURE = 100_000, 30_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The demo's people; their mails are kept for /dev/mail."""
    with demonstrating(tmp_path_factory.mktemp("demo")) as service:
        yield service


def opened(demo: Service, windows: Windows, person: str, look: tuple[str, str, str]) -> Page:
    locale, scheme, size = look
    windows.base = demo.base
    page = windows.open(locale=locale, color_scheme=scheme, **SIZES[size])
    if person:
        page.goto("/dev")
        page.locator("tr", has_text=person).locator("button").click()
        expect(page.locator("#account-menu")).to_be_attached()
        in_the_language(page, locale[:2])
    return page


def in_the_language(page: Page, language: str) -> None:
    """A signed-in person's own choice comes before the browser's."""
    if page.locator("html").get_attribute("lang") != language:
        page.locator(".tools button[name=locale]").click()
        expect(page.locator("html")).to_have_attribute("lang", language)


def join(demo: Service, page: Page, email: str) -> str:
    """To the invitee's page by the link in the demo's mail, once the worker has written it. Returns
    the link there to the page that reports."""
    mail = page.locator("tr", has_text=email).locator("a").first

    def is_there() -> bool:
        page.goto("/dev/mail")
        return mail.count() > 0

    wait_until(is_there)
    mail.click()
    link, report = (
        page.locator(f"main a[href*='/{name}/']").first.get_attribute("href") or ""
        for name in ("join", "reports")
    )
    page.goto(link)
    return report


def assert_in_order(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("window.shifted") <= 0.02
    assert page.evaluate("window.violated") == []
    assert page.evaluate(SIDEWAYS) <= 0
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("look", LOOKS, ids="-".join)
@pytest.mark.parametrize("person", PAGES)
def test_every_page_is_open_to_everybody(
    demo: Service, windows: Windows, person: str, look: tuple[str, str, str]
) -> None:
    page = opened(demo, windows, person, look)
    for path in PAGES[person]:
        page.goto(path)
        assert_in_order(page)


@pytest.mark.parametrize("look", LOOKS, ids="-".join)
@pytest.mark.parametrize("email", [CAMILLE, THEO])
def test_the_invitees_page_is_open_to_everybody(
    demo: Service, windows: Windows, email: str, look: tuple[str, str, str]
) -> None:
    visitor = opened(demo, windows, "", look)
    report = join(demo, visitor, email)
    assert_in_order(visitor)
    visitor.goto(report)
    assert_in_order(visitor)
    page = opened(demo, windows, email, look)
    join(demo, page, email)
    assert_in_order(page)
    page.locator("summary").last.click()
    assert_in_order(page)


@pytest.mark.parametrize("person", [CLAIRE, FINANCE])
def test_no_width_makes_a_page_move_sideways(demo: Service, windows: Windows, person: str) -> None:
    """From 320 (a desk's 1280 enlarged four times) on, in the language with the longer words."""
    page = opened(demo, windows, person, LOOKS[1])
    for path in PAGES[person]:
        page.goto(path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(SIDEWAYS) <= 0, f"{path} at {width}"


@pytest.mark.parametrize("look", LOOKS[:2], ids="-".join)
def test_the_preview_and_the_form_with_errors_are_open_to_everybody(
    demo: Service, windows: Windows, look: tuple[str, str, str]
) -> None:
    page = opened(demo, windows, CLAIRE, look)
    page.goto("/users")
    page.locator("#add summary").click()
    page.locator("#add .inline button").click()
    expect(page.locator("#add [aria-invalid=true]")).to_be_focused()
    assert_in_order(page)
    # Typed, not filled in: the field grows under a hand that writes, which shifts nothing.
    written = f"new@example.org\nbad@\n{CLAIRE}\nnew@example.org"
    page.locator("#add [name=emails]").press_sequentially(written)
    page.locator("#add .inline button").click()
    expect(page.locator("#mend-1")).to_be_visible()
    page.locator("#add button[formaction='/invitations/letter']").click()
    expect(page.locator("#letter .mail").first).to_be_visible()
    assert_in_order(page)


@pytest.mark.parametrize("look", LOOKS, ids="-".join)
def test_a_file_of_people_is_open_to_everybody(
    demo: Service, windows: Windows, look: tuple[str, str, str]
) -> None:
    page = opened(demo, windows, CLAIRE, look)
    for content in ("Kontakt;Wer\na@b.example;A", f"Email\nnew@example.org\nbad@\n{CLAIRE}"):
        page.goto("/uploads")
        buffer = content.encode()
        page.set_input_files("#file", {"name": "p.csv", "mimeType": "text/csv", "buffer": buffer})
        page.locator("#add form button[type=submit]").first.click()
        expect(page).to_have_url(re.compile(r"/uploads/\d+$"))
        assert_in_order(page)
    page.locator("#tabs a").first.click()
    expect(page.locator("#rows tr")).to_have_count(3)
    assert_in_order(page)


@pytest.mark.parametrize(
    ("person", "path"),
    [("", "/sign-in"), (CLAIRE, "/users"), (FINANCE, "/statements"), (CAMILLE, "/account")],
)
def test_a_first_view_is_light(demo: Service, windows: Windows, person: str, path: str) -> None:
    assert_light(opened(demo, windows, person, LOOKS[0]), path)


@pytest.mark.parametrize("person", ["", CAMILLE])
def test_the_invitees_page_is_light(demo: Service, windows: Windows, person: str) -> None:
    """Before signing in, and with the whole offer of a paid plan."""
    page = opened(demo, windows, person, LOOKS[0])
    join(demo, page, CAMILLE)
    assert_light(page, "/join")


def assert_light(page: Page, path: str) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = {}
    session.on("Network.responseReceived", lambda e: kinds.update({e["requestId"]: e["type"]}))
    session.on(
        "Network.loadingFinished",
        lambda e: sizes.update({e["requestId"]: int(e["encodedDataLength"])}),
    )
    page.goto(path, wait_until="networkidle")
    structure = sum(sizes[id] for id in sizes if kinds.get(id) in ("Document", "Stylesheet"))
    assert 0 < structure < STRUCTURE
    assert structure < sum(sizes.values()) < ALL


def test_an_invitee_accepts_by_keyboard_alone(demo: Service, windows: Windows) -> None:
    page = opened(demo, windows, CAMILLE, LOOKS[3])
    join(demo, page, CAMILLE)
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.type"))
        if reached[-1] == "choice":
            page.keyboard.press("Space")
            page.keyboard.press("Tab")
            break
    assert "choice" in reached
    visible = page.locator(".by-choice button:focus")
    expect(visible).to_be_visible()
    expect(visible).to_contain_text("€")


def test_an_admin_adds_by_keyboard_alone(demo: Service, windows: Windows) -> None:
    page = opened(demo, windows, CLAIRE, LOOKS[3])
    page.goto("/users")
    page.keyboard.press("a")
    expect(page.locator("#emails")).to_be_focused()
    page.keyboard.type("keys@example.org")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#people")).to_contain_text("keys@example.org")
    page.locator("h1").click()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
