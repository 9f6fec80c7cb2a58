"""Where people are after signing in: on the page that they asked for, be it a month in a mail."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.client import Browser, field_of
from tests.people import PASSWORD, Cast

OWNER = "claire@dumas.example"
MONTH = "/billing/movements?currency=EUR&month=2026-10"


def signed_in(browser: Browser, then: str) -> str | None:
    return browser.sign_in(OWNER, PASSWORD, then=then).location


def test_a_mails_link_leads_there_after_signing_in(app: Flask, cast: Cast) -> None:
    browser = Browser(app)
    sent = browser.get(MONTH)
    assert (sent.status_code, sent.location) == (303, "/sign-in?then=asked")
    then = field_of(browser.get(sent.location), "then")

    assert signed_in(browser, then) == MONTH
    browser.post("/sign-out")
    assert signed_in(browser, then) == "/"


@pytest.mark.parametrize("path", ["//evil.example/users", "/\\evil.example/users", "//users"])
def test_no_address_leads_out_of_here(app: Flask, cast: Cast, path: str) -> None:
    browser = Browser(app)
    browser.get("/", environ_overrides={"PATH_INFO": path})
    assert signed_in(browser, "asked") in ("/", "/users")


def test_the_place_is_that_of_this_browser_for_an_hour(app: Flask, cast: Cast, day: Any) -> None:
    asked, other = Browser(app), Browser(app)
    asked.get("/activity?q=claire")
    assert signed_in(other, "asked") == "/"
    day.shift(timedelta(hours=1, seconds=1))
    assert signed_in(asked, "asked") == "/"


def test_a_partial_or_a_download_leads_to_its_page(app: Flask, cast: Cast) -> None:
    browser = Browser(app)
    partial = browser.get("/users/live", htmx=True)
    assert partial.headers["HX-Redirect"] == "/sign-in?then=users"
    assert browser.get("/statements.csv").location == "/sign-in?then=statements"
    assert signed_in(browser, "asked") == "/"
