"""What people may call themselves and their organisations, and write in notes: on the invitee's
pages it is words, whatever it looks like."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Browser, words_of
from tests.hostile import HOSTILE
from tests.markup import Markup
from tests.people import invite, link_of, make_cast, make_paying, membership_of, on_the_day
from webapp import addresses
from webapp.actions import account_checks, profile
from webapp.errors import Invalid
from webapp.models import Account, Invitation, User

TARGET = re.compile(r'(?:href|action|src|hx-get|hx-post)="([^"]*)"')
# What of a page differs from one person and link to the next.
OWN = re.compile(r"/reports/[^\"]+")


@pytest.fixture(autouse=True)
def _day() -> Iterator[None]:
    with on_the_day():
        yield


def shape(page: TestResponse) -> tuple[dict[str, int], list[str]]:
    """Which elements a page has and where it leads; its markup is whole."""
    markup = Markup(page.text)
    # A name may well look like a placeholder.
    assert [fault for fault in markup.faults if "is no text for people" not in fault] == []
    return dict(markup.tags), [OWN.sub("/reports/", each) for each in TARGET.findall(page.text)]


def called(name: str, owner: User) -> None:
    """The owner and the organisation have this name, where that is possible at all."""
    profile.rename(owner, name)
    lines = account_checks.billing(account_checks.Billed(f"{name}\n{name}", "FR"))
    with suppress(Invalid):
        lines["name"] = account_checks.organisation_name(name)
    note = {"recommendation": "credit", "recommendation_note": lines["address"]}
    account = membership_of(owner).account
    Account.update(**lines, **note).where(Account.id == account.id).execute()


def pages_of(app: Flask, name: str, number: int) -> list[TestResponse]:
    """Before signing in, the offer, declined, and the page that reports."""
    owner = User.get(User.email == "claire@dumas.example")
    called(name, owner)
    user = make_paying(f"invitee{number}@example.org")
    profile.rename(user, name)
    invitation = invite(owner, user.email, name=name, note=f"{name}\n{name}", department=name)
    token = link_of(invitation)
    visitor, invitee = Browser(app), Browser(app).sign_in_as(user)
    pages = [visitor.open_link(token), invitee.open_link(token)]
    invitee.post("/join/decline", reason=name)
    pages.append(invitee.get("/join"))
    found = re.search(r'href="(/reports/[^"]+)"', pages[-1].text)
    assert found is not None
    return [*pages, invitee.get(found[1])]


# Templates are the same on either engine.
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_hostile_names_add_no_element_no_link_and_no_header(app: Flask) -> None:
    make_cast(app)
    Account.update(name="Plain").where(Account.kind == "organisation").execute()
    plain = pages_of(app, "Plain words", 0)
    expected = [shape(page) for page in plain]
    headers = [set(page.headers.keys()) for page in plain]
    for number, name in enumerate(HOSTILE, start=1):
        pages = pages_of(app, name.replace("\0", "\x01"), number)
        for page, known, names in zip(pages, expected, headers, strict=True):
            assert shape(page) == known, name
            assert set(page.headers.keys()) == names, name
            words = words_of(page)
            hidden = [c for c in words if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")]
            assert [c for c in hidden if c not in "\u2011\u00ad"] == [], name


def test_hostile_names_reach_no_other_address(app: Flask) -> None:
    """A name written before an address never becomes one, and an address never two."""
    cast = make_cast(app)
    for name in HOSTILE:
        for row in addresses.written_in(f"{name} <bo@example.org>"):
            with suppress(ValueError):
                email = addresses.normalised(row.text)
                assert email.isascii()
                assert "\n" not in email
    assert Invitation.select().where(Invitation.email == "victim@example.org").count() == 0
    assert cast.invitation.email == "zoe@example.org"
