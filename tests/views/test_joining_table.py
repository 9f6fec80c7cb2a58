"""docs/joining.md, state by state: the page, its status and its next step are as written there."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Browser, field_of, words_of
from tests.people import (
    Cast,
    invite,
    link_of,
    make_cast,
    make_individual,
    make_member,
    make_paying,
    membership_of,
    on_the_day,
)
from webapp import clock
from webapp.actions import accounts, asking, invitations, invoices
from webapp.models import Account, Invitation, Membership, Payment, Session, User
from webapp.views import link

TABLE = Path(__file__).resolve().parent.parent.parent / "docs" / "joining.md"
Build = Callable[[Cast], TestResponse]
STATES: dict[str, Build] = {}


def rows() -> Iterator[tuple[str, int, str, str]]:
    for line in TABLE.read_text().splitlines():
        if line.startswith("| `"):
            state, _, status, words, step = (cell.strip() for cell in line.strip("|").split("|"))
            yield state.strip("`"), int(status), words, step.strip("`")


def state(name: str) -> Callable[[Build], Build]:
    def keep(build: Build) -> Build:
        STATES[name] = build
        return build

    return keep


@pytest.fixture(autouse=True)
def day() -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app)


def test_every_state_is_brought_about() -> None:
    assert [name for name, *_ in rows()] == list(STATES)


@pytest.mark.parametrize(
    ("name", "status", "words", "step"), list(rows()), ids=lambda value: str(value)[:30]
)
def test_the_page_is_as_the_table_says(
    cast: Cast, name: str, status: int, words: str, step: str
) -> None:
    page = STATES[name](cast)

    assert page.status_code == status
    assert words in words_of(page)
    if step:
        assert f'action="{step}' in page.text or f'href="{step}' in page.text
    forms = ('action="/join/acceptance"', 'action="/join/renewal"')
    assert [form for form in forms if form in page.text] == [
        form for form in forms if step in form and step.startswith("/join/")
    ] or step in ("/sign-in", "/join/choice")


def joining(cast: Cast) -> Browser:
    return cast.browser("invitee")


def ended(cast: Cast, role: str = "link holder", **changes: Any) -> TestResponse:
    browser = cast.browser(role)
    changes = changes or {"expires_at": clock.now()}
    if "status" in changes:
        changes["answered_at"] = clock.now()
    Invitation.update(changes).where(Invitation.id == cast.invitation.id).execute()
    return browser.get("/join")


def owe(cast: Cast) -> None:
    account = membership_of(cast.users["invitee"]).account
    invoices.add(
        account, "F-77", issued_on=None, due_on=None, total_minor=3000,
        pay_url="https://pay.example/F-77",
    )  # fmt: skip


def form_of(browser: Browser, choice: str = "refund") -> dict[str, str]:
    return {"choice": choice, "quote": field_of(browser.get("/join"), "quote")}


def opened(cast: Cast, user: User, **offer: Any) -> TestResponse:
    invitation = invite(cast.users["owner"], user.email, **offer)
    return Browser(cast.app).sign_in_as(user).open_link(link_of(invitation))


def without_licence(cast: Cast) -> tuple[User, Invitation]:
    accounts.update_organisation(cast.organisation.public_id, seats=0)
    user = make_paying("late@example.org")
    return user, invite(cast.users["owner"], user.email, licence="licensed")


def seen(cast: Cast, user: User, invitation: Invitation) -> TestResponse:
    return Browser(cast.app).sign_in_as(user).open_link(link_of(invitation))


@state("no cookies")
def _no_cookies(cast: Cast) -> TestResponse:
    bare = cast.app.test_client(use_cookies=False)
    language = {"Accept-Language": "en"}
    return bare.get(f"/join/{cast.token}", headers=language, follow_redirects=True)


@state("unknown link")
def _unknown(cast: Cast) -> TestResponse:
    return Browser(cast.app).open_link(cast.token[:-1])


@state("link forgotten")
def _forgotten(cast: Cast) -> TestResponse:
    browser = cast.browser("link holder")
    browser.csrf()
    browser.client.delete_cookie(link.COOKIE)
    return browser.get("/join")


@state("link forgotten, signed in")
def _forgotten_signed_in(cast: Cast) -> TestResponse:
    User.update(verified_at=clock.now()).execute()
    return Browser(cast.app).sign_in_as(cast.users["invitee"]).get("/join")


@state("expired")
def _expired(cast: Cast) -> TestResponse:
    return ended(cast)


@state("expired and asked")
def _asked(cast: Cast) -> TestResponse:
    browser = cast.browser("link holder")
    ended(cast)
    asking.for_link(Invitation.get_by_id(cast.invitation.id))
    return browser.get("/join")


@state("revoked")
def _revoked(cast: Cast) -> TestResponse:
    return ended(cast, status="revoked")


@state("replaced")
def _replaced(cast: Cast) -> TestResponse:
    browser = cast.browser("link holder")
    invitations.resend(membership_of(cast.users["owner"]), cast.invitation.id)
    return browser.get("/join")


@state("superseded")
def _superseded(cast: Cast) -> TestResponse:
    return ended(cast, "invitee", status="superseded")


@state("declined")
def _declined(cast: Cast) -> TestResponse:
    return ended(cast, status="declined")


@state("used")
def _used(cast: Cast) -> TestResponse:
    _used_by_you(cast)
    return cast.browser("link holder").get("/join")


@state("used by you")
def _used_by_you(cast: Cast) -> TestResponse:
    browser = joining(cast)
    browser.post("/join/acceptance", **form_of(browser))
    return browser.get("/join")


@state("used, seen by another")
def _used_by_another(cast: Cast) -> TestResponse:
    _used_by_you(cast)
    return cast.browser("other invitee").get("/join")


@state("known person")
def _known(cast: Cast) -> TestResponse:
    return cast.browser("link holder").get("/join")


@state("new person")
def _new(cast: Cast) -> TestResponse:
    return Browser(cast.app).open_link(link_of(invite(cast.users["owner"], "nina@example.org")))


@state("code asked for")
def _code(cast: Cast) -> TestResponse:
    browser = cast.browser("link holder")
    browser.post("/sign-in/code", then="join")
    return browser.get("/join")


@state("wrong password")
def _wrong(cast: Cast) -> TestResponse:
    return cast.browser("link holder").sign_in("zoe@example.org", "wrong", then="join")


@state("somebody else")
def _somebody_else(cast: Cast) -> TestResponse:
    return cast.browser("other invitee").get("/join")


@state("member already")
def _member(cast: Cast) -> TestResponse:
    user = cast.users["individual"]
    invitation = invite(cast.users["owner"], user.email)
    Membership.update(account=cast.organisation, is_owner=False).where(
        Membership.user == user
    ).execute()
    return seen(cast, user, invitation)


@state("plan lapsed")
def _lapsed(cast: Cast) -> TestResponse:
    accounts.update_organisation(cast.organisation.public_id, plan="lapsed")
    return joining(cast).get("/join")


@state("inviter gone")
def _gone(cast: Cast) -> TestResponse:
    Membership.update(is_admin=False).where(Membership.user == cast.users["admin"]).execute()
    return joining(cast).get("/join")


@state("unpaid invoice")
def _invoice(cast: Cast) -> TestResponse:
    owe(cast)
    return joining(cast).get("/join")


@state("payment under way")
def _being_paid(cast: Cast) -> TestResponse:
    owe(cast)
    invoices.note_being_paid(membership_of(cast.users["invitee"]).account, ["F-77"])
    return joining(cast).get("/join")


@state("refund under way")
def _being_returned(cast: Cast) -> TestResponse:
    Payment.update(
        returned_minor=1900, returned_elsewhere_minor=1900, returning_minor=1200
    ).execute()
    return joining(cast).get("/join")


@state("dispute")
def _dispute(cast: Cast) -> TestResponse:
    Payment.update(is_disputed=True).execute()
    return joining(cast).get("/join")


@state("other user")
def _other_user(cast: Cast) -> TestResponse:
    make_member("guest@example.org", membership_of(cast.users["invitee"]).account)
    return joining(cast).get("/join")


@state("last owner")
def _last_owner(cast: Cast) -> TestResponse:
    return opened(cast, cast.users["foreign owner"])


@state("operator")
def _operator(cast: Cast) -> TestResponse:
    return opened(cast, cast.users["operator"])


@state("no licence free")
def _no_seat(cast: Cast) -> TestResponse:
    return seen(cast, *without_licence(cast))


@state("no licence free, waiting")
def _waiting(cast: Cast) -> TestResponse:
    user, invitation = without_licence(cast)
    asking.for_seat(invitation)
    return seen(cast, user, invitation)


@state("no licence needed")
def _without(cast: Cast) -> TestResponse:
    Account.update(basic_when_full=True).where(Account.id == cast.organisation.id).execute()
    return seen(cast, *without_licence(cast))


@state("two organisations")
def _two(cast: Cast) -> TestResponse:
    link_of(invite(cast.users["foreign owner"], "zoe@example.org"))
    return joining(cast).get("/join")


@state("paid plan")
def _paid(cast: Cast) -> TestResponse:
    return joining(cast).get("/join")


@state("paid plan, nothing left")
def _nothing_left(cast: Cast) -> TestResponse:
    Payment.update(returned_minor=Payment.captured_minor).execute()
    return joining(cast).get("/join")


@state("free account")
def _free(cast: Cast) -> TestResponse:
    return opened(cast, make_individual("free@example.org"))


@state("credit, proven too long ago")
def _proof(cast: Cast) -> TestResponse:
    browser = joining(cast)
    Session.update(proven_at=clock.now() - timedelta(minutes=6)).execute()
    return browser.post("/join/acceptance", **form_of(browser, "credit"))


@state("figures changed")
def _figures(cast: Cast) -> TestResponse:
    browser = joining(cast)
    form = form_of(browser)
    Payment.update(returned_minor=100).execute()
    return browser.post("/join/acceptance", **form)


@state("invitation edited")
def _edited(cast: Cast) -> TestResponse:
    browser = joining(cast)
    form = form_of(browser)
    Invitation.update(licence="licensed").execute()
    return browser.post("/join/acceptance", **form)


@state("revoked meanwhile")
def _revoked_meanwhile(cast: Cast) -> TestResponse:
    browser = joining(cast)
    form = form_of(browser)
    ended(cast, status="revoked")
    return browser.post("/join/acceptance", **form)


@state("expired meanwhile")
def _expired_meanwhile(cast: Cast) -> TestResponse:
    browser = joining(cast)
    form = form_of(browser)
    ended(cast)
    return browser.post("/join/acceptance", **form)


@state("replaced meanwhile")
def _replaced_meanwhile(cast: Cast) -> TestResponse:
    browser = joining(cast)
    form = form_of(browser)
    invitations.resend(membership_of(cast.users["owner"]), cast.invitation.id)
    return browser.post("/join/acceptance", **form)


@state("plan lapsed meanwhile")
def _lapsed_meanwhile(cast: Cast) -> TestResponse:
    browser = joining(cast)
    form = form_of(browser)
    accounts.update_organisation(cast.organisation.public_id, plan="lapsed")
    return browser.post("/join/acceptance", **form)


@state("inviter gone meanwhile")
def _gone_meanwhile(cast: Cast) -> TestResponse:
    browser = joining(cast)
    form = form_of(browser)
    _gone(cast)
    return browser.post("/join/acceptance", **form)


@state("link forgotten meanwhile")
def _forgotten_meanwhile(cast: Cast) -> TestResponse:
    browser = joining(cast)
    form = form_of(browser)
    browser.client.delete_cookie(link.COOKIE)
    return browser.post("/join/acceptance", **form)


@state("blocked meanwhile")
def _blocked_meanwhile(cast: Cast) -> TestResponse:
    browser = joining(cast)
    form = form_of(browser)
    owe(cast)
    return browser.post("/join/acceptance", **form)
