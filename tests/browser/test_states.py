"""Every state of docs/joining.md on a phone, in French: rendered by Chromium from the very page
that the table's own test gets, so that one browser and no server is enough."""

from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, Route

from tests.apps import make_app
from tests.browser.windows import PHONE, Windows
from tests.databases import fresh_sqlite
from tests.people import make_cast, on_the_day
from tests.processes import ROOT
from tests.views.test_joining_table import STATES, rows
from webapp.database import database

STATIC = ROOT / "webapp" / "static"
BASE = "http://127.0.0.1:8000"
# What a person comes to, in the order in which it is read out.
READ = "main :is(h1, h2, h3, a, button, summary, input:not([type=hidden]), textarea)"
# Names of what can be pressed or filled in, and where each thing stands.
LOOK = """(selector) => [...document.querySelectorAll(selector)]
  .filter((el) => el.checkVisibility())
  .map((el) => {
    const { left, top, bottom, width } = el.getBoundingClientRect();
    return { name: (el.ariaLabel || el.labels?.[0]?.innerText || el.innerText || "").trim(),
             tag: el.localName, left, top, bottom, width };
  })"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAID_PLAN = [
    "Rejoindre Atelier Dumas",
    "Ce qui change",
    "Ce qui reste",
    "Ce que vous perdez",
    "Ce que les administrateurs de l’organisation pourront faire",
    "Votre propre abonnement",
    "Comment ce montant est calculé",
    "Remboursement au prorata : 49,97 €",
    "Transférer le solde créditeur au prorata à Atelier Dumas : 49,97 €",
    "Choisissez ci-dessus, puis rejoignez",
    "Pas maintenant, ou non merci",
]


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    app = make_app(fresh_sqlite(tmp_path_factory.mktemp("state")))
    app.extensions["babel"].locale_selector = lambda: "fr"
    with app.app_context(), on_the_day():
        yield app
    database.close()


@pytest.fixture
def phone(app: Flask, windows: Windows) -> Page:
    windows.base = BASE
    return windows.open(reduced_motion="reduce", **PHONE)


def show(app: Flask, phone: Page, state: str) -> int:
    """Brings the state about and has the browser render its page; returns its status."""
    found = STATES[state](make_cast(app))

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if route.request.resource_type == "document":
            route.fulfill(
                status=found.status_code, headers=dict(found.headers), body=found.get_data()
            )
        elif path.startswith("/static/"):
            route.fulfill(path=STATIC / path.removeprefix("/static/"))
        else:
            route.fulfill(status=204)

    phone.route("**/*", answer)
    phone.goto("/join")
    return int(found.status_code)


def assert_readable(phone: Page) -> None:
    found = phone.evaluate(LOOK, READ)
    assert all(one["name"] for one in found), found
    for before, after in pairwise(found):
        is_below = after["top"] >= before["top"] - 1
        is_beside = after["top"] < before["bottom"] and after["left"] > before["left"]
        assert is_below or is_beside, (before["name"], after["name"])
    assert phone.evaluate(SIDEWAYS) <= 0


@pytest.mark.parametrize(("state", "status"), [row[:2] for row in rows()], ids=lambda one: str(one))
def test_every_state_is_open_to_everybody_on_a_phone(
    app: Flask, phone: Page, state: str, status: int
) -> None:
    assert show(app, phone, state) == status
    assert phone.locator("html").get_attribute("lang") == "fr"
    assert phone.locator("h1").count() == 1
    assert_readable(phone)
    for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        phone.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(phone, options=rules)
        assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"


def test_the_offer_is_read_out_in_its_own_order(app: Flask, phone: Page) -> None:
    show(app, phone, "paid plan")
    names = [" ".join(one["name"].splitlines()[0].split()) for one in phone.evaluate(LOOK, READ)]
    assert names == PAID_PLAN
    phone.set_viewport_size({"width": 320, "height": 640})
    assert_readable(phone)


def test_no_is_as_easy_to_press_as_yes(app: Flask, phone: Page) -> None:
    """As wide, as high as a thumb wants, and right below."""
    show(app, phone, "paid plan")
    yes = phone.locator(".by-choice button:visible").bounding_box()
    no = phone.locator(".decline summary").bounding_box()
    assert yes is not None
    assert no is not None
    assert no["width"] >= yes["width"]
    assert min(yes["height"], no["height"]) >= 44
    assert 0 < no["y"] - yes["y"] < 200
