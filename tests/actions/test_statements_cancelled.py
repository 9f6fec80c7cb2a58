"""Taking a statement back: another of the same series, once, however often and at once it is asked
(rules D2, D3 and J14)."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from peewee import IntegrityError

from invoices import statement as core
from tests.money import ACCEPTED, settled
from tests.races import race
from webapp.actions import statements
from webapp.database import database, transaction
from webapp.models import OutboxMessage, Settlement, Statement, StatementSeries

UNDONE = ACCEPTED + timedelta(hours=3)


class Abandoned(Exception):
    """Ends a transaction without a trace."""


def of_kind(kind: str) -> Statement:
    found: Statement = Statement.get(Statement.kind == kind, Statement.corrects.is_null())
    return found


def as_kept(statement: Statement) -> dict[str, Any]:
    return {**statement.__data__, "pdf": bytes(statement.pdf or b"")}


def numbers() -> list[str]:
    return [one.number for one in Statement.select().order_by(Statement.id)]


@pytest.fixture
def credit(app: Flask) -> Settlement:
    with time_machine.travel(ACCEPTED, tick=False):
        return settled("credit")


def test_a_cancelling_statement_has_the_next_number_of_the_same_series(credit: Settlement) -> None:
    original = of_kind("credit")
    with time_machine.travel(UNDONE, tick=False):
        cancelling = statements.cancel(original)

    document = core.Statement.from_json(Statement.get_by_id(cancelling.id).inputs)
    assert (cancelling.number, cancelling.kind) == ("C-2026-000002", "credit")
    assert (cancelling.corrects, cancelling.settlement) == (original, credit)
    assert (cancelling.account, cancelling.user) == (original.account, original.user)
    assert (cancelling.gross_minor, cancelling.tax_minor) == (4997, 833)
    assert (cancelling.issued_at, document.issued_on) == (UNDONE, cancelling.issued_on)
    assert document.cancels is not None
    assert (document.cancels.number, document.cancels.kind) == (original.number, "credit")
    assert document.held_until is None


def test_what_it_cancels_stays_as_it_was(credit: Settlement) -> None:
    statements.render(of_kind("credit").id)
    before = as_kept(of_kind("credit"))
    statements.cancel(of_kind("credit"))

    assert as_kept(of_kind("credit")) == before


def test_it_is_rendered_like_any_other(credit: Settlement) -> None:
    cancelling = statements.cancel(of_kind("account_credit"))
    assert {"statement_id": cancelling.id} in [
        one.payload for one in OutboxMessage.select().where(OutboxMessage.kind == "render")
    ]
    statements.render(cancelling.id)

    rendered = Statement.get_by_id(cancelling.id)
    assert as_kept(rendered)["pdf"].startswith(b"%PDF-")
    assert rendered.sha256


def test_cancelling_again_is_the_same_statement(credit: Settlement) -> None:
    first = statements.cancel(of_kind("credit"))

    assert statements.cancel(of_kind("credit")) == first
    assert numbers() == ["C-2026-000001", "A-2026-000001", "C-2026-000002"]


def test_eight_at_once_cancel_once(credit: Settlement) -> None:
    original = of_kind("credit")
    outcomes = race(8, lambda _: statements.cancel(original).number)

    assert set(outcomes) == {"C-2026-000002"}
    assert Statement.select().where(Statement.corrects == original).count() == 1


def test_what_cancels_cannot_be_cancelled(credit: Settlement) -> None:
    cancelling = statements.cancel(of_kind("credit"))

    with pytest.raises(ValueError, match="can't be cancelled"):
        statements.cancel(cancelling)
    assert StatementSeries.get(StatementSeries.kind == "credit").last == 2


def test_the_database_refuses_a_second_one(credit: Settlement) -> None:
    original, other = of_kind("credit"), of_kind("account_credit")
    statements.cancel(original)

    columns = ", ".join(
        f"'X-2026-000009' AS {name}" if name == "number" else name
        for name in (
            *("number", "seller", "kind", "year"),
            *("account_id", "user_id", "settlement_id", "customer_name", "currency"),
            *("gross_minor", "tax_minor", "locale", "issued_on", "issued_at", "inputs"),
        )
    )
    names = columns.replace("'X-2026-000009' AS ", "")
    sentence = (
        f"INSERT INTO statement ({names}, sequence, corrects_id)"
        f" SELECT {columns}, 9, {original.id} FROM statement WHERE id = {other.id}"
    )
    with pytest.raises(IntegrityError, match="corrects"), transaction():
        database.execute_sql(sentence)


def test_an_abandoned_cancellation_leaves_no_gap(credit: Settlement) -> None:
    def abandon() -> None:
        with transaction():
            statements.cancel(of_kind("credit"))
            raise Abandoned

    with pytest.raises(Abandoned):
        abandon()
    assert statements.cancel(of_kind("credit")).number == "C-2026-000002"


def test_a_cancellation_in_another_year_has_that_years_number(credit: Settlement) -> None:
    with time_machine.travel(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), tick=False):
        assert statements.cancel(of_kind("credit")).number == "C-2027-000001"


def test_thirty_two_writers_of_every_kind_leave_no_gap(app: Flask) -> None:
    """Eight lanes each: settle a refund, settle a credit, cancel both documents of a credit in
    their order, or abandon a cancellation, all of them at once."""
    credits = [settled("credit", f"c{at}@example.org") for at in range(16)]

    def cancel_all(at: int) -> None:
        with transaction():
            mine = Statement.select().where(Statement.settlement == credits[at])
            for one in list(mine.order_by(Statement.id)):
                statements.cancel(one)
            if at >= 8:
                raise Abandoned

    def run(at: int) -> None:
        if at < 16:
            cancel_all(at)
        else:
            settled("refund" if at < 24 else "credit", f"n{at}@example.org")

    outcomes = race(32, run)

    assert Counter(type(one) for one in outcomes) == {type(None): 24, Abandoned: 8}
    assert _sequences() == {
        "refund": list(range(1, 9)),
        "credit": list(range(1, 33)),
        "account_credit": list(range(1, 33)),
    }
    for kind, last in (("refund", 8), ("credit", 32), ("account_credit", 32)):
        assert StatementSeries.get(StatementSeries.kind == kind).last == last


def _sequences() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    moments: dict[str, list[datetime]] = {}
    for one in Statement.select().order_by(Statement.sequence):
        found.setdefault(one.kind, []).append(one.sequence)
        moments.setdefault(one.kind, []).append(one.issued_at)
    assert all(each == sorted(each) for each in moments.values())
    return found
