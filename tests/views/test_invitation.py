"""The page of one invitation: its timeline, and mending the address there."""

from datetime import timedelta
from typing import Any

import pytest

from tests.client import Browser, field_of, words_of
from tests.people import Cast, invite
from webapp import clock
from webapp.actions import invitations
from webapp.handlers import rounds
from webapp.models import DeliveryEvent, Invitation, Membership, OutboxMessage
from webapp.outbox import claiming


@pytest.fixture
def owner(cast: Cast) -> Browser:
    return cast.browser("owner")


def claimed(invitation: Invitation) -> claiming.Claim:
    """The invitation's waiting mail, as a worker holds it."""
    OutboxMessage.update(leaves_at=clock.now() + timedelta(days=9)).where(
        OutboxMessage.invitation != invitation
    ).execute()
    claim = claiming.claim(("mail:invitation",))
    assert claim is not None
    assert claim.message.invitation_id == invitation.id
    return claim


def page(browser: Browser, invitation: Invitation) -> str:
    return words_of(browser.get(f"/invitations/{invitation.id}"))


def in_order(text: str, *pieces: str) -> bool:
    places = [text.find(piece) for piece in pieces]
    return -1 not in places and places == sorted(places)


def test_the_timeline_tells_each_attempt_with_the_servers_words(
    cast: Cast, owner: Browser, day: Any
) -> None:
    claim = claimed(cast.invitation)
    rounds._defer(claim, "451 4.7.1 Greylisted")
    waiting = page(owner, cast.invitation)
    day.shift(timedelta(minutes=1))
    rounds._refuse(claimed(cast.invitation), "550 5.1.1 No such user")
    refused = page(owner, cast.invitation)

    assert in_order(
        waiting,
        "The next attempt to deliver the email.",
        "The mail server did not take the email yet.",
        "451 4.7.1 Greylisted",
        "· next attempt",
        "Hugo invited zoe@example.org.",
    )
    assert "next attempt to deliver" not in refused
    assert in_order(
        refused, "Email refused", "Correct the address", "550 5.1.1 No such user", "451 4.7.1"
    )
    assert DeliveryEvent.select().count() == 2


def test_a_mail_that_left_says_so_and_what_comes_next(cast: Cast, owner: Browser) -> None:
    rounds._finish(claimed(cast.invitation), True)

    words = page(owner, cast.invitation)

    assert in_order(
        words,
        "A reminder, unless there is an answer.",
        "26 November 2026 at 10:15",
        "The invitation expires.",
    )
    assert in_order(words, "The mail server took the email.", "Hugo invited")


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("resend", "sent zoe@example.org a new link."),
        ("revoke", "cancelled the invitation for zoe@example.org."),
        ("decline", "zoe@example.org declined."),
    ],
)
def test_what_people_did_is_told(cast: Cast, owner: Browser, verb: str, told: str) -> None:
    if verb == "decline":
        invitations.decline(cast.invitation, "Not now, thank you")
    else:
        getattr(invitations, verb)(cast.membership("owner"), cast.invitation.id)

    words = page(owner, cast.invitation)

    assert told in words
    assert ("Not now, thank you" in words) == (verb == "decline")
    assert ("Send it again" in words) == (verb == "resend")


def test_an_expired_invitation_says_when_and_can_still_be_mended(
    cast: Cast, owner: Browser, day: Any
) -> None:
    day.shift(timedelta(days=31))
    browser = cast.browser("owner")
    assert "The invitation expired without an answer." in page(browser, cast.invitation)

    answer = browser.post(f"/invitations/{cast.invitation.id}/address", email="new@example.org")

    assert answer.status_code == 303
    assert "corrected the address and sent a new link" in page(browser, cast.invitation)


def test_mending_goes_back_to_the_page_and_says_what_was_done(cast: Cast, owner: Browser) -> None:
    answer = owner.post(f"/invitations/{cast.invitation.id}/address", email="new@example.org")

    assert (answer.status_code, answer.location) == (303, f"/invitations/{cast.invitation.id}")
    assert "A new invitation is on its way to new@example.org." in page(owner, cast.invitation)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("new@", "This is not an address."),
        ("paul@dumas.example", "This person is already a member."),
        ("tom@example.org", "There is already an invitation for this address."),
    ],
)
def test_a_wrong_address_stays_in_the_field_with_its_error(
    cast: Cast, owner: Browser, written: str, words: str
) -> None:
    invite(cast.users["owner"], "tom@example.org")

    answer = owner.post(f"/invitations/{cast.invitation.id}/address", email=written)

    assert answer.status_code == 422
    assert field_of(answer, "email") == written
    assert words in words_of(answer)
    assert 'aria-invalid="true"' in answer.text


def test_too_often_and_too_late_are_said(cast: Cast, owner: Browser) -> None:
    address = f"/invitations/{cast.invitation.id}/address"
    for at in range(3):
        assert owner.post(address, email=f"new{at}@example.org").status_code == 303
    often = owner.post(address, email="new@example.com")
    owner.post(f"/invitations/{cast.invitation.id}/revocation")
    late = owner.post(address, email="new@example.net")

    assert (often.status_code, often.headers["Retry-After"]) == (429, "3600")
    assert "received enough emails" in words_of(often)
    assert late.status_code == 409
    assert "changed in the meantime" in words_of(late)


def test_cancelling_from_the_page_comes_back_to_it(cast: Cast, owner: Browser) -> None:
    answer = owner.post(f"/invitations/{cast.invitation.id}/revocation", back="invitation")

    assert answer.location == f"/invitations/{cast.invitation.id}"


def test_the_timeline_is_polled_for_a_304(cast: Cast, owner: Browser) -> None:
    address = f"/invitations/{cast.invitation.id}"
    first = owner.get(address, htmx=True)
    again = owner.get(address, htmx=True, headers={"If-None-Match": first.headers["ETag"]})
    invitations.revoke(cast.membership("owner"), cast.invitation.id)
    changed = owner.get(address, htmx=True, headers={"If-None-Match": first.headers["ETag"]})

    assert first.text.lstrip().startswith("<article")
    assert "<html" not in first.text
    assert (again.status_code, again.data) == (304, b"")
    assert changed.status_code == 200


def test_the_row_opens_a_panel_that_changes_the_offer_and_the_address(
    cast: Cast, owner: Browser
) -> None:
    path = f"/invitations/{cast.invitation.id}"
    panel = owner.get(f"{path}/amendment", htmx=True)
    assert f'hx-post="{path}/address"' in panel.text
    seen = field_of(panel, "seen")

    offer = {"role": "finance", "licence": "licensed"}
    changed = owner.post(f"{path}/amendment", htmx=True, seen=seen, **offer)
    assert changed.headers["HX-Trigger"] == "people:changed"
    assert "The new offer is saved." in words_of(changed)
    stale = owner.post(f"{path}/amendment", htmx=True, seen=seen, role="member", licence="basic")
    assert stale.status_code == 409
    assert "changed in the meantime" in words_of(stale)
    bad = owner.post(f"{path}/address", htmx=True, email="zoe@")
    assert (bad.status_code, "<html" in bad.text) == (422, False)
    assert field_of(bad, "email") == "zoe@"
    mended = owner.post(f"{path}/address", htmx=True, email="zoé@exemple.fr")
    assert mended.status_code == 422
    mended = owner.post(f"{path}/address", htmx=True, email="zoe@exemple.fr")
    assert "on its way to zoe@exemple.fr" in words_of(mended)
    fresh = Invitation.get_by_id(cast.invitation.id)
    assert (fresh.email, fresh.licence, fresh.roles) == ("zoe@exemple.fr", "licensed", ("finance",))


def test_what_an_admin_may_no_longer_do_is_said_where_messages_are(cast: Cast) -> None:
    browser = cast.browser("admin")
    browser.csrf()
    Membership.update(is_admin=False).where(Membership.id == cast.membership("admin").id).execute()

    answer = browser.post(f"/invitations/{cast.invitation.id}/resend", htmx=True)

    assert answer.status_code == 403
    assert answer.headers["HX-Retarget"] == "#flash"
    assert answer.headers["HX-Reswap"] == "innerHTML"
