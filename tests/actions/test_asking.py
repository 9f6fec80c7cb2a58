"""What invitees ask for: a new link, a licence, an account that is theirs alone."""

from datetime import timedelta
from typing import Any

import pytest

from tests.client import Browser, field_of, words_of
from tests.people import (
    Cast,
    invite,
    link_of,
    make_individual,
    make_member,
    make_paying,
    membership_of,
    written,
)
from tests.snapshots import everything
from webapp import clock
from webapp.actions import accounts, asking, invitations, sharing
from webapp.errors import NotThere, Stale, TooMany
from webapp.models import Account, Invitation, KeptMail, Membership, OutboxMessage, User


def asked(kind: str) -> list[int]:
    """The users that messages of this kind go to."""
    messages = OutboxMessage.select().where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)
    return [message.payload["user_id"] for message in messages]


def again(invitation: Invitation) -> Invitation:
    found: Invitation = Invitation.get_by_id(invitation.id)
    return found


def expire(invitation: Invitation) -> Invitation:
    Invitation.update(expires_at=clock.now()).where(Invitation.id == invitation.id).execute()
    return again(invitation)


def fill(organisation: Account) -> None:
    accounts.update_organisation(organisation.public_id, seats=0)


def waiting(cast: Cast) -> Invitation:
    """Somebody who is invited with a licence where none is free."""
    fill(cast.organisation)
    return invite(cast.users["admin"], "zoe2@example.org", licence="licensed")


def test_a_new_link_is_asked_of_the_inviter_once_a_day(cast: Cast, day: Any) -> None:
    expired = expire(cast.invitation)
    assert asking.for_link(expired)
    assert not asking.for_link(again(expired))
    assert not asking.for_link(expired)
    assert asked("mail:renewal") == [cast.users["admin"].id]
    day.shift(timedelta(hours=24))
    assert asking.for_link(again(expired))
    assert len(asked("mail:renewal")) == 2


def test_the_owners_are_asked_when_the_inviter_invites_no_more(cast: Cast) -> None:
    Membership.update(is_admin=False).where(Membership.user == cast.users["admin"]).execute()
    assert asking.for_link(expire(cast.invitation))
    assert asked("mail:renewal") == [cast.users["owner"].id]


def test_a_link_that_has_not_expired_is_not_renewed(cast: Cast) -> None:
    with pytest.raises(Stale):
        asking.for_link(cast.invitation)
    assert asked("mail:renewal") == []


def test_an_organisation_is_asked_for_so_many_links_a_day(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "RENEWALS", 1)
    asking.for_link(expire(cast.invitation))
    with pytest.raises(TooMany):
        asking.for_link(expire(invite(cast.users["owner"], "more@example.org")))
    assert len(asked("mail:renewal")) == 1


def test_whoever_waits_for_a_licence_is_told_once_it_is_free(cast: Cast) -> None:
    invitation = waiting(cast)
    assert asking.for_seat(invitation)
    assert not asking.for_seat(invitation)
    assert asked("mail:seat-wanted") == [cast.users["admin"].id]
    assert asking.tell_of_seats(clock.now()) == 0
    accounts.update_organisation(cast.organisation.public_id, seats=5)
    assert asking.tell_of_seats(clock.now()) == 1
    assert asking.tell_of_seats(clock.now()) == 0
    (mail,) = OutboxMessage.select().where(OutboxMessage.kind == "mail:seat-free")
    assert mail.invitation == invitation


def test_nobody_waits_for_what_is_there(cast: Cast) -> None:
    with pytest.raises(Stale):
        asking.for_seat(cast.invitation)
    invitation = waiting(cast)
    accounts.update_organisation(cast.organisation.public_id, seats=5)
    with pytest.raises(Stale):
        asking.for_seat(invitation)


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_whoever_cannot_join_any_more_is_not_told(cast: Cast, end: str) -> None:
    invitation = waiting(cast)
    asking.for_seat(invitation)
    if end == "revoked":
        invitations.revoke(membership_of(cast.users["owner"]), invitation.id)
    else:
        expire(invitation)
    accounts.update_organisation(cast.organisation.public_id, seats=5)
    assert asking.tell_of_seats(clock.now()) == 0


def test_without_a_licence_one_joins_only_where_that_is_allowed(cast: Cast) -> None:
    invitation = waiting(cast)
    user = make_paying(invitation.email)
    browser = Browser(cast.app).sign_in_as(user)
    browser.open_link(link_of(invitation))
    assert "/join/acceptance" not in browser.get("/join?licence=basic").text
    assert browser.post("/join/acceptance", licence="basic").status_code == 409
    Account.update(basic_when_full=True).where(Account.id == cast.organisation.id).execute()
    page = browser.get("/join?licence=basic")
    assert "with a basic licence" in words_of(page)
    form = {"choice": "refund", "quote": field_of(page, "quote"), "licence": "basic"}
    assert browser.post("/join/acceptance", **form).status_code == 303
    assert membership_of(user).licence == "basic"
    assert again(invitation).licence == "licensed"


def test_a_licence_that_came_free_meanwhile_is_offered_first(cast: Cast) -> None:
    invitation = waiting(cast)
    Account.update(basic_when_full=True).where(Account.id == cast.organisation.id).execute()
    browser = Browser(cast.app).sign_in_as(make_paying(invitation.email))
    browser.open_link(link_of(invitation))
    page = browser.get("/join?licence=basic")
    accounts.update_organisation(cast.organisation.public_id, seats=5)
    form = {"choice": "refund", "quote": field_of(page, "quote"), "licence": "basic"}
    answer = browser.post("/join/acceptance", **form)
    assert answer.status_code == 409
    assert "The invitation was changed" in words_of(answer)
    assert "with a licence that it pays for" in words_of(answer)
    assert written()["acceptances"] == 0


def test_an_edited_invitation_is_shown_anew_before_it_is_accepted(cast: Cast) -> None:
    for user in (cast.users["invitee"], cast.users["individual"]):
        invitation = cast.invitation
        if user.email != invitation.email:
            invitation = invite(cast.users["owner"], user.email)
        browser = Browser(cast.app).sign_in_as(user)
        quote = field_of(browser.open_link(link_of(invitation)), "quote")
        Invitation.update(is_admin=True, inviter=cast.users["owner"]).where(
            Invitation.id == invitation.id
        ).execute()
        answer = browser.post("/join/acceptance", choice="refund", quote=quote)
        assert answer.status_code == 409
        assert "The invitation was changed" in words_of(answer)
    assert written()["acceptances"] == 0


def test_another_user_of_ones_own_account_is_removed_and_told(cast: Cast) -> None:
    mine = membership_of(cast.users["invitee"])
    guest = make_member("guest@example.org", mine.account)
    browser = cast.browser("invitee")
    page = browser.get("/join")
    assert "Guest uses your account too" in words_of(page)
    path = f"/join/users/{membership_of(guest).id}/removal"
    assert browser.post(path).status_code == 303
    assert browser.post(path).status_code == 404
    own = membership_of(guest)
    assert (own.account.kind, own.is_owner, own.account_id != mine.account_id) == (
        "individual", True, True
    )  # fmt: skip
    assert "/join/acceptance" in browser.get("/join").text
    assert asked("mail:unshared") == [guest.id]


@pytest.mark.parametrize("role", ["owner", "admin", "member", "individual", "operator"])
def test_nobody_is_removed_from_an_account_that_is_not_ones_own(cast: Cast, role: str) -> None:
    guest = make_member("guest@example.org", membership_of(cast.users["invitee"]).account)
    before = everything()
    for victim in (guest, cast.users["finance"], cast.users[role]):
        with pytest.raises(NotThere):
            sharing.remove(membership_of(cast.users[role]), membership_of(victim).id)
    assert everything() == before


def two_invitations(cast: Cast) -> tuple[User, Invitation, Invitation]:
    user = make_individual("wanted@example.org")
    ours = invite(cast.users["owner"], user.email)
    theirs = invite(cast.users["foreign owner"], user.email)
    return user, ours, theirs


def test_two_organisations_stand_side_by_side_and_one_is_chosen(cast: Cast) -> None:
    user, ours, theirs = two_invitations(cast)
    browser = Browser(cast.app).sign_in_as(user)
    link_of(theirs)
    page = browser.open_link(link_of(ours))
    assert "Maison Petit" in words_of(page)
    assert "Join Atelier Dumas" in words_of(page)
    assert browser.post("/join/choice", invitation=str(theirs.id)).location == "/join"
    assert "Join Maison Petit" in words_of(browser.get("/join"))
    assert browser.post("/join/acceptance").status_code == 303
    assert membership_of(user).account == cast.elsewhere
    assert again(ours).status == "superseded"


def test_nobody_turns_to_the_invitation_of_another(cast: Cast) -> None:
    _, ours, _ = two_invitations(cast)
    link_of(ours)
    browser = cast.browser("invitee")
    for given in (str(ours.id), "", "x", "9" * 30):
        assert browser.post("/join/choice", invitation=given).status_code == 404


def test_without_a_link_only_a_proven_address_finds_its_invitations(cast: Cast) -> None:
    user, ours, _ = two_invitations(cast)
    link_of(ours)
    browser = Browser(cast.app).sign_in_as(user)
    assert browser.get("/join").status_code == 404
    assert browser.post("/join/choice", invitation=str(ours.id)).status_code == 404
    User.update(verified_at=clock.now()).where(User.id == user.id).execute()
    page = browser.get("/join")
    assert page.status_code == 200
    assert "Atelier Dumas" in words_of(page)
    assert "Maison Petit" not in words_of(page)
    assert browser.post("/join/choice", invitation=str(ours.id)).status_code == 303


def test_a_browser_without_cookies_is_told_so(cast: Cast) -> None:
    bare = cast.app.test_client(use_cookies=False)
    page = bare.get(f"/join/{cast.token}", follow_redirects=True)
    assert (page.status_code, page.request.path) == (404, "/join/cookies")
    assert "cookies" in page.text.lower()
    fresh = Browser(cast.app).get("/join", follow_redirects=True)
    assert (fresh.status_code, fresh.request.path) == (404, "/join")
    assert KeptMail.select().count() == 0
