"""Inviting, resending, revoking, taking over and declining: refused, repeated and raced."""

from datetime import timedelta
from typing import Any

import pytest

from tests.money import make_organisation
from tests.people import (
    Cast,
    invite,
    link_of,
    make_member,
    membership_of,
)
from tests.races import race
from tests.snapshots import everything
from webapp import clock, outbox
from webapp.actions import accounts, invitations, limits
from webapp.actions.invitations import Invited, Offer
from webapp.actions.previews import preview
from webapp.database import database
from webapp.errors import NotAllowed, NotThere, Stale, TooMany
from webapp.models import (
    Account,
    AuditEvent,
    Invitation,
    InvitationLink,
    Membership,
    OutboxMessage,
)

ROUNDS = 10


def sent(by: Membership, emails: str, **offer: Any) -> Invited:
    return invitations.invite(by, preview(by.account, emails).ready, Offer(**offer))


def waiting_mails(invitation: Invitation) -> int:
    return int(
        OutboxMessage.select()
        .where(OutboxMessage.invitation == invitation, outbox.is_waiting())
        .count()
    )


def test_each_row_becomes_an_invitation_with_its_mail_and_its_event(cast: Cast) -> None:
    by = cast.membership("admin")

    invited = sent(
        by,
        "Léa Roy <lea@new.example>, tom@new.example",
        licence="licensed",
        role="finance",
        name="Everybody",
        department="  Ventes\t& marges ",
        note="Bonjour,\r\n\r\n  à bientôt\u202e",
        locale="en",
    )

    lea, tom = invited.invitations
    assert invited.kept == []
    assert (lea.name, tom.name) == ("Léa Roy", "Everybody")
    assert (tom.department, tom.note) == ("Ventes & marges", "Bonjour,\n\nà bientôt")
    assert (tom.licence, tom.roles, tom.locale) == ("licensed", ("finance",), "en")
    assert tom.inviter == cast.users["admin"]
    assert tom.expires_at - tom.created_at == timedelta(days=30)
    assert (tom.status, tom.delivery) == ("pending", "queued")
    assert [waiting_mails(one) for one in (lea, tom)] == [1, 1]
    events = AuditEvent.select().where(AuditEvent.kind == "invitation:sent")
    assert {event.subject for event in events} >= {f"invitation:{lea.id}", f"invitation:{tom.id}"}


@pytest.mark.parametrize("role", ["member", "finance", "individual", "removed member", "operator"])
def test_whoever_may_not_invite_does_nothing(cast: Cast, role: str) -> None:
    by = cast.membership(role)
    before = everything()

    for refused in (
        lambda: sent(by, "new@example.org"),
        lambda: invitations.resend(by, cast.invitation.id),
        lambda: invitations.revoke(by, cast.invitation.id),
        lambda: invitations.take_over(by),
    ):
        with pytest.raises(NotAllowed):
            refused()

    assert everything() == before


def test_a_page_that_was_open_when_the_role_ended_invites_nobody(cast: Cast) -> None:
    by = cast.membership("admin")
    Membership.get_by_id(by.id).end(clock.now())

    with pytest.raises(NotAllowed):
        sent(by, "new@example.org")
    with pytest.raises(NotAllowed):
        invitations.revoke(by, cast.invitation.id)


def test_an_admin_neither_sends_nor_resends_an_invitation_that_makes_an_admin(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        sent(cast.membership("admin"), "new@example.org", role="admin")
    (invitation,) = sent(cast.membership("owner"), "new@example.org", role="admin").invitations
    with pytest.raises(NotAllowed):
        invitations.resend(cast.membership("admin"), invitation.id)

    assert invitations.resend(cast.membership("owner"), invitation.id).is_admin


def test_a_lapsed_plan_stops_inviting_and_lets_revoke(cast: Cast) -> None:
    by = cast.membership("owner")
    accounts.update_organisation(cast.organisation.public_id, plan="lapsed")

    assert invitations.why_not_inviting(by) == "plan"
    for refused in (
        lambda: sent(by, "new@example.org"),
        lambda: invitations.resend(by, cast.invitation.id),
        lambda: invitations.take_over(by),
    ):
        with pytest.raises(NotAllowed) as reason:
            refused()
        assert reason.value.code == "plan"
    assert invitations.revoke(by, cast.invitation.id).status == "revoked"


@pytest.mark.parametrize("verb", [invitations.resend, invitations.revoke])
def test_another_organisations_invitation_is_not_there(cast: Cast, verb: Any) -> None:
    before = everything()
    for id in (cast.foreign_invitation.id, 999_999):
        with pytest.raises(NotThere):
            verb(cast.membership("owner"), id)

    assert everything() == before


def test_an_address_has_one_pending_invitation_from_each_organisation(cast: Cast) -> None:
    rows = preview(cast.organisation, "new@example.org").ready
    by = cast.membership("owner")

    assert len(invitations.invite(by, rows, Offer()).invitations) == 1
    again = invitations.invite(by, rows, Offer())

    assert (again.invitations, again.kept) == ([], rows)
    assert len(sent(cast.membership("foreign owner"), "new@example.org").invitations) == 1


def test_of_two_admins_who_invite_an_address_at_once_one_does(cast: Cast) -> None:
    bys = [cast.membership("owner"), cast.membership("admin")]
    for time in range(ROUNDS):
        rows = preview(cast.organisation, f"once{time}@example.org").ready
        database.close()

        outcomes = race(2, lambda at, rows=rows: invitations.invite(bys[at], rows, Offer()))

        assert sorted(len(one.invitations) for one in outcomes) == [0, 1]
        assert sorted(len(one.kept) for one in outcomes) == [0, 1]
    mails = OutboxMessage.select().where(OutboxMessage.kind == "mail:invitation")
    assert mails.count() == ROUNDS + 2


def test_the_days_limit_holds_for_everybody_at_once(cast: Cast, day: Any) -> None:
    Account.update(invitations_per_day=8).where(Account.id == cast.organisation.id).execute()
    by = cast.membership("owner")
    rows = [
        preview(cast.organisation, " ".join(f"p{lane}-{at}@example.org" for at in range(3))).ready
        for lane in range(5)
    ]
    database.close()

    outcomes = race(5, lambda at: invitations.invite(by, rows[at], Offer()))

    assert sum(len(one.invitations) for one in outcomes) == 7
    assert sum(len(one.kept) for one in outcomes) == 8
    fresh = Account.get_by_id(cast.organisation.id)
    assert limits.left_today(fresh, clock.now()) == 0
    day.shift(timedelta(hours=24))
    assert limits.left_today(fresh, clock.now()) == 8


def test_an_address_gets_three_mails_a_day(cast: Cast, day: Any) -> None:
    by = cast.membership("owner")
    for _ in range(2):
        leave()
        invitations.resend(by, cast.invitation.id)
    leave()
    with pytest.raises(TooMany):
        invitations.resend(by, cast.invitation.id)

    day.shift(timedelta(hours=24))
    assert invitations.resend(by, cast.invitation.id)


def test_a_mail_that_never_left_is_not_counted(cast: Cast) -> None:
    for _ in range(5):
        assert invitations.resend(cast.membership("owner"), cast.invitation.id)


def test_an_address_hears_from_five_organisations_a_week(cast: Cast, day: Any) -> None:
    email = "calm@example.org"
    for at in range(5):
        assert not limits.wants_rest(email, cast.organisation, clock.now())
        organisation = make_organisation(f"Other {at}")
        owner = make_member(f"owner{at}@other.example", organisation, is_owner=True)
        invite(owner, email)
        leave()
        day.shift(timedelta(hours=24))

    assert limits.wants_rest(email, cast.organisation, clock.now())
    # One that has invited already is not one more.
    assert not limits.wants_rest(email, organisation, clock.now())
    day.shift(timedelta(days=2))
    assert not limits.wants_rest(email, cast.organisation, clock.now())


def leave() -> None:
    OutboxMessage.update(left_at=clock.now()).where(outbox.is_waiting()).execute()


def test_resending_starts_the_days_anew_with_a_new_link(cast: Cast, day: Any) -> None:
    day.shift(timedelta(days=40))
    assert Invitation.get_by_id(cast.invitation.id).is_expired(clock.now())

    fresh = invitations.resend(cast.membership("owner"), cast.invitation.id)

    assert fresh.is_live(clock.now())
    assert fresh.expires_at == clock.now() + timedelta(days=30)
    assert fresh.inviter == cast.users["owner"]
    assert waiting_mails(fresh) == 1
    new = link_of(fresh)
    links = InvitationLink.select().where(InvitationLink.invitation == fresh)
    assert sorted(link.replaced_at is None for link in links) == [False, True]
    assert new != cast.token


def test_resending_forgets_what_the_mail_server_said(cast: Cast) -> None:
    Invitation.update(
        delivery="refused", delivery_note="550 no such user", next_try_at=clock.now()
    ).execute()

    fresh = invitations.resend(cast.membership("owner"), cast.invitation.id)

    assert (fresh.delivery, fresh.delivery_note, fresh.next_try_at) == ("queued", "", None)


def test_revoking_again_changes_nothing(cast: Cast) -> None:
    by = cast.membership("owner")
    assert invitations.revoke(by, cast.invitation.id).status == "revoked"
    assert waiting_mails(cast.invitation) == 0
    before = everything()

    assert invitations.revoke(by, cast.invitation.id).status == "revoked"

    assert everything() == before


def test_a_revoked_one_can_be_invited_anew(cast: Cast) -> None:
    by = cast.membership("owner")
    invitations.revoke(by, cast.invitation.id)

    (fresh,) = sent(by, cast.invitation.email).invitations

    assert fresh.id != cast.invitation.id


@pytest.mark.parametrize("status", ["accepted", "declined", "superseded"])
def test_an_answered_one_is_neither_resent_nor_revoked(cast: Cast, status: str) -> None:
    Invitation.update(status=status, answered_at=clock.now()).execute()
    before = everything()
    for verb in (invitations.resend, invitations.revoke):
        with pytest.raises(Stale):
            verb(cast.membership("owner"), cast.invitation.id)

    assert everything() == before


def test_a_revoked_one_is_not_resent(cast: Cast) -> None:
    invitations.revoke(cast.membership("owner"), cast.invitation.id)

    with pytest.raises(Stale):
        invitations.resend(cast.membership("owner"), cast.invitation.id)


def test_of_resending_and_revoking_at_once_nothing_leaves_afterwards(cast: Cast) -> None:
    by = cast.membership("owner")
    for time in range(ROUNDS):
        invitation = invite(cast.users["owner"], f"both{time}@example.org")
        verbs = [invitations.resend, invitations.revoke]
        database.close()

        resent, revoked = race(2, lambda at, id=invitation.id, verbs=verbs: verbs[at](by, id))

        assert isinstance(revoked, Invitation), revoked
        assert isinstance(resent, (Invitation, Stale)), resent
        assert Invitation.get_by_id(invitation.id).status == "revoked"
        assert waiting_mails(invitation) == 0


def test_ten_resends_at_once_leave_one_mail_to_go(cast: Cast) -> None:
    by = cast.membership("owner")
    database.close()

    outcomes = race(10, lambda at: invitations.resend(by, cast.invitation.id))

    assert {type(one) for one in outcomes} == {Invitation}
    assert waiting_mails(cast.invitation) == 1


def test_declining_keeps_the_reason_and_again_changes_nothing(cast: Cast) -> None:
    declined = invitations.decline(cast.invitation, "  Not\tthis year\x00 " + "x" * 600)
    assert declined.status == "declined"
    assert declined.decline_reason.startswith("Not this year x")
    assert len(declined.decline_reason) == 500
    assert waiting_mails(cast.invitation) == 0
    before = everything()

    invitations.decline(cast.invitation, "Another reason")

    assert everything() == before


@pytest.mark.parametrize("status", ["accepted", "revoked", "superseded"])
def test_what_ended_otherwise_cannot_be_declined(cast: Cast, status: str) -> None:
    Invitation.update(status=status, answered_at=clock.now()).execute()

    with pytest.raises(Stale):
        invitations.decline(cast.invitation, "")


def test_taking_over_makes_waiting_ones_ones_own_without_mail(cast: Cast) -> None:
    others = [invite(cast.users["admin"], f"p{at}@example.org") for at in range(3)]
    kept = invite(cast.users["owner"], "kept@example.org")
    by = cast.membership("owner")
    assert invitations.take_over(by) == 0
    Membership.update(is_admin=False, is_finance=True).where(
        Membership.user == cast.users["admin"]
    ).execute()
    mails = OutboxMessage.select().count()

    assert len(invitations.orphaned(by, clock.now())) == 4
    assert invitations.take_over(by) == 4
    assert invitations.take_over(by) == 0

    inviters = {Invitation.get_by_id(one.id).inviter for one in (*others, cast.invitation, kept)}
    assert inviters == {cast.users["owner"]}
    assert OutboxMessage.select().count() == mails
    assert AuditEvent.select().where(AuditEvent.kind == "invitations:taken-over").count() == 1


def test_taking_over_leaves_other_organisations_alone(cast: Cast) -> None:
    make_member("second@petit.example", cast.elsewhere, is_owner=True)
    membership_of(cast.users["foreign owner"]).end(clock.now())

    assert invitations.take_over(cast.membership("owner")) == 0
    assert Invitation.get_by_id(cast.foreign_invitation.id).inviter == cast.users["foreign owner"]
