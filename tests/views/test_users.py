"""The users page as page and as fragment, and what the address bar may ask of it."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Browser, words_of
from tests.people import Cast, invite, make_cast, on_the_day
from webapp.models import Membership, User

AS_PAGE = [{"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}]


@pytest.fixture
def day() -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def cast(app: Flask, day: Any) -> Cast:
    return make_cast(app)


@pytest.fixture
def owner(cast: Cast) -> Browser:
    return cast.browser("owner")


def test_the_list_is_a_page_and_a_fragment_of_the_same_rows(owner: Browser) -> None:
    page, fragment = (owner.get("/users", htmx=htmx) for htmx in (False, True))

    assert "<html" in page.text
    assert fragment.text.lstrip().startswith(('<section id="people"', "<!--"))
    for email in ("claire@dumas.example", "zoe@example.org"):
        assert email in page.text
        assert email in fragment.text
    assert "HX-Request" in page.headers["Vary"]


@pytest.mark.parametrize("headers", AS_PAGE)
def test_a_boosted_link_and_the_back_button_get_the_page(
    owner: Browser, headers: dict[str, str]
) -> None:
    assert "<html" in owner.get("/users", htmx=True, headers=headers).text


def test_without_script_every_state_and_page_is_a_link(cast: Cast, owner: Browser) -> None:
    for at in range(55):
        invite(cast.users["owner"], f"p{at}@example.org")
    page = owner.get("/users?q=example&status=pending&licence=basic")

    links = [dict(parse_qsl(urlsplit(unescape(link)).query)) for link in hrefs(page)]

    assert {"status": "revoked", "q": "example", "licence": "basic"} in links
    (more,) = [link for link in links if "after" in link]
    assert more | {"after": ""} == {
        "status": "pending", "q": "example", "licence": "basic", "after": "",
    }  # fmt: skip
    assert 'aria-current="page"' in page.text


def hrefs(page: TestResponse) -> list[str]:
    return re.findall(r'<a[^>]*? href="(/users[^"]*)"', page.text)


@pytest.mark.parametrize(
    "query",
    [
        "status=nothing&role=king&licence=gold",
        "after=",
        "after=x",
        "after=1~member",
        "after=1~king~1",
        "after=1e400~member~1",
        "after=nan~member~1",
        "after=inf~member~1",
        "after=1~member~99999999999999999999999",
        "after=1~member~%00",
        "after=1~member~\u0663",
        "after=-99999999999999~invitation~1",
        "q=%00",
        "q=%F0%9F%92%A9%ED%A0%80",
        "q=" + "x" * 5000,
        "q=a&q=b&status=pending&status=active",
        "unknown=1",
    ],
)
def test_what_nobody_would_ask_still_shows_a_list(owner: Browser, query: str) -> None:
    for htmx in (False, True):
        assert owner.get(f"/users?{query}", htmx=htmx).status_code == 200


def test_the_badge_of_the_navigation_is_everywhere_for_those_who_invite(cast: Cast) -> None:
    for role in ("owner", "admin"):
        for path in ("/users", "/account", "/statements"):
            assert 'id="pending-badge"' in cast.browser(role).get(path).text
    for role in ("finance", "member", "individual", "operator"):
        assert 'id="pending-badge"' not in cast.browser(role).get("/account").text


@pytest.mark.parametrize(
    ("role", "entries"),
    [
        ("owner", ["/users", "/billing", "/statements", "/account"]),
        ("admin", ["/users", "/statements", "/account"]),
        ("finance", ["/billing", "/statements", "/account"]),
        ("member", ["/statements", "/account"]),
        ("operator", ["/billing", "/statements", "/account"]),
    ],
)
def test_the_navigation_has_what_the_person_can_use(
    cast: Cast, role: str, entries: list[str]
) -> None:
    page = cast.browser(role).get("/account").text
    (nav,) = re.findall(r'<nav class="entries".*?</nav>', page, re.S)

    assert re.findall(r'<a href="([^"]*)"', nav) == entries


def test_only_an_owner_is_offered_to_make_an_admin(cast: Cast) -> None:
    offered = {role: adding(cast.browser(role)) for role in ("owner", "admin")}

    assert '<option value="admin"' in offered["owner"]
    assert '<option value="admin"' not in offered["admin"]


def adding(browser: Browser) -> str:
    (form,) = re.findall(r'<article id="add">.*?</article>', browser.get("/users").text, re.S)
    return str(form)


def test_the_licences_in_use_are_told(cast: Cast, owner: Browser) -> None:
    Membership.update(licence="licensed").where(Membership.user == cast.users["member"]).execute()

    words = words_of(owner.get("/users"))

    assert "25" in words
    assert "1 " in words


def test_waiting_ones_are_taken_over_with_one_press(cast: Cast, owner: Browser) -> None:
    assert "/invitations/takeover" not in owner.get("/users").text
    Membership.update(is_admin=False).where(Membership.user == cast.users["admin"]).execute()
    assert "/invitations/takeover" in owner.get("/users").text

    answer = owner.post("/invitations/takeover")

    assert (answer.status_code, answer.location) == (303, "/users")
    assert "/invitations/takeover" not in owner.get("/users").text


def test_the_page_is_in_the_persons_language(cast: Cast, owner: Browser) -> None:
    User.update(locale="fr").execute()

    page = owner.get("/users")

    assert '<html lang="fr"' in page.text
    assert "Gestion des utilisateurs" in words_of(page)
