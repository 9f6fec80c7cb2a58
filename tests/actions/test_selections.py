"""Several invitations at once: each by its own rules, all or none of what was written."""

import pytest
from flask import Flask

from tests.people import Cast, invite, make_cast, on_the_day
from webapp import clock
from webapp.actions import accounts, selections
from webapp.actions.selections import Done
from webapp.errors import NotAllowed
from webapp.models import AuditEvent, Invitation, Membership, OutboxMessage


@pytest.fixture
def cast(app: Flask) -> Cast:
    with on_the_day():
        yield make_cast(app)


def some(cast: Cast, *names: str) -> list[int]:
    return [invite(cast.users["owner"], f"{name}@example.org").id for name in names]


def status(id: int) -> str:
    return str(Invitation.get_by_id(id).status)


def test_each_gets_a_new_link(cast: Cast) -> None:
    ids = some(cast, "a", "b")

    assert selections.resend(cast.membership("admin"), ids) == Done(2, 0)

    waiting = OutboxMessage.select().where(
        OutboxMessage.invitation.in_(ids), OutboxMessage.canceled_at.is_null()
    )
    assert waiting.count() == 2
    assert {Invitation.get_by_id(id).inviter_id for id in ids} == {cast.users["admin"].id}


def test_each_is_cancelled(cast: Cast) -> None:
    ids = some(cast, "a", "b", "c")

    assert selections.revoke(cast.membership("admin"), ids[:2]) == Done(2, 0)

    assert [status(id) for id in ids] == ["revoked", "revoked", "pending"]
    assert AuditEvent.select().where(AuditEvent.kind == "invitation:revoked").count() == 2


def test_what_changed_meanwhile_stays_and_the_others_go(cast: Cast) -> None:
    answered, waiting = some(cast, "a", "b")
    Invitation.update(status="declined", answered_at=clock.now()).where(
        Invitation.id == answered
    ).execute()

    assert selections.resend(cast.membership("owner"), [answered, waiting]) == Done(1, 1)
    assert selections.revoke(cast.membership("owner"), [answered, waiting]) == Done(1, 1)
    assert (status(answered), status(waiting)) == ("declined", "revoked")


def test_an_address_that_had_enough_mail_is_left_in_peace(cast: Cast) -> None:
    (id,) = some(cast, "a")
    OutboxMessage.update(left_at=clock.now()).execute()
    for _ in range(2):
        assert selections.resend(cast.membership("owner"), [id]) == Done(1, 0)
        OutboxMessage.update(left_at=clock.now()).execute()

    assert selections.resend(cast.membership("owner"), [id]) == Done(0, 1)


def test_another_organisations_are_passed_over_like_none(cast: Cast) -> None:
    foreign = cast.foreign_invitation.id

    assert selections.revoke(cast.membership("owner"), [foreign, 999_999]) == Done(0, 0)
    assert status(foreign) == "pending"


def test_an_admin_leaves_invitations_of_admins_alone_when_resending(cast: Cast) -> None:
    boss = invite(cast.users["owner"], "boss@example.org", role="admin").id

    assert selections.resend(cast.membership("admin"), [boss]) == Done(0, 1)


def test_whoever_may_not_invite_changes_nothing(cast: Cast) -> None:
    ids = some(cast, "a")
    member = cast.membership("member")
    with pytest.raises(NotAllowed):
        selections.resend(member, ids)
    assert selections.revoke(member, ids) == Done(0, 1)
    accounts.update_organisation(cast.organisation.public_id, plan="lapsed")
    owner = Membership.get_by_id(cast.membership("owner").id)
    with pytest.raises(NotAllowed):
        selections.resend(owner, ids)
    assert status(ids[0]) == "pending"
