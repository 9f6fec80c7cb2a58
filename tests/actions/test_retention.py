"""What is not kept for ever, seen by travelling through time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.client import words_of
from tests.people import Cast, invite, link_of, make_cast, membership_of, on_the_day
from tests.snapshots import everything
from webapp import clock
from webapp.actions import invitations, reporting, retention, sessions
from webapp.actions.inviting import Offer
from webapp.actions.previews import preview
from webapp.errors import DomainError
from webapp.models import (
    AuditEvent,
    DeliveryEvent,
    Invitation,
    KeptMail,
    OutboxMessage,
    Session,
    SignInCode,
)
from webapp.models.asked import Asked
from webapp.models.people import page
from webapp.models.user import ERASED

EMAIL = "solveig@example.org"


@pytest.fixture(autouse=True)
def travel() -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app)


def places(word: str) -> set[str]:
    return {table for table, rows in everything().items() if any(word in row for row in rows)}


def ended(cast: Cast, how: str) -> Invitation:
    """An invitation of EMAIL that ended so, with all that can be written in one."""
    owner = cast.users["owner"]
    offer = {"name": "Solveig", "note": "for Solveig", "department": "Solveig's"}
    invitation = invite(owner, EMAIL, **offer)
    message = OutboxMessage.get(OutboxMessage.invitation == invitation)
    DeliveryEvent.create(
        invitation=invitation, message=message, kind="refused", words=f"{EMAIL}?", at=clock.now()
    )
    if how == "revoked":
        invitations.revoke(membership_of(owner), invitation.id)
    elif how == "declined":
        invitations.decline(invitation, "Solveig has no time")
    elif how == "accepted":
        Invitation.update(status="accepted", answered_at=clock.now()).where(
            Invitation.id == invitation.id
        ).execute()
    return Invitation.get_by_id(invitation.id)


@pytest.mark.parametrize("how", ["expired", "revoked", "declined", "accepted"])
def test_thirty_days_after_its_end_an_invitation_names_nobody(
    cast: Cast, travel: Any, how: str
) -> None:
    invitation = ended(cast, how)
    over = invitation.expires_at if how == "expired" else invitation.answered_at
    travel.move_to(over + retention.LASTS, tick=False)
    assert "invitation" in places(EMAIL)

    before = events()
    retention.forget_old(clock.now())
    assert EMAIL in {row.email for row in Invitation.select()}
    travel.shift(timedelta(seconds=1))
    assert retention.forget_old(clock.now())["invitations"] >= 1

    assert places(EMAIL) == places("olveig") == set()
    found = Invitation.get_by_id(invitation.id)
    assert found.status == ("superseded" if how == "expired" else how)
    # Its events stand, and it cannot be taken up again.
    assert events() == before
    assert f"invitation:{invitation.id}" in {row[2] for row in before}
    with pytest.raises(DomainError):
        invitations.resend(membership_of(cast.users["owner"]), invitation.id)
    # Once more changes nothing, and the numbers beside the list are those of the list.
    after = everything()
    assert retention.forget_old(clock.now())["invitations"] == 0
    assert everything() == after
    listed, _ = page(cast.organisation, Asked(), clock.now())
    assert not [row for row in listed if row.email.endswith(ERASED)]


def events() -> list[Any]:
    return list(AuditEvent.select(AuditEvent.at, AuditEvent.kind, AuditEvent.subject).tuples())


def test_what_still_waits_is_kept_and_the_address_is_free_afterwards(
    cast: Cast, travel: Any
) -> None:
    invitation = ended(cast, "expired")
    travel.move_to(invitation.expires_at + retention.LASTS - timedelta(days=1), tick=False)
    invitations.resend(membership_of(cast.users["owner"]), invitation.id)
    travel.shift(timedelta(days=3))
    retention.forget_old(clock.now())
    assert Invitation.get_by_id(invitation.id).email == EMAIL

    travel.shift(timedelta(days=100))
    retention.forget_old(clock.now())
    assert places(EMAIL) == set()
    again = invite(cast.users["owner"], EMAIL)
    assert again.id != invitation.id
    assert link_of(again)


def test_a_report_keeps_its_address_from_being_invited_again(cast: Cast, travel: Any) -> None:
    invitation = ended(cast, "expired")
    reporting.report(reporting.token_of(invitation), "I know nobody there")
    travel.shift(timedelta(days=400))
    retention.forget_old(clock.now())

    assert Invitation.get_by_id(invitation.id).email == EMAIL
    account = membership_of(cast.users["owner"]).account
    assert preview(account, EMAIL).ready == []


def test_the_activity_tells_of_somebody(cast: Cast, travel: Any) -> None:
    ended(cast, "revoked")
    travel.shift(timedelta(days=31))
    retention.forget_old(clock.now())
    browser = cast.browser("owner")

    words = words_of(browser.get("/activity"))
    assert "invited a person whose data was erased" in words
    assert "erased.invalid" not in words
    assert "erased.invalid" not in browser.get("/activity.csv").text


def test_sessions_codes_kept_mails_and_words_of_servers_end_too(cast: Cast, travel: Any) -> None:
    now = clock.now()
    sessions.end(cast.session("member"))
    SignInCode.create(
        email=EMAIL, browser_hash="x", code_hash="x", purpose="sign-in", created_at=now,
        expires_at=now, tries=0,
    )  # fmt: skip
    KeptMail.create(message_id="1", recipient=EMAIL, subject="x", content=b"x", kept_at=now)
    left, waits = (
        OutboxMessage.create(
            kind="mail:code", payload={}, created_at=now, leaves_at=now, error=f"{EMAIL}: no", **end
        )
        for end in ({"left_at": now}, {})
    )
    assert retention.forget_old(now) == dict.fromkeys(
        ("invitations", "sessions", "codes", "mails", "errors"), 0
    )
    travel.shift(timedelta(days=91))
    cast.session("owner")

    forgotten = retention.forget_old(clock.now())

    assert forgotten["codes"] == forgotten["mails"] == forgotten["errors"] == 1
    assert Session.select().count() == 1
    assert OutboxMessage.get_by_id(left.id).error == ""
    assert OutboxMessage.get_by_id(waits.id).error != ""
    assert places(EMAIL) == {"outbox_message"}


def test_many_are_forgotten_by_and_by(
    cast: Cast, travel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    rows = preview(cast.organisation, " ".join(f"p{n}@example.org" for n in range(7))).ready
    invitations.invite(membership_of(cast.users["owner"]), rows, Offer())
    travel.shift(timedelta(days=100))

    # Those of the cast have ended by then, too.
    assert retention.forget_old(clock.now())["invitations"] == 9
    assert places("example.org") <= {"user_", "account", "membership"}
