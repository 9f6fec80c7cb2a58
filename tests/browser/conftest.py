"""Chromium, and the service that it visits. Nothing may go wrong in a window unseen."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.service import Service, running
from tests.browser.windows import Windows
from tests.databases import fresh_sqlite

# First the one without windows of its own, which no test looks at: the whole program spends half as
# much again on the same pages.
NAMES = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable"),
)
BUNDLES = ("/Applications/Chromium.app/Contents/MacOS/Chromium",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    given = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    path = given or next(filter(os.path.exists, BUNDLES), None)
    assert path, "Chromium was not found: `make test` installs it, CHROMIUM names another"
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def windows(chromium: Browser) -> Iterator[Windows]:
    """Fails the test that leaves an error in a console: a script's, or the CSP's."""
    windows = Windows(chromium, "")
    yield windows
    windows.close()
    assert windows.faults == []


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests that can share it: each opens an organisation of its own."""
    with running(fresh_sqlite(tmp_path_factory.mktemp("house"))) as service:
        yield service
