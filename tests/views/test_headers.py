"""What every answer carries, whatever it says; and which requests are refused unread."""

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.apps import make_app
from tests.client import HTMX, Browser, field_of
from tests.people import PASSWORD, Cast, make_cast, on_the_day
from tests.snapshots import everything
from tests.views.test_access import address_of, keep_mail, routes
from webapp.database import database
from webapp.models import Invitation

CLOSED = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "manifest-src 'self'",
}


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with on_the_day():
        yield


@pytest.fixture
def cast(app: Flask) -> Cast:
    keep_mail()
    return make_cast(app)


def assert_closed(response: TestResponse, own_policy: bool = False) -> None:
    headers = response.headers
    policy = {part.strip() for part in headers["Content-Security-Policy"].split(";")}
    if own_policy:
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= policy
        assert "script-src" not in headers["Content-Security-Policy"]
    else:
        assert policy == CLOSED
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert {"HX-Request", "Cookie", "Accept-Language"} <= set(headers["Vary"].split(", "))
    assert "private" in headers["Cache-Control"]
    for cookie in headers.getlist("Set-Cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie


def test_every_page_is_closed_to_others_and_kept_by_nobody(cast: Cast) -> None:
    for role in ("nobody", "link holder", "owner", "operator"):
        browser = cast.browser(role)
        for endpoint, method in sorted(routes(cast.app)):
            address = address_of(cast.app, endpoint, cast)
            asked = browser.client.open(
                address, method=method, headers={"X-CSRFToken": browser.csrf()}
            )
            assert_closed(asked, own_policy=endpoint == "dev_mail.html")
            # A fragment that may answer 304 has to be kept, and asked about each time.
            is_badge = endpoint == "invitations.badge" and asked.status_code == 200
            kept = "private, no-cache" if is_badge else "private, no-store"
            assert asked.headers["Cache-Control"] == kept, endpoint


@pytest.mark.parametrize("htmx", [False, True])
def test_errors_are_closed_too(cast: Cast, htmx: bool) -> None:
    browser = cast.browser("admin")
    headers = HTMX if htmx else {}
    found = {
        400: browser.client.post("/language", headers=headers),
        403: browser.get("/billing", htmx=htmx),
        404: browser.get("/nowhere", htmx=htmx),
        405: browser.client.delete("/users", headers={**headers, "X-CSRFToken": browser.csrf()}),
        422: browser.post("/invitations", htmx=htmx, emails=""),
    }

    assert {status: response.status_code for status, response in found.items()} == {
        status: status for status in found
    }
    for response in found.values():
        assert_closed(response)


def test_a_fault_of_ours_is_a_page_without_details(app: Flask) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a secret of the house")

    app.view_functions["health.healthz"] = fail
    fail.allows = "public"  # type: ignore[attr-defined]
    response = Browser(app).get("/healthz")

    assert response.status_code == 500
    assert "secret of the house" not in response.text
    assert_closed(response)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "a b", "é", "x" * 300]
)
def test_another_host_name_is_refused(cast: Cast, host: str) -> None:
    browser = cast.browser("owner")
    before = everything()

    for method in ("GET", "POST"):
        response = browser.client.open("/users", method=method, headers={"Host": host})
        assert response.status_code == 400
        assert "evil.example" not in response.text
        assert "Location" not in response.headers
        assert_closed(response)
    assert everything() == before


def test_our_own_host_names_are_known(database_url: str) -> None:
    app = make_app(database_url, base_url="https://affluent.example")
    client = app.test_client()

    for host in ("affluent.example", "127.0.0.1", "localhost:8000"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
    assert client.get("/healthz", headers={"Host": "www.affluent.example"}).status_code == 400
    database.close()


def test_on_https_cookies_are_bound_to_the_host_and_the_browser_is_told(database_url: str) -> None:
    at_home = "https://affluent.example"
    app = make_app(database_url, base_url=at_home)
    response = app.test_client().get("/sign-in", base_url=at_home)
    client = app.test_client()
    visits = [client.get(path, base_url=at_home) for path in ("/join", "/join/" + 43 * "x")]
    cookies = [cookie for each in (response, *visits) for cookie in sent_by(each)]
    names = [cookie.partition("=")[0] for cookie in cookies]
    assert names == [f"__Host-affluent{name}" for name in ("", "-probe", "-invitation")]
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; ")), cookie
        assert "Domain" not in cookie
    assert response.headers["Strict-Transport-Security"].startswith("max-age=")
    database.close()


def sent_by(response: TestResponse) -> list[str]:
    return response.headers.getlist("Set-Cookie")


@pytest.mark.parametrize("htmx", [False, True])
def test_a_write_that_another_site_caused_is_refused(cast: Cast, htmx: bool) -> None:
    browser = cast.browser("owner")
    fields = {"csrf_token": browser.csrf(), "emails": "new@example.org"}
    before = everything()

    response = browser.client.post(
        "/invitations",
        data=fields,
        headers={"Sec-Fetch-Site": "cross-site", **(HTMX if htmx else {})},
    )

    assert response.status_code == 403
    assert everything() == before


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("https://localhost.evil.example", 403),
        ("https://evil.example/localhost", 403),
        ("https://localhost@evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
        ("http://localhost", 303),
        ("http://127.0.0.1:8000", 303),
    ],
)
def test_a_browser_that_does_not_tell_of_the_site_is_asked_for_the_origin(
    cast: Cast, origin: str, status: int
) -> None:
    browser = cast.browser("owner")
    fields = {"csrf_token": browser.csrf(), "emails": "new@example.org"}
    before = everything()

    response = browser.client.post("/invitations", data=fields, headers={"Origin": origin})

    assert response.status_code == status
    assert (everything() == before) == (status == 403)


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_a_write_of_our_own_pages_goes_through(cast: Cast, site: str) -> None:
    browser = cast.browser("owner")
    fields = {"csrf_token": browser.csrf(), "emails": "new@example.org"}

    response = browser.client.post("/invitations", data=fields, headers={"Sec-Fetch-Site": site})

    assert response.status_code == 303


def test_looking_from_another_site_is_no_offence(cast: Cast) -> None:
    response = cast.browser("link holder").get("/join", headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 200


@pytest.mark.parametrize("field", [{}, {"csrf_token": ""}, {"csrf_token": "x"}])
def test_a_form_without_its_field_is_refused_with_a_page(cast: Cast, field: dict[str, str]) -> None:
    browser = cast.browser("owner")
    # A signature stands where forms have their field.
    signed = ("webhooks.stripe", "reminders.mute", "reports.create", "reports.take_back")
    addresses = [
        address_of(cast.app, endpoint, cast)
        for endpoint, method in sorted(routes(cast.app))
        if method == "POST" and endpoint not in signed
    ]
    before = everything()

    for address in addresses:
        response = browser.client.post(address, data={"emails": "new@example.org", **field})
        assert response.status_code == 400, address
        assert 'role="alert"' in response.text
    assert everything() == before


def test_the_field_of_another_session_is_worth_nothing(cast: Cast) -> None:
    others = cast.browser("admin").csrf()
    browser = cast.browser("owner")
    browser.csrf()

    response = browser.client.post(
        "/invitations", data={"csrf_token": others, "emails": "new@example.org"}
    )

    assert response.status_code == 400
    assert not Invitation.select().where(Invitation.email == "new@example.org").exists()


def test_the_field_of_one_form_is_good_for_every_form_and_tab(cast: Cast) -> None:
    browser = cast.browser("owner")
    first = field_of(browser.get("/users"), "csrf_token")
    browser.get("/account")
    browser.get("/users")

    added = browser.client.post("/invitations", data={"csrf_token": first, "emails": "a@b.example"})
    named = browser.client.post("/account", data={"csrf_token": first, "name": "Claire"})
    header = browser.client.post(
        f"/invitations/{cast.invitation.id}/revocation", headers={**HTMX, "X-CSRFToken": first}
    )

    assert (added.status_code, named.status_code, header.status_code) == (303, 303, 200)


def test_a_page_opened_before_signing_in_elsewhere_still_sends_its_form(cast: Cast) -> None:
    browser = Browser(cast.app)
    tab = field_of(browser.get("/sign-in"), "csrf_token")
    browser.sign_in("claire@dumas.example", PASSWORD)

    response = browser.client.post("/account", data={"csrf_token": tab, "name": "Claire"})

    assert response.status_code == 303


def test_the_language_form_never_leads_to_another_site(cast: Cast) -> None:
    browser = cast.browser("owner")
    for referrer in (
        "https://evil.example/users",
        "//evil.example/users",
        "http://localhost//evil.example",
        "http://localhost/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
    ):
        response = browser.client.post(
            "/language",
            data={"csrf_token": browser.csrf(), "locale": "fr"},
            headers={"Referer": referrer},
        )
        goal = response.headers["Location"]
        assert response.status_code == 303
        assert goal.startswith("/"), referrer
        assert not goal.replace("\\", "/").startswith("//"), referrer


def test_the_place_after_signing_in_is_a_name_never_an_address(cast: Cast) -> None:
    for place in ("https://evil.example", "//evil.example", "/users", "home.show", "\0", "é"):
        response = Browser(cast.app).sign_in("claire@dumas.example", PASSWORD, then=place)
        assert response.status_code == 303
        assert response.headers["Location"] == "/"


def test_the_links_token_is_in_no_answer(cast: Cast) -> None:
    browser = Browser(cast.app)
    answers = [browser.get(f"/join/{cast.token}"), browser.get("/join")]
    answers += [cast.browser("admin").get(path) for path in ("/users", "/users?status=pending")]

    for response in answers:
        told: Any = unescape(response.text) + str(response.headers)
        assert cast.token not in told


def test_a_static_file_is_what_it_says(app: Flask) -> None:
    response = app.test_client().get("/static/app.css")

    assert response.status_code == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    response.close()
