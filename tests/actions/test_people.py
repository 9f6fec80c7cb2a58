"""The list of members and invitations: filters, search, paging by key, and the numbers beside."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.money import make_acceptance
from tests.people import (
    Cast,
    invite,
    make_cast,
    make_individual,
    make_member,
    membership_of,
)
from webapp import clock
from webapp.actions import invitations, profile
from webapp.database import database
from webapp.models import Invitation, Membership, User, facets, people
from webapp.models.asked import FILTERS, SORTS, Asked
from webapp.models.people import Person


def listed(cast: Cast, **asked: Any) -> list[Person]:
    return people.page(cast.organisation, Asked(**asked), clock.now())[0]


def names(cast: Cast, **asked: Any) -> set[str]:
    return {person.email.partition("@")[0] for person in listed(cast, **asked)}


def in_every_state(cast: Cast) -> None:
    """One invitation of each state beside the invitee's, which is pending."""
    owner = cast.users["owner"]
    for state in ("expired", "refused", "declined", "revoked", "superseded", "accepted"):
        one = invite(owner, f"{state}@example.org")
        if state == "expired":
            changes = {"expires_at": clock.now()}
        elif state == "refused":
            changes = {"delivery": "refused", "delivery_note": "550 unknown"}
        else:
            changes = {"status": state, "answered_at": clock.now()}
        Invitation.update(changes).where(Invitation.id == one.id).execute()


MEMBERS = {"claire", "hugo", "lea", "paul"}
STATES = {
    "": MEMBERS | {"zoe", "expired", "refused", "declined", "revoked", "superseded"},
    "active": MEMBERS,
    "pending": {"zoe"},
    "expired": {"expired"},
    "refused": {"refused"},
    "declined": {"declined"},
    "revoked": {"revoked"},
    "attention": {"expired", "refused", "declined"},
}


@pytest.mark.parametrize("status", STATES)
def test_each_state_has_its_people(cast: Cast, status: str) -> None:
    in_every_state(cast)

    assert names(cast, status=status) == STATES[status]


def test_every_filter_of_the_page_is_tested_here() -> None:
    assert set(STATES) == {"", *FILTERS}


def test_a_row_says_its_state_and_the_words_behind_it(cast: Cast) -> None:
    in_every_state(cast)
    Invitation.update(decline_reason="Not this year").where(
        Invitation.status == "declined"
    ).execute()
    rows = {person.email.partition("@")[0]: person for person in listed(cast)}

    assert {rows[name].status for name in MEMBERS} == {"active"}
    assert rows["zoe"].status == "pending"
    for state in ("expired", "refused", "declined", "revoked", "superseded"):
        assert rows[state].status == state
    assert (rows["declined"].note, rows["refused"].note) == ("Not this year", "550 unknown")
    assert rows["claire"].roles == ("owner",)
    assert rows["paul"].roles == ("member",)


def test_one_invitations_row_is_the_lists(cast: Cast) -> None:
    in_every_state(cast)
    rows = {person.id: person for person in listed(cast) if person.kind == "invitation"}

    for invitation in Invitation.select().where(Invitation.id.in_(list(rows))):
        assert people.of_invitation(invitation, clock.now()) == rows[invitation.id]


@pytest.mark.parametrize(
    ("role", "found"),
    [
        ("owner", {"claire"}),
        ("admin", {"hugo", "boss"}),
        ("finance", {"lea", "both"}),
        ("member", {"paul", "zoe"}),
    ],
)
def test_people_by_role(cast: Cast, role: str, found: set[str]) -> None:
    invite(cast.users["owner"], "boss@example.org", role="admin")
    invite(cast.users["owner"], "both@example.org", role="finance")

    assert names(cast, role=role) == found


def test_people_by_licence(cast: Cast) -> None:
    invite(cast.users["owner"], "seat@example.org", licence="licensed")
    Membership.update(licence="licensed").where(Membership.user == cast.users["member"]).execute()

    assert names(cast, licence="licensed") == {"seat", "paul"}
    assert names(cast, licence="basic", status="pending") == {"zoe"}


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("hel", {"h"}),
        ("HÉLÈNE lefevre", {"h"}),
        ("lefevre helene", {"h"}),
        ("ventes", {"h"}),
        ("dumas", MEMBERS),
        ("zoe@example.org", {"zoe"}),
        ("%", set()),
        ("_", set()),
        ("'", set()),
        ("\\", set()),
        ("nobody", set()),
        ("   ", MEMBERS | {"zoe", "h"}),
    ],
)
def test_search_folds_accents_and_takes_signs_as_they_are(
    cast: Cast, q: str, found: set[str]
) -> None:
    invite(cast.users["owner"], "h@example.org", name="Hélène Lefèvre", department="Ventes")

    assert names(cast, q=q) == found


def test_people_who_left_and_other_organisations_are_not_listed(cast: Cast) -> None:
    assert "sam" not in names(cast)
    membership_of(cast.users["member"]).end(clock.now())

    assert "paul" not in names(cast)
    elsewhere = people.page(cast.elsewhere, Asked(), clock.now())[0]
    assert {person.email for person in elsewhere} == {"rose@petit.example", "max@example.org"}


def test_paging_by_key_meets_everybody_once_newest_first(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, day: Any
) -> None:
    """Also where a page ends between people of the same instant."""
    monkeypatch.setattr(people, "PAGE", 3)
    for at in range(12):
        invite(cast.users["owner"], f"i{at}@example.org")
        if at % 3 == 2:
            day.shift(timedelta(minutes=1))
    for at in range(5):
        user = make_member(f"m{at}@dumas.example", cast.organisation)
        Membership.update(joined_at=clock.now()).where(Membership.user == user).execute()

    seen: list[Person] = []
    after, more = None, True
    while more:
        rows, more = people.page(cast.organisation, Asked(after=after), clock.now())
        assert len(rows) == 3 or not more
        seen += rows
        after = rows[-1].key("-since")

    keys = [person.key("-since") for person in seen]
    assert keys == sorted(keys, reverse=True)
    assert len(seen) == len(set(keys)) == 12 + 5 + len(MEMBERS) + 1


def test_the_numbers_beside_the_tabs_are_the_lists_lengths(cast: Cast) -> None:
    in_every_state(cast)

    counts = people.counts(cast.organisation, clock.now())

    assert counts == {status: len(STATES[status]) for status in FILTERS}
    assert people.pending_count(cast.organisation, clock.now()) == 1
    assert people.pending_count(cast.elsewhere, clock.now()) == 1


def test_the_badge_moves_with_each_answer_and_with_time(cast: Cast, day: Any) -> None:
    def badge() -> int:
        return people.pending_count(cast.organisation, clock.now())

    other = invite(cast.users["owner"], "new@example.org")
    assert badge() == 2
    invitations.revoke(cast.membership("owner"), other.id)
    assert badge() == 1
    day.shift(timedelta(days=30))
    assert badge() == 0
    invitations.resend(cast.membership("owner"), cast.invitation.id)
    assert badge() == 1


def test_only_licensed_members_use_seats(cast: Cast) -> None:
    invite(cast.users["owner"], "seat@example.org", licence="licensed")
    assert people.seats_used(cast.organisation) == 0
    Membership.update(licence="licensed").where(
        Membership.user.in_([cast.users["member"], cast.users["finance"]])
    ).execute()
    assert people.seats_used(cast.organisation) == 2
    membership_of(User.get(User.email == "paul@dumas.example")).end(clock.now())
    assert people.seats_used(cast.organisation) == 1


def test_members_are_found_by_their_department_and_by_their_new_name(cast: Cast) -> None:
    paul = cast.users["member"]
    joined = make_member("noe@dumas.example", cast.organisation)
    Membership.delete().where(Membership.user == joined).execute()
    Membership.create(
        user=joined, account=cast.organisation, department="Études", joined_at=clock.now()
    )
    assert names(cast, q="etudes") == names(cast, q="noe étude") == {"noe"}

    profile.rename(paul, "Zéphyrin Œuvré")

    assert names(cast, q="zephyrin oeuvre") == {"paul"}
    assert [person.email for person in listed(cast, sort="-name")][1] == paul.email


def test_people_by_department(cast: Cast) -> None:
    invite(cast.users["owner"], "ventes@example.org", department="Ventes")
    Membership.update(department="Ventes").where(Membership.user == cast.users["member"]).execute()
    invite(cast.users["foreign owner"], "other@example.org", department="Achats")

    assert names(cast, department="Ventes") == {"ventes", "paul"}
    assert names(cast, department="ventes") == set()
    assert facets.departments(cast.organisation) == ["Ventes"]


def test_people_by_whoever_invited_them_also_after_joining(cast: Cast) -> None:
    invite(cast.users["owner"], "by-owner@example.org")
    user = make_individual("joined@example.org")
    settled = make_acceptance(user, cast.organisation)
    Invitation.update(inviter=cast.users["admin"]).where(
        Invitation.id == settled.invitation_id
    ).execute()

    assert names(cast, inviter=cast.users["admin"].id) == {"zoe", "joined"}
    assert names(cast, inviter=cast.users["foreign owner"].id) == set()
    inviters = [cast.users[role] for role in ("owner", "admin")]
    assert facets.inviters(cast.organisation) == [(u.id, u.shown_name) for u in inviters]


ORDERS = {
    "-since": lambda person: (person.since, person.kind, person.id),
    "since": lambda person: (person.since, person.kind, person.id),
    "name": lambda person: (person.folded, person.kind, person.id),
    "-name": lambda person: (person.folded, person.kind, person.id),
}


@pytest.mark.parametrize("sort", SORTS)
def test_each_order_is_paged_by_key_without_loss(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    """With names that engines of different customs would sort differently."""
    monkeypatch.setattr(people, "PAGE", 2)
    for name in ("Éa", "e-a", "E a", "ea", "Zoë", "_x", "a.b"):
        invite(cast.users["owner"], f"i{clock.new_public_id()}@example.org".lower(), name=name)
    seen: list[Person] = []
    after, more = None, True
    while more:
        rows, more = people.page(
            cast.organisation, Asked(sort=sort, after=after), clock.now(), people.PAGE
        )
        seen += rows
        after = rows[-1].key(sort)

    assert seen == sorted(seen, key=ORDERS[sort], reverse=sort.startswith("-"))
    assert len({(person.kind, person.id) for person in seen}) == len(seen) == 12


@pytest.mark.parametrize("sort", SORTS)
def test_a_span_between_two_keys_is_what_was_shown_there(cast: Cast, sort: str) -> None:
    everybody = listed(cast, sort=sort)
    for first, last in ((0, 2), (1, 4), (0, 4), (3, 4)):
        keys = [everybody[at].key(sort) for at in (first, last)]

        span = listed(cast, sort=sort, after=keys[0], until=keys[1])

        assert span == everybody[first + 1 : last + 1]


# PostgreSQL reads tables of a few rows whole, whatever indexes they have.
@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, {"membership_newest", "invitation_listed"}),
        ({"sort": "name"}, {"membership_named", "invitation_named"}),
        ({"sort": "-name", "q": "a"}, {"membership_named", "invitation_named"}),
    ],
)
def test_the_list_reads_a_range_of_an_index_of_its_account(
    app: Flask,
    engine: str,
    asked: dict[str, str],
    index: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organisation, plans = make_cast(app).organisation, set[str]()
    run = database.obj.execute_sql

    def explained(sql: str, params: Any = None) -> Any:
        steps = run(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
        plans.update(step[3] for step in steps)
        return run(sql, params)

    monkeypatch.setattr(database.obj, "execute_sql", explained)
    people.page(organisation, Asked(**asked), clock.now())
    people.counts(organisation, clock.now())

    assert not [plan for plan in plans if plan.startswith("SCAN") or "TEMP B-TREE" in plan]
    used = " ".join(plans)
    assert all(f"{name} (account_id=?" in used for name in index)
    # What expired since it was last counted, and nothing else.
    assert "invitation_pending (account_id=? AND expires_at>? AND expires_at<?)" in used
