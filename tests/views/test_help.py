"""The help page, the organisation's join page, and its QR code (rule I14)."""

from collections.abc import Iterator

import pytest
import segno
from flask import Flask

from tests.client import words_of
from tests.people import ROLES, Cast, invite, make_cast, on_the_day
from webapp import qr
from webapp.models import Account

JOIN = "/o/dumas0000000"


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with on_the_day():
        yield


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app)


def test_help_stands_at_the_foot_of_every_page_and_beside_the_form(cast: Cast) -> None:
    for role in ("nobody", "member", "owner"):
        assert 'href="/help"' in cast.browser(role).get("/", follow_redirects=True).text
    assert "Requirements and good practice" in words_of(cast.browser("admin").get("/users"))


def test_who_invites_gets_a_message_to_copy_and_the_code(cast: Cast) -> None:
    page = cast.browser("admin").get("/help")

    assert f"http://127.0.0.1:8000{JOIN}" in words_of(page)
    assert f'src="{JOIN}/qr.svg"' in page.text
    assert 'data-copy="#message"' in page.text
    assert "1,000 people in 24 hours" in words_of(page)


@pytest.mark.parametrize("role", ["nobody", "member", "finance", "individual", "operator"])
def test_others_get_the_general_help(cast: Cast, role: str) -> None:
    page = cast.browser(role).get("/help")

    assert "What blocks joining" in words_of(page)
    assert "/o/" not in page.text
    assert "dumas0000000" not in page.text


def test_help_gives_the_operators_own_figures(cast: Cast) -> None:
    words = words_of(cast.browser("nobody").get("/help"))

    assert "An invitation is valid for 30 days." in words
    assert "Joining can be undone for 24 hours." in words


def test_the_join_page_never_tells_who_is_invited(cast: Cast) -> None:
    """The same words for who is invited and for who is not, with the link in hand or without."""
    invite(cast.users["owner"], cast.users["individual"].email)
    invited, other = (words_of(cast.browser(role).get(JOIN)) for role in ("invitee", "operator"))
    again = words_of(cast.browser("individual").get(JOIN))

    def without_the_reader(words: str, role: str) -> str:
        user = cast.users[role]
        words = words.replace(user.email, "").replace(user.name, "").replace("Billing", "")
        return " ".join(words.split())

    assert without_the_reader(invited, "invitee") == without_the_reader(other, "operator")
    assert without_the_reader(again, "individual") == without_the_reader(other, "operator")
    holder, nobody = (words_of(cast.browser(role).get(JOIN)) for role in ("link holder", "nobody"))
    assert holder == nobody
    assert "Ask an administrator of Atelier Dumas" in nobody


def test_a_member_reads_that_nothing_is_left_to_do(cast: Cast) -> None:
    for role in ROLES:
        words = words_of(cast.browser(role).get(JOIN))
        is_member = role in ("owner", "admin", "finance", "member")
        assert ("You are already a member" in words) == is_member, role


@pytest.mark.parametrize("tail", ["", "/qr.svg"])
def test_only_organisations_have_a_join_page(cast: Cast, tail: str) -> None:
    others = Account.select().where(Account.kind != "organisation")

    for public_id in (*(account.public_id for account in others), "unknown", "x" * 5000, "%00"):
        assert cast.browser("nobody").get(f"/o/{public_id}{tail}").status_code == 404, public_id


def test_the_code_is_of_the_join_pages_address_and_nothing_else(cast: Cast) -> None:
    answer = cast.browser("nobody").get(f"{JOIN}/qr.svg")

    assert answer.content_type == "image/svg+xml"
    assert answer.data == qr.svg(f"http://127.0.0.1:8000{JOIN}")
    assert answer.data == cast.browser("owner").get(f"{JOIN}/qr.svg").data
    assert len(answer.data) < 10_000
    assert b"<script" not in answer.data
    assert b"<text" not in answer.data
    assert b"<title" not in answer.data
    assert segno.make_qr(f"http://127.0.0.1:8000{JOIN}", error="m").error == "M"


def test_the_users_page_shows_used_and_free_licences(cast: Cast) -> None:
    words = words_of(cast.browser("admin").get("/users"))

    assert "25 licences, 0 in use, 25 free" in words
