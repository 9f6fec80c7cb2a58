"""Searching by the index finds exactly whom looking at every row finds."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask

from tests.actions.test_people_counts import make_invitation
from tests.money import ACCEPTED, make_organisation, make_user
from webapp.database import database
from webapp.models import Account, Invitation, Membership, User, people, search
from webapp.models.asked import Asked
from webapp.texts import folded

FIRST = ["Anne", "Annette", "Hélène", "Éléonore", "Jean-Marc", "Łukasz", "Οδυσσέας", "Иван", "Zoé"]
LAST = [
    *("Martin", "Martinez", "Roux", "Œuvrard", "O'Brien", "d_Arc", "100%", "Li"),
    *("Quoi?", "[sic]", "*nom*", "a\\b"),
]
QUERIES = (
    *("martin", "ann", "anne martin", "arti", "zz", "a", "li", "ma", "o'b", "d_a", "0%", '"', "*"),
    # As many words as an address may ask for.
    " ".join("abcdefghijklmnopqrstuvwxyz" * 2)[:100],
    *("quoi?", "[sic", "sic]", "[a-z]an", "*nom", "a\\b", "%%%", "___", "???", "ann?", "a_ne"),
    *("elen", "Иван", "οδ", "é", "example.org", "martin example zoe", "dumas", "jean-m", "ouv li"),
)


@pytest.fixture
def account(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Everything in an organisation of seventy is rare, and is looked up in the index."""
    monkeypatch.setattr(search, "FEW", 0)
    monkeypatch.setattr(search, "COMMON", 1_000)
    random = Random(3)
    here, elsewhere = make_organisation("Atelier Dumas"), make_organisation("Maison Petit")
    owner = make_user("claire@dumas.example", here, is_owner=True)
    for number in range(70):
        name = f"{random.choice(FIRST)} {random.choice(LAST)}"
        account = here if number % 3 else elsewhere
        make_user(f"p{number}@example.org", account, name=name)
        email = f"i{number}@example.org"
        at = ACCEPTED + timedelta(minutes=number)
        text = folded(name, email)
        make_invitation(account, owner, number, name=name, email=email, folded=text, created_at=at)
    return here


def found(account: Account, q: str, now: datetime = ACCEPTED) -> set[tuple[str, int]]:
    shown, has_more = people.page(account, Asked(q=q), now, 1_000)
    assert not has_more
    return {(person.kind, person.id) for person in shown}


def looked_at(account: Account, q: str) -> set[tuple[str, int]]:
    """By this test's own reading of each row."""
    rows = {
        "member": Membership.select().where(
            Membership.account == account, Membership.ended_at.is_null()
        ),
        "invitation": Invitation.select().where(
            Invitation.account == account, Invitation.status != "accepted"
        ),
    }
    return {(kind, row.id) for kind, those in rows.items() for row in those if holds(row.folded, q)}


def holds(text: str, q: str) -> bool:
    words = folded(q).split()
    begins = {part[: len(word)] for word in words if len(word) < 3 for part in text.split()}
    return all(word in text if len(word) > 2 else word in begins for word in words)


def test_the_index_finds_whom_looking_at_every_row_finds(account: Account) -> None:
    for q in QUERIES:
        assert found(account, q) == looked_at(account, q), q


def test_walking_down_the_list_finds_the_same(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", 1_000)

    for q in QUERIES:
        assert found(account, q) == looked_at(account, q), q


def test_the_index_was_asked(account: Account) -> None:
    assert len(search.Lookup(account, search.needles("martin")).rare(Membership) or []) > 3


def test_what_changes_is_found_as_it_is(account: Account) -> None:
    first, second, third = Membership.select().where(Membership.account == account).limit(3)
    Membership.update(folded="quite another").where(Membership.id == first.id).execute()
    Membership.update(ended_at=ACCEPTED).where(Membership.id == second.id).execute()
    Membership.delete().where(Membership.id == third.id).execute()
    one, two = Invitation.select().where(Invitation.account == account).limit(2)
    answered: dict[str, Any] = {"status": "accepted", "answered_at": ACCEPTED}
    Invitation.update(**answered).where(Invitation.id == one.id).execute()
    Invitation.update(folded="quite another", status="revoked", answered_at=ACCEPTED).where(
        Invitation.id == two.id
    ).execute()

    assert found(account, "quite") == {("member", first.id), ("invitation", two.id)}
    for q in ("example", "martin", "roux"):
        assert found(account, q) == looked_at(account, q)


def test_a_large_table_hides_nobody_of_a_small_account(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "COMMON", 0)
    small = make_organisation("Petite")
    make_user("zoe@petite.example", small, name="Zoé Martin")

    assert found(small, "martin") == looked_at(small, "martin") != set()
    # More hits than the index is asked for: the list is walked down.
    assert search.Lookup(account, search.needles("example")).rare(Membership) is None
    assert found(account, "example") == looked_at(account, "example")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_index_holds_together(account: Account, engine: str) -> None:
    """SQLite's own check of it, and nothing of rows that are gone."""
    for table in ("membership_search", "invitation_search"):
        database.execute_sql(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
    Membership.delete().execute()
    User.delete().where(User.email.startswith("p")).execute()
    left = "SELECT COUNT(*) FROM membership_search WHERE membership_search MATCH '\"exa\"'"
    assert database.execute_sql(left).fetchone() == (0,)
