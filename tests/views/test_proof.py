"""Whoever makes somebody an administrator by inviting them shows first that it is them: a session
that was left open gives nobody power over the organisation."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Browser, field_of, words_of
from tests.people import PASSWORD, Cast, invite
from tests.snapshots import everything
from webapp.actions import amendments, uploads
from webapp.actions.inviting import Offer
from webapp.models import Account, Invitation, Upload

NEW = "new@example.org"
ON = {"Referer": "http://localhost/users?status=pending"}


@pytest.fixture
def stale(app: Flask, cast: Cast, day: Any) -> Browser:
    """An owner's browser six minutes after its sign-in."""
    browser = Browser(app)
    browser.sign_in("claire@dumas.example", PASSWORD)
    day.shift(6 * 60)
    return browser


def press(browser: Browser, address: str, htmx: bool = False, **fields: str) -> TestResponse:
    """As from the users page, narrowed to what is pending."""
    headers = {**ON, "HX-Request": "true", "HX-Current-URL": ON["Referer"]} if htmx else ON
    data = {"csrf_token": browser.csrf(), **fields}
    return browser.client.post(address, data=data, headers=headers)


def is_asked_for_proof(answer: TestResponse) -> bool:
    if "HX-Redirect" in answer.headers:
        return answer.headers["HX-Redirect"] == "/account/proof"
    return (answer.status_code, answer.location) == (303, "/account/proof")


def prove(browser: Browser) -> TestResponse:
    page = browser.get("/account/proof")
    assert "One more check: is it you?" in words_of(page)
    return browser.sign_in(field_of(page, "email"), PASSWORD, then=field_of(page, "then"))


@pytest.mark.parametrize("htmx", [False, True])
def test_an_administrator_is_invited_after_a_fresh_proof(stale: Browser, htmx: bool) -> None:
    offer = {"emails": NEW, "role": "admin", "note": "Welcome"}
    stale.csrf()
    before = everything()
    assert is_asked_for_proof(press(stale, "/invitations", htmx, **offer))
    assert everything() == before

    back = prove(stale)
    assert (back.status_code, back.location) == (
        303,
        ON["Referer"].removeprefix("http://localhost"),
    )
    page = stale.get(back.location)
    assert NEW in page.text.partition('name="emails"')[2].partition("</textarea>")[0]
    assert "Welcome" in page.text
    assert NEW not in stale.get(back.location).text, "kept once"

    assert press(stale, "/invitations", **offer).status_code == 303
    assert Invitation.get(Invitation.email == NEW).is_admin


@pytest.mark.parametrize("htmx", [False, True])
def test_a_list_that_is_too_long_to_be_kept_stays_on_the_page(stale: Browser, htmx: bool) -> None:
    many = [f"somebody{number}@example.org" for number in range(100)]
    offer = {"emails": "\n".join(many), "role": "admin", "note": "Welcome"}
    answer = press(stale, "/invitations", htmx, **offer)
    assert answer.status_code == 422
    assert 'href="/account/proof"' in answer.text
    for written in (*many, "Welcome"):
        assert written in answer.text
    assert not Invitation.select().where(Invitation.email == many[0]).exists()

    prove(stale)
    press(stale, "/invitations", confirmed="1", **offer)
    assert Invitation.select().where(Invitation.email.in_(many), Invitation.is_admin).count() == 100


@pytest.mark.parametrize("role", ["member", "finance"])
def test_others_are_invited_without(stale: Browser, role: str) -> None:
    assert press(stale, "/invitations", emails=NEW, role=role).location == "/users"
    assert Invitation.select().where(Invitation.email == NEW).exists()


def test_no_invitation_becomes_an_administrators_without(stale: Browser, cast: Cast) -> None:
    address = f"/invitations/{cast.invitation.id}/amendment"
    fields = {"role": "admin", "licence": "basic", "seen": amendments.standing(cast.invitation)}

    assert is_asked_for_proof(press(stale, address, **fields))
    assert not Invitation.get_by_id(cast.invitation.id).is_admin
    prove(stale)
    press(stale, address, **fields)
    assert Invitation.get_by_id(cast.invitation.id).is_admin


def test_nor_is_it_sent_to_another_address(stale: Browser, cast: Cast) -> None:
    waiting = invite(cast.users["owner"], "boss@example.org", role="admin")
    address = f"/invitations/{waiting.id}/address"

    assert is_asked_for_proof(press(stale, address, email=NEW))
    assert Invitation.get_by_id(waiting.id).email == "boss@example.org"
    assert not is_asked_for_proof(
        press(stale, f"/invitations/{cast.invitation.id}/address", email=NEW)
    )


def test_nor_does_a_file_make_any(stale: Browser, cast: Cast) -> None:
    content = b"Email,Role\nnew@example.org,admin\n"
    owner = cast.membership("owner")
    upload = uploads.create(owner, "people.csv", content, Offer(locale="en"))

    assert is_asked_for_proof(press(stale, f"/uploads/{upload.id}/confirmation"))
    assert Upload.get_by_id(upload.id).status == "draft"
    prove(stale)
    press(stale, f"/uploads/{upload.id}/confirmation")
    assert Upload.get_by_id(upload.id).status == "sending"


def test_the_second_factor_is_asked_for_or_no_more_after_a_proof_only(
    stale: Browser, cast: Cast
) -> None:
    Account.update(second_factor="all").where(Account.id == cast.organisation.id).execute()

    assert is_asked_for_proof(press(stale, "/settings/second-factor", second_factor=""))
    assert Account.get_by_id(cast.organisation.id).second_factor == "all"
    Account.update(second_factor="").where(Account.id == cast.organisation.id).execute()
    prove(stale)
    press(stale, "/settings/second-factor", second_factor="admins")
    assert Account.get_by_id(cast.organisation.id).second_factor == "admins"


def test_who_may_not_make_one_is_told_so_all_the_same(cast: Cast) -> None:
    answer = cast.browser("admin").post("/invitations", emails=NEW, role="admin")

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/x",
        "http://localhost//evil.example/",
        "http://localhost/invitations",
        f"http://localhost/invitations/{'9' * 5000}",
        "http://localhost/\xff",
        "http://[",
        "",
    ],
)
def test_going_on_leads_nowhere_else(stale: Browser, page: str) -> None:
    answer = stale.client.post(
        "/invitations",
        data={"csrf_token": stale.csrf(), "emails": NEW, "role": "admin"},
        headers={"Referer": page} if page else {},
    )

    assert is_asked_for_proof(answer)
    assert prove(stale).location in ("/", "/users")
