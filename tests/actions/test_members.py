"""Roles and licences of members: who may change what, and what two at once can't do."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.joined import stale_session_of
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
from webapp.actions import joining, members
from webapp.database import database
from webapp.errors import Blocked, Gone, Invalid, NotAllowed, NotThere, Stale
from webapp.models import Account, AuditEvent, Membership, User
from webapp.models.people import seats_used
from webapp.permissions import Viewer


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with on_the_day():
        yield


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app)


def change(cast: Cast, by: str, role: str, *wanted: str, seen: str | None = None) -> Membership:
    member = cast.membership(role)
    seen = members.standing(member) if seen is None else seen
    return members.change_roles(viewer_of(cast.users[by]), member.id, wanted, seen)


def roles(user: User) -> tuple[str, ...]:
    return membership_of(user).roles


def events(kind: str) -> list[AuditEvent]:
    return list(AuditEvent.select().where(AuditEvent.kind == kind))


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        ((), ("member",)),
        (("finance",), ("finance",)),
        (("admin",), ("admin",)),
        (("admin", "finance"), ("admin", "finance")),
        (("owner",), ("owner",)),
        (("owner", "admin", "finance"), ("owner",)),
    ],
)
def test_an_owner_gives_any_roles(
    cast: Cast, wanted: tuple[str, ...], held: tuple[str, ...]
) -> None:
    assert change(cast, "owner", "finance", *wanted).roles == held

    changed = events("role:changed")
    assert len(changed) == (held != ("finance",))
    if changed:
        assert changed[0].facts == {"before": ["finance"], "after": sorted({*held} - {"member"})}
        assert changed[0].actor_id == cast.users["owner"].id


@pytest.mark.parametrize(
    ("role", "wanted", "is_allowed"),
    [
        ("member", ["finance"], True),
        ("finance", [], True),
        ("member", ["admin"], False),
        ("member", ["admin", "finance"], False),
        ("member", ["owner"], False),
        ("owner", [], False),
        ("owner", ["admin"], False),
        # Nobody but an owner changes what they may do themselves.
        ("admin", ["admin", "finance"], False),
        ("admin", [], False),
    ],
)
def test_an_admin_gives_and_takes_finance_only(
    cast: Cast, role: str, wanted: list[str], is_allowed: bool
) -> None:
    before = roles(cast.users[role])
    if is_allowed:
        assert change(cast, "admin", role, *wanted).roles == (tuple(wanted) or ("member",))
        return
    with pytest.raises(NotAllowed, match="role"):
        change(cast, "admin", role, *wanted)
    assert roles(cast.users[role]) == before
    assert events("role:changed") == []


def test_an_admin_may_give_finance_to_another_admin_but_not_take_admin(cast: Cast) -> None:
    other = make_member("second@dumas.example", cast.organisation, is_admin=True)
    by, id = viewer_of(cast.users["admin"]), membership_of(other).id

    assert members.change_roles(by, id, ["admin", "finance"], "admin").roles == ("admin", "finance")
    with pytest.raises(NotAllowed, match="role"):
        members.change_roles(by, id, ["finance"], "admin+finance")


@pytest.mark.parametrize("role", ["finance", "member", "individual", "operator", "removed member"])
def test_others_change_nothing(cast: Cast, role: str) -> None:
    by = viewer_of(cast.users[role])

    for member in (cast.membership("member"), cast.membership(role)):
        with pytest.raises((NotAllowed, NotThere)):
            members.change_roles(by, member.id, ["admin"], members.standing(member))
        with pytest.raises((NotAllowed, NotThere)):
            members.remove(by, member.id, members.standing(member))


def test_another_organisations_member_is_not_there(cast: Cast) -> None:
    by, id = viewer_of(cast.users["owner"]), cast.membership("foreign owner").id

    for verb in (
        lambda: members.change_roles(by, id, [], "owner"),
        lambda: members.change_licence(by, id, "licensed", "basic"),
        lambda: members.remove(by, id, "owner"),
        lambda: members.hand_over(by, id, "owner"),
    ):
        with pytest.raises(NotThere):
            verb()


def test_a_role_that_does_not_exist_is_refused(cast: Cast) -> None:
    with pytest.raises(Invalid):
        change(cast, "owner", "member", "emperor")
    with pytest.raises(Invalid):
        members.change_licence(
            viewer_of(cast.users["owner"]), cast.membership("member").id, "gold", "basic"
        )


def test_a_second_press_changes_nothing(cast: Cast) -> None:
    for _ in range(3):
        assert change(cast, "owner", "member", "finance", seen="member").roles == ("finance",)
    assert len(events("role:changed")) == 1


def test_what_changed_meanwhile_is_not_changed_over(cast: Cast) -> None:
    change(cast, "owner", "member", "admin")

    with pytest.raises(Stale):
        change(cast, "owner", "member", "finance", seen="member")
    assert roles(cast.users["member"]) == ("admin",)


@pytest.mark.parametrize("wanted", [["admin"], ["owner"]])
def test_owner_and_admin_ask_for_a_fresh_proof(cast: Cast, wanted: list[str]) -> None:
    by = stale_viewer(cast.users["owner"])
    id = cast.membership("member").id

    with pytest.raises(NotAllowed, match="proof"):
        members.change_roles(by, id, wanted, "member")
    with pytest.raises(NotAllowed, match="proof"):
        members.change_roles(by, cast.membership("admin").id, [], "admin")
    with pytest.raises(NotAllowed, match="proof"):
        members.remove(by, cast.membership("admin").id, "admin")
    with pytest.raises(NotAllowed, match="proof"):
        members.hand_over(by, id, "member")
    assert members.change_roles(by, id, ["finance"], "member").roles == ("finance",)


def stale_viewer(user: User) -> Viewer:
    return Viewer(user=user, session=stale_session_of(user), membership=membership_of(user))


def test_the_last_owner_stays_owner(cast: Cast) -> None:
    with pytest.raises(Blocked, match="last_owner"):
        change(cast, "owner", "owner", "admin")
    assert roles(cast.users["owner"]) == ("owner",)


def test_an_owner_who_is_not_the_last_may_step_down(cast: Cast) -> None:
    change(cast, "owner", "member", "owner")

    assert change(cast, "owner", "owner", "finance").roles == ("finance",)


def test_of_two_last_owners_who_step_down_at_once_one_stays(cast: Cast) -> None:
    change(cast, "owner", "member", "owner")
    pairs = [(viewer_of(cast.users[role]), cast.membership(role)) for role in ("owner", "member")]
    database.close()

    outcomes = race(2, lambda at: members.change_roles(pairs[at][0], pairs[at][1].id, [], "owner"))

    assert sorted(type(one).__name__ for one in outcomes) == ["Blocked", "Membership"]
    assert owners(cast.organisation) == 1


def test_of_two_owners_who_demote_each_other_at_once_one_stays(cast: Cast) -> None:
    change(cast, "owner", "member", "owner")
    viewers = [viewer_of(cast.users[role]) for role in ("owner", "member")]
    ids = [cast.membership(role).id for role in ("member", "owner")]
    database.close()

    outcomes = race(2, lambda at: members.change_roles(viewers[at], ids[at], [], "owner"))

    assert sorted(type(one).__name__ for one in outcomes) == ["Membership", "NotAllowed"]
    assert owners(cast.organisation) == 1


def owners(account: Account) -> int:
    return int(
        Membership.select()
        .where(Membership.account == account, Membership.is_owner, Membership.ended_at.is_null())
        .count()
    )


def test_handing_over_moves_the_ownership(cast: Cast) -> None:
    by, heir = viewer_of(cast.users["owner"]), cast.membership("member")

    assert members.hand_over(by, heir.id, "member").roles == ("owner",)
    assert roles(cast.users["owner"]) == ("admin", "finance")
    assert owners(cast.organisation) == 1
    assert [one.subject for one in events("ownership:handed-over")] == [f"membership:{heir.id}"]


@pytest.mark.parametrize("role", ["admin", "finance"])
def test_only_an_owner_hands_over(cast: Cast, role: str) -> None:
    with pytest.raises(NotAllowed):
        members.hand_over(viewer_of(cast.users[role]), cast.membership("member").id, "member")
    with pytest.raises(NotAllowed):
        members.hand_over(viewer_of(cast.users["owner"]), cast.membership("owner").id, "owner")
    assert owners(cast.organisation) == 1


def licence(cast: Cast, role: str, wanted: str, seen: str) -> Membership:
    id = cast.membership(role).id
    return members.change_licence(viewer_of(cast.users["admin"]), id, wanted, seen)


def test_a_licence_needs_a_free_seat(cast: Cast) -> None:
    Account.update(seats=1).where(Account.id == cast.organisation.id).execute()

    assert licence(cast, "member", "licensed", "basic").licence == "licensed"
    with pytest.raises(Blocked, match="no_seat"):
        licence(cast, "finance", "licensed", "basic")
    assert licence(cast, "member", "basic", "licensed").licence == "basic"
    assert licence(cast, "finance", "licensed", "basic").licence == "licensed"
    assert licence(cast, "finance", "licensed", "basic").licence == "licensed"
    assert len(events("licence:changed")) == 3


def test_a_licence_that_changed_meanwhile_is_stale(cast: Cast) -> None:
    with pytest.raises(Stale):
        licence(cast, "member", "licensed", "")
    assert cast.membership("member").licence == "basic"


def test_the_last_licence_is_given_once(cast: Cast) -> None:
    Account.update(seats=1).where(Account.id == cast.organisation.id).execute()
    by = viewer_of(cast.users["owner"])
    ids = [cast.membership(role).id for role in ("member", "finance", "admin", "owner")]
    database.close()

    outcomes = race(4, lambda at: members.change_licence(by, ids[at], "licensed", "basic"))

    assert sorted(type(one).__name__ for one in outcomes) == ["Blocked"] * 3 + ["Membership"]
    assert seats_used(cast.organisation) == 1


def test_the_last_licence_goes_to_whoever_accepts_or_is_given_it_first(cast: Cast) -> None:
    Account.update(seats=1).where(Account.id == cast.organisation.id).execute()
    user = make_individual("late@example.org")
    invitation = invite(cast.users["owner"], user.email, licence="licensed")
    by, session = viewer_of(cast.users["owner"]), session_of(user)
    id = cast.membership("member").id
    database.close()

    verbs: list[Any] = [
        lambda: members.change_licence(by, id, "licensed", "basic"),
        lambda: joining.accept(invitation.id, session),
    ]
    outcomes = race(2, lambda at: verbs[at]())

    assert sum(isinstance(one, Blocked) for one in outcomes) == 1
    assert seats_used(cast.organisation) == 1


def test_who_was_removed_is_gone_and_unknown_ids_are_not_there(cast: Cast) -> None:
    removed = Membership.get(
        Membership.user == cast.users["removed member"], Membership.account == cast.organisation
    )
    with pytest.raises(Gone):
        members.find(cast.organisation, removed.id)
    with pytest.raises(NotThere):
        members.find(cast.elsewhere, removed.id)
    with pytest.raises(NotThere):
        members.find(cast.organisation, 999_999)
