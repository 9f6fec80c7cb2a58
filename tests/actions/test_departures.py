"""Removing a member, and leaving: what the person owns afterwards (rule J16)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED
from tests.people import (
    Cast,
    invite,
    make_cast,
    make_individual,
    make_member,
    membership_of,
    on_the_day,
    session_of,
    viewer_of,
)
from tests.races import race
from webapp.actions import invitations, joining, ledger_check, members, undo
from webapp.database import database
from webapp.errors import Blocked, Gone, NotAllowed, NotThere, Stale
from webapp.models import (
    Account,
    AuditEvent,
    Membership,
    OutboxMessage,
    Refund,
    Settlement,
    Subscription,
    User,
)
from webapp.models.people import seats_used


@pytest.fixture(autouse=True)
def day() -> Iterator[time_machine.Traveller]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app)


def remove(cast: Cast, by: str, role: str) -> User:
    member = cast.membership(role)
    return members.remove(viewer_of(cast.users[by]), member.id, members.standing(member))


def leave(user: User) -> None:
    members.leave(viewer_of(user), membership_of(user).id)


def mails() -> list[dict[str, Any]]:
    departed = OutboxMessage.select().where(OutboxMessage.kind == "mail:departed")
    return [message.payload for message in departed]


def test_a_removed_member_owns_a_free_account(cast: Cast) -> None:
    before = cast.membership("member")
    Membership.update(licence="licensed").where(Membership.id == before.id).execute()

    remove(cast, "admin", "member")

    present = cast.membership("member")
    assert (present.account.kind, present.is_owner) == ("individual", True)
    assert present.account.subscription() is None
    assert present.account.currency == cast.organisation.currency
    assert seats_used(cast.organisation) == 0
    assert mails() == [{"membership_id": before.id, "is_removed": True}]
    event = AuditEvent.get(AuditEvent.kind == "member:removed")
    assert (event.actor_id, event.account_id) == (cast.users["admin"].id, cast.organisation.id)


def test_who_leaves_owns_the_account_again_that_closed_when_they_joined(app: Flask) -> None:
    user = make_person()
    own = membership_of(user).account
    acceptance = join(user, make_owned(), "refund")

    leave(user)

    present = membership_of(user)
    assert (present.account_id, present.is_owner) == (own.id, True)
    assert Account.get_by_id(own.id).closed_at is None
    assert present.account.subscription() is None
    assert present.id != acceptance.left_membership_id
    assert mails() == [{"membership_id": acceptance.membership_id, "is_removed": False}]
    assert AuditEvent.get(AuditEvent.kind == "member:left").actor_id == user.id


def test_leaving_moves_no_money_and_what_was_held_still_leaves(app: Flask) -> None:
    user = make_person()
    join(user, make_owned(), "refund")
    before = [refund.state for refund in Refund.select()]

    leave(user)

    assert [refund.state for refund in Refund.select()] == before == ["held"]
    assert Settlement.select().count() == 1
    waiting = OutboxMessage.select().where(
        OutboxMessage.kind == "refund", OutboxMessage.left_at.is_null()
    )
    assert waiting.count() == 1
    assert ledger_check.check() == []


@pytest.mark.parametrize("choice", ["refund", "credit"])
@pytest.mark.parametrize("is_removed", [True, False])
def test_who_left_within_the_window_can_still_undo(
    app: Flask, choice: str, is_removed: bool
) -> None:
    """Else a hostile organisation could keep a credit by removing its giver at once."""
    organisation = make_owned()
    user = make_person()
    own = membership_of(user)
    plan = own.account.subscription()
    acceptance = join(user, organisation, choice)
    if is_removed:
        owner = Membership.get(Membership.account == organisation, Membership.is_owner)
        members.remove(viewer_of(owner.user), acceptance.membership_id, "member")
    else:
        leave(user)

    undo.undo(user, acceptance.id)

    assert membership_of(user).id == own.id
    assert Account.get_by_id(own.account_id).closed_at is None
    assert plan is not None
    assert Subscription.get_by_id(plan.id).status == "active"
    assert Membership.select().where(Membership.ended_at.is_null()).count() == 2
    assert ledger_check.check() == []


def test_the_last_joining_is_undone_first(app: Flask) -> None:
    user = make_person()
    first = join(user, make_owned(), "refund")
    second = join(user, make_owned("Maison Petit"))
    leave(user)
    own = membership_of(user).account

    with pytest.raises(Blocked, match="left_already"):
        undo.undo(user, first.id)
    undo.undo(user, second.id)
    assert membership_of(user).id == first.membership_id
    assert Account.get_by_id(own.id).closed_at is not None
    undo.undo(user, first.id)
    assert membership_of(user).id == first.left_membership_id


def test_after_the_window_nothing_can_be_undone(app: Flask, day: time_machine.Traveller) -> None:
    user = make_person()
    acceptance = join(user, make_owned(), "refund")
    leave(user)
    day.move_to(ACCEPTED + timedelta(hours=24))

    with pytest.raises(Stale):
        undo.undo(user, acceptance.id)
    assert membership_of(user).account.subscription() is None


@pytest.mark.parametrize("way", ["leaving", "removal", "undo", "joining another"])
def test_a_clock_that_went_back_keeps_nobody_from_leaving(
    app: Flask, day: time_machine.Traveller, way: str
) -> None:
    """Also where two machines do not have quite the same time."""
    organisation, other = make_owned(), make_owned("Maison Petit")
    user = make_person("camille@example.org")
    acceptance = join(user, organisation, "refund")
    joined = membership_of(user)
    day.shift(-timedelta(hours=1))

    if way == "leaving":
        members.leave(viewer_of(user), joined.id)
    elif way == "removal":
        owner = Membership.get(Membership.account == organisation, Membership.is_owner).user
        members.remove(viewer_of(owner), joined.id, "member")
    elif way == "undo":
        undo.undo(user, acceptance.id)
    else:
        join(user, other)

    ended = Membership.get_by_id(joined.id)
    assert ended.ended_at == ended.joined_at
    assert membership_of(user).account != organisation


def test_who_left_can_join_again(app: Flask) -> None:
    user, organisation = make_person(), make_owned()
    join(user, organisation, "refund")
    leave(user)

    again = join(user, organisation)

    assert membership_of(user).id == again.membership_id
    assert Settlement.select().count() == 1, "a free account has nothing to settle"
    leave(user)
    assert Account.select().where(Account.kind == "individual").count() == 1


@pytest.mark.parametrize(
    ("by", "role", "is_allowed"),
    [
        ("admin", "member", True),
        ("admin", "finance", True),
        ("admin", "owner", False),
        ("admin", "admin", False),
        ("owner", "admin", True),
        ("owner", "owner", False),
        ("finance", "member", False),
        ("member", "finance", False),
    ],
)
def test_who_may_remove_whom(cast: Cast, by: str, role: str, is_allowed: bool) -> None:
    before = cast.membership(role).id
    if is_allowed:
        remove(cast, by, role)
    else:
        with pytest.raises(NotAllowed):
            remove(cast, by, role)
    assert (Membership.get_by_id(before).ended_at is None) != is_allowed
    assert len(mails()) == is_allowed


def test_an_admin_does_not_remove_another_admin(cast: Cast) -> None:
    other = make_member("second@dumas.example", cast.organisation, is_admin=True, is_finance=True)

    with pytest.raises(NotAllowed):
        members.remove(viewer_of(cast.users["admin"]), membership_of(other).id, "admin+finance")


def test_a_person_whose_roles_changed_meanwhile_is_not_removed(cast: Cast) -> None:
    member = cast.membership("member")
    Membership.update(is_finance=True).where(Membership.id == member.id).execute()

    with pytest.raises(Stale):
        members.remove(viewer_of(cast.users["owner"]), member.id, "member")
    assert cast.membership("member").id == member.id


def test_the_last_owner_hands_over_before_leaving(cast: Cast) -> None:
    owner = cast.users["owner"]
    with pytest.raises(Blocked, match="last_owner"):
        leave(owner)

    members.hand_over(viewer_of(owner), cast.membership("admin").id, "admin")
    leave(owner)

    assert membership_of(owner).account.kind == "individual"


@pytest.mark.parametrize("role", ["individual", "operator"])
def test_there_is_nothing_to_leave_outside_of_an_organisation(cast: Cast, role: str) -> None:
    with pytest.raises(NotThere):
        leave(cast.users[role])


def test_an_old_page_does_not_leave_the_next_organisation(app: Flask) -> None:
    user = make_person()
    first = join(user, make_owned(), "refund")
    second = join(user, make_owned("Maison Petit"))

    with pytest.raises(Stale):
        members.leave(viewer_of(user), first.membership_id)
    assert membership_of(user).id == second.membership_id


def test_a_former_admins_invitations_wait_for_another(cast: Cast) -> None:
    remove(cast, "owner", "admin")

    assert joining.why_waiting(cast.invitation) == "inviter"
    assert invitations.take_over(cast.membership("owner")) == 1
    assert joining.why_waiting(type(cast.invitation).get_by_id(cast.invitation.id)) == ""


def test_two_removals_at_once_remove_once(cast: Cast) -> None:
    viewers = [viewer_of(cast.users[role]) for role in ("owner", "admin")]
    id = cast.membership("member").id
    user = cast.users["member"]
    database.close()

    outcomes = race(2, lambda at: members.remove(viewers[at], id, "member"))

    assert sorted(type(one).__name__ for one in outcomes) == ["Gone", "User"]
    assert membership_of(user).account.kind == "individual"
    assert len(mails()) == 1


def test_of_two_owners_who_remove_each_other_at_once_one_stays(cast: Cast) -> None:
    other = make_member("second@dumas.example", cast.organisation, is_owner=True)
    people = [cast.users["owner"], other]
    viewers = [viewer_of(user) for user in people]
    ids = [membership_of(user).id for user in reversed(people)]
    database.close()

    outcomes = race(2, lambda at: members.remove(viewers[at], ids[at], "owner"))

    assert sorted(type(one).__name__ for one in outcomes) == ["NotAllowed", "User"]
    left = Membership.select().where(
        Membership.account == cast.organisation, Membership.is_owner, Membership.ended_at.is_null()
    )
    assert left.count() == 1


def test_of_two_last_owners_who_leave_at_once_one_stays(cast: Cast) -> None:
    other = make_member("second@dumas.example", cast.organisation, is_owner=True)
    viewers = [viewer_of(user) for user in (cast.users["owner"], other)]
    database.close()

    outcomes = race(2, lambda at: members.leave(viewers[at], viewers[at].membership.id))

    assert sorted(type(one).__name__ for one in outcomes) == ["Blocked", "NoneType"]


def test_leaving_and_accepting_elsewhere_at_once_ends_in_one_place(cast: Cast) -> None:
    for time in range(4):
        user = make_member(f"torn{time}@dumas.example", cast.organisation)
        invitation = invite(cast.users["foreign owner"], user.email)
        viewer, session = viewer_of(user), session_of(user)
        database.close()
        verbs: list[Any] = [
            lambda viewer=viewer: members.leave(viewer, viewer.membership.id),
            lambda id=invitation.id, session=session: joining.accept(id, session),
        ]
        outcomes = race(2, lambda at, verbs=verbs: verbs[at]())

        # Whoever comes second finds the other's work: accepted from the free account, or stale.
        assert not isinstance(outcomes[1], Exception)
        assert outcomes[0] is None or isinstance(outcomes[0], Stale)
        assert membership_of(user).account_id == cast.elsewhere.id


def test_removing_again_says_that_the_member_is_gone(cast: Cast) -> None:
    id = cast.membership("member").id
    remove(cast, "owner", "member")

    with pytest.raises(Gone):
        members.remove(viewer_of(cast.users["owner"]), id, "member")
    assert len(mails()) == 1


def test_an_account_that_never_was_is_opened(cast: Cast) -> None:
    user = make_individual("new@example.org")
    Membership.delete().where(Membership.user == user).execute()
    Membership.create(user=user, account=cast.organisation, joined_at=ACCEPTED)
    before = Account.select().count()

    leave(user)

    assert Account.select().count() == before + 1
    assert membership_of(user).account.name == user.name


def test_what_was_settled_stays_as_it_was(app: Flask) -> None:
    user = make_person()
    acceptance = join(user, make_owned(), "credit")
    settlement = settlement_of(acceptance)

    leave(user)

    assert settlement_of(acceptance).gross_minor == settlement.gross_minor == 4997
