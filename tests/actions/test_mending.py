"""Sending an invitation to another address: what it changes, and what it refuses."""

from datetime import timedelta
from typing import Any

import pytest

from tests.people import Cast, invite, link_of
from tests.snapshots import everything
from webapp import clock, outbox
from webapp.actions import invitations, joining
from webapp.actions.limits import MAILS_TO_AN_ADDRESS, MENDED_A_DAY
from webapp.errors import Invalid, NotAllowed, NotThere, Stale, TooMany
from webapp.models import AuditEvent, Invitation, InvitationLink, OutboxMessage


def link(token_of: Invitation) -> InvitationLink:
    found: InvitationLink = (
        InvitationLink.select()
        .where(InvitationLink.invitation == token_of)
        .order_by(InvitationLink.id.desc())
        .get()
    )
    return found


def test_a_mended_address_gets_a_new_link_and_the_old_one_is_dead(cast: Cast, day: Any) -> None:
    Invitation.update(delivery="refused", delivery_note="550 no such user").execute()
    old = link(cast.invitation)
    day.shift(timedelta(days=2))

    mended = invitations.mend(cast.membership("admin"), cast.invitation.id, " Zoe@Example.COM ")

    assert (mended.email, mended.status, mended.delivery) == (
        "zoe@example.com",
        "pending",
        "queued",
    )
    assert (mended.delivery_note, mended.folded) == ("", "zoe@example.com")
    assert mended.expires_at == clock.now() + timedelta(days=30)
    assert joining.why_dead(mended, InvitationLink.get_by_id(old.id), clock.now()) == "replaced"
    waiting = OutboxMessage.select().where(outbox.is_waiting())
    assert [each.kind for each in waiting.where(OutboxMessage.invitation == mended)] == [
        "mail:invitation"
    ]
    assert link_of(mended) != cast.token
    assert joining.why_dead(mended, link(mended), clock.now()) == ""
    [event] = AuditEvent.select().where(AuditEvent.kind == "invitation:mended")
    assert (event.subject, event.actor) == (f"invitation:{mended.id}", cast.users["admin"])
    assert "example.com" not in str(event.facts), "events refer to people, they do not name them"


def test_the_same_address_is_simply_resent(cast: Cast) -> None:
    invitations.mend(cast.membership("admin"), cast.invitation.id, cast.invitation.email)

    assert not AuditEvent.select().where(AuditEvent.kind == "invitation:mended").exists()
    assert AuditEvent.select().where(AuditEvent.kind == "invitation:resent").count() == 1


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("nobody", "address"),
        ("a@example.org, b@example.org", "address"),
        ("mi\u212ae@example.org", "address"),
        ("a@example.org\nBcc: b@example.org", "address"),
        ("paul@dumas.example", "member"),
        ("tom@example.org", "invited"),
    ],
)
def test_an_address_that_cannot_be_invited_changes_nothing(
    cast: Cast, written: str, code: str
) -> None:
    invite(cast.users["owner"], "tom@example.org")
    before = everything()

    with pytest.raises(Invalid, match=code):
        invitations.mend(cast.membership("admin"), cast.invitation.id, written)

    assert everything() == before


def test_only_a_pending_invitation_of_ones_own_organisation_is_mended(cast: Cast) -> None:
    by = cast.membership("owner")
    with pytest.raises(NotThere):
        invitations.mend(by, cast.foreign_invitation.id, "new@example.org")
    with pytest.raises(NotAllowed):
        invitations.mend(cast.membership("member"), cast.invitation.id, "new@example.org")
    invitations.revoke(by, cast.invitation.id)
    before = everything()

    with pytest.raises(Stale):
        invitations.mend(by, cast.invitation.id, "new@example.org")

    assert everything() == before


def test_an_admins_invitation_is_mended_by_an_owner_only(cast: Cast) -> None:
    invited = invite(cast.users["owner"], "boss@example.org", role="admin")

    with pytest.raises(NotAllowed):
        invitations.mend(cast.membership("admin"), invited.id, "new@example.org")

    assert invitations.mend(cast.membership("owner"), invited.id, "new@example.org").is_admin


def test_mails_to_the_mistyped_address_do_not_count_for_the_mended_one(
    cast: Cast, day: Any
) -> None:
    by, id = cast.membership("admin"), cast.invitation.id
    for _ in range(MAILS_TO_AN_ADDRESS - 1):
        OutboxMessage.update(left_at=clock.now()).where(outbox.is_waiting()).execute()
        invitations.resend(by, id)
    with pytest.raises(TooMany):
        invitations.resend(by, id)
    day.shift(timedelta(seconds=1))

    invitations.mend(by, id, "zoe@example.com")

    assert invitations.resend(by, id).email == "zoe@example.com"


def test_an_address_is_not_changed_again_and_again(cast: Cast) -> None:
    by, id = cast.membership("admin"), cast.invitation.id
    for at in range(MENDED_A_DAY):
        invitations.mend(by, id, f"zoe{at}@example.org")
    before = everything()

    with pytest.raises(TooMany):
        invitations.mend(by, id, "zoe@example.net")

    assert everything() == before
