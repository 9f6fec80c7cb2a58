"""Statements in the database: numbers without a gap, documents that never change, who sees what."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from peewee import IntegrityError

from invoices import statement as core
from invoices.parts import Party
from tests.money import ACCEPTED, make_account, make_organisation, make_user, settled, viewer_of
from tests.races import race
from webapp.actions import statements
from webapp.database import database, transaction
from webapp.errors import NotThere
from webapp.models import Settlement, Statement, StatementSeries, User


class Abandoned(Exception):
    """Ends a transaction without a trace."""


def issue(settlement: Settlement, kind: str = "refund") -> Statement:
    first = core.Statement.from_json(Statement.select().order_by(Statement.id).get().inputs)

    def draft(heading: core.Heading) -> core.Statement:
        return replace(first, **heading)

    user = settlement.acceptance.user
    with transaction():
        return statements.issue(kind, settlement, settlement.account, user, "fr", draft)


def issue_and_abandon(settlement: Settlement) -> None:
    with transaction():
        issue(settlement)
        raise Abandoned


def numbers() -> list[str]:
    return [one.number for one in Statement.select().order_by(Statement.id)]


@pytest.fixture
def settlement(app: Flask) -> Settlement:
    with time_machine.travel(ACCEPTED, tick=False):
        return settled("refund")


def test_a_statement_freezes_all_that_it_prints(settlement: Settlement) -> None:
    statement = Statement.get()
    document = core.Statement.from_json(statement.inputs)

    assert (document.number, document.gross_minor) == ("R-2026-000001", 4997)
    assert document.seller.name == "Affluent"
    assert document.customer == Party("Camille", "4 quai Saint-Vincent\n69001 Lyon", "FR")
    assert document.held_until == ACCEPTED + timedelta(hours=24)
    assert (statement.issued_at, statement.issued_on) == (ACCEPTED, document.issued_on)
    assert (statement.user, statement.locale) == (settlement.acceptance.user, "fr")


def test_kinds_and_years_have_numbers_of_their_own(app: Flask) -> None:
    for at, choice in (
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), "refund"),
        (datetime(2026, 12, 31, 23, 1, tzinfo=UTC), "refund"),  # past midnight in Paris
        (datetime(2027, 1, 2, tzinfo=UTC), "credit"),
        (datetime(2027, 1, 3, tzinfo=UTC), "refund"),
    ):
        with time_machine.travel(at, tick=False):
            settled(choice, f"{at:%m%d%H}@example.org")

    assert numbers() == [
        "R-2026-000001",
        "R-2027-000001",
        "C-2027-000001",
        "A-2027-000001",
        "R-2027-000002",
    ]


def test_a_rollback_leaves_no_gap(settlement: Settlement) -> None:
    with pytest.raises(Abandoned):
        issue_and_abandon(settlement)
    issue(settlement)

    assert [number[-6:] for number in numbers()] == ["000001", "000002"]
    assert StatementSeries.get().last == 2


def test_thirty_two_at_once_and_some_abandoned_have_numbers_without_a_gap(
    settlement: Settlement,
) -> None:
    def run(at: int) -> None:
        issue_and_abandon(settlement) if at % 4 == 3 else issue(settlement)

    outcomes = race(32, run)

    assert sum(isinstance(one, Abandoned) for one in outcomes) == 8
    assert [one for one in outcomes if one and not isinstance(one, Abandoned)] == []
    issued = Statement.select().order_by(Statement.sequence)
    assert [one.sequence for one in issued] == list(range(1, 26))
    moments = [one.issued_at for one in issued]
    assert moments == sorted(moments)


def test_rendering_keeps_the_bytes_and_their_digest_once(settlement: Settlement) -> None:
    first = Statement.get()
    statements.render(first.id)
    rendered = Statement.get()
    statements.render(first.id)

    assert rendered.pdf[:5] == b"%PDF-"
    assert rendered.sha256 == hashlib.sha256(bytes(rendered.pdf)).hexdigest()
    assert Statement.get().rendered_at == rendered.rendered_at


def test_rendering_twice_at_once_keeps_one_document(settlement: Settlement) -> None:
    assert race(2, lambda _: statements.render(Statement.get().id)) == [None, None]

    statement = Statement.get()
    assert statement.sha256 == hashlib.sha256(bytes(statement.pdf)).hexdigest()


def test_rendering_what_is_not_there_does_nothing(app: Flask) -> None:
    statements.render(12345)

    assert Statement.select().count() == 0


@pytest.mark.parametrize(
    "sentence",
    [
        "UPDATE statement SET gross_minor = 1",
        "UPDATE statement SET inputs = '{}'",
        "UPDATE statement SET number = 'R-2026-000009'",
        "UPDATE statement SET pdf = NULL, sha256 = NULL, rendered_at = NULL",
        "DELETE FROM statement",
    ],
)
def test_the_database_refuses_to_change_a_statement(settlement: Settlement, sentence: str) -> None:
    statements.render(Statement.get().id)

    with pytest.raises(IntegrityError, match="statement"), transaction():
        database.execute_sql(sentence)
    assert Statement.get().sha256


def test_everybody_sees_what_is_theirs(app: Flask) -> None:
    refund, credit = settled("refund", "anne@example.org"), settled("credit", "bob@example.org")
    joined, other = credit.organisation, refund.organisation
    mine = {"R": ["R-2026-000001"], "C": ["C-2026-000001"], "A": ["A-2026-000001"]}
    all_of_them = [number for kind in mine.values() for number in kind]
    expected: list[tuple[User, list[str]]] = [
        (refund.acceptance.user, mine["R"]),
        (credit.acceptance.user, mine["C"]),
        (make_user("owner@example.org", joined, is_owner=True), mine["A"]),
        (make_user("finance@example.org", joined, is_finance=True), mine["A"]),
        (make_user("admin@example.org", joined, is_admin=True), []),
        (make_user("member@example.org", joined), []),
        (make_user("other@example.org", other, is_owner=True), []),
        (make_user("stranger@example.org", make_account(), is_owner=True), []),
        (make_user("seller@example.org", make_account("operator", "Seller")), all_of_them),
    ]

    for user, visible in expected:
        seen = statements.visible_to(viewer_of(user), Statement.number)
        assert sorted(one.number for one in seen) == sorted(visible), user.email


def test_a_person_who_becomes_owner_there_sees_both_sides_of_their_own_credit(app: Flask) -> None:
    credit = settled("credit")
    database.execute_sql("UPDATE membership SET is_owner = (1 = 1)")

    seen = statements.visible_to(viewer_of(credit.acceptance.user), Statement.kind)
    assert sorted(one.kind for one in seen) == ["account_credit", "credit"]


@pytest.mark.parametrize("number", ["R-2026-000002", "", "\0", "R-2026-000001'", "x" * 5000])
def test_what_is_no_number_of_theirs_is_not_there(settlement: Settlement, number: str) -> None:
    with pytest.raises(NotThere):
        statements.document(viewer_of(settlement.acceptance.user), number)


def test_somebody_elses_statement_is_not_there(settlement: Settlement) -> None:
    stranger: Any = make_user("x@example.org", make_organisation(), is_owner=True)

    with pytest.raises(NotThere):
        statements.document(viewer_of(stranger), "R-2026-000001")
