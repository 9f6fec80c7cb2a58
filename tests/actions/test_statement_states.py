"""Where a statement's money is: what a page says and what a filter finds are the same (rule D6);
and what all that is found adds up to."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.books import Books, make_books
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED, make_user, settled, viewer_of
from tests.people import session_of
from webapp import clock
from webapp.actions import (
    disputes,
    failed_refunds,
    invoices,
    ledger,
    refunds,
    settlements,
    statement_list,
    undo,
)
from webapp.actions.statement_filter import Asked, asked_for
from webapp.actions.statement_states import STATES
from webapp.actions.statement_totals import Total, totals
from webapp.models import Payment, Refund, Statement, User
from webapp.payments.simulated import SimulatedGateway, faults


@pytest.fixture
def day(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def books(day: Any) -> Books:
    return make_books(day)


def found(user: User, **words: str) -> list[statement_list.Listed]:
    return list(statement_list.every(viewer_of(user), asked_for(words), clock.now()))


def state(books: Books, ending: str) -> set[str]:
    user = books.people[ending]
    return {one.state for one in found(books.operator) if one.person == user}


def test_each_ending_has_its_state(books: Books) -> None:
    assert {ending: state(books, ending) for ending in books.people} == {
        "arrived": {"succeeded"},
        "asked": {"requested"},
        "failed": {"failed"},
        "handed over": {"credited", "part_used"},
        "undone refund": {"cancelled"},
        "undone credit": {"cancelled"},
        "available": {"succeeded"},
        "elsewhere": {"succeeded"},
        "held": {"held"},
    }


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=25)])
def test_a_filter_finds_what_the_page_calls_so(
    books: Books, day: time_machine.Traveller, later: timedelta
) -> None:
    day.shift(later)
    for user in (books.operator, books.finance, books.people["handed over"]):
        everything = found(user)
        by_state = {
            name: {one.statement.number for one in everything if one.state == name}
            for name in STATES
        }
        filtered = {
            name: {one.statement.number for one in found(user, state=name)} for name in STATES
        }
        assert filtered == by_state
    assert Counter(one.state for one in found(books.operator))["held"] == (0 if later else 1)


def credits(books: Books) -> list[tuple[str, int | None]]:
    """State and what is left of each credit of the organisation that was not undone."""
    listed = found(books.finance, kind="account_credit")
    return [(one.state, one.left_minor) for one in listed if one.state != "cancelled"]


def test_an_organisations_credit_says_what_invoices_left_of_it(books: Books) -> None:
    """The oldest is taken first, and comes back when its invoice is voided (rule M8)."""
    assert credits(books) == [("part_used", 1_997), ("succeeded", 4_997)]

    opened: dict[str, Any] = {"issued_on": None, "due_on": None}
    invoices.add(books.organisation, "F-8", total_minor=1_997, **opened)
    assert credits(books) == [("used", 0), ("succeeded", 4_997)]
    invoices.add(books.organisation, "F-9", total_minor=9_000, **opened)
    assert credits(books) == [("used", 0), ("used", 0)]
    invoices.void(books.organisation, "F-8")
    assert credits(books) == [("part_used", 1_997), ("used", 0)]
    # The person's own says what became of what was theirs, and nothing of the organisation's.
    assert state(books, "available") == {"succeeded", "used"}
    (own,) = found(books.people["available"])
    assert (own.state, own.left_minor) == ("succeeded", None)


def test_failed_refunds_of_one_person_are_credits_of_their_own(books: Books) -> None:
    """Eight payments of 10.00 give back 21.33, by three of them."""
    user = make_person("thrice@example.org", *[1_000] * 8)
    organisation = make_owned("Maison Roux")
    acceptance = join(user, organisation, "refund")
    undo.send_now(user, acceptance.id)
    for share in settlement_of(acceptance).shares:
        refund = Refund.get(Refund.share == share)
        faults.ask_for("create_refund", "refused")
        refunds.request(refund.id, SimulatedGateway())
        failed_refunds.hand_over(user, session_of(user), refund.id)
    invoices.add(organisation, "F-1", issued_on=None, due_on=None, total_minor=1_500)

    theirs = asked_for({"q": "thrice", "kind": "account_credit"})
    listed = list(statement_list.every(viewer_of(books.operator), theirs, clock.now()))
    assert sorted(one.gross_minor for one in listed) == [133, 1_000, 1_000]
    taken = sum(one.gross_minor - (one.left_minor or 0) for one in listed)
    assert (taken, {one.state for one in listed}) == (1_500, {"used", "part_used", "succeeded"})
    for one in listed:
        again = found(books.operator, state=one.state, q=one.statement.number)
        assert [two.statement.number for two in again] == [one.statement.number]


def test_disputed_credit_is_not_called_available(day: time_machine.Traveller) -> None:
    settlement = settled("credit")
    disputes.note(Payment.get(), True)
    day.shift(timedelta(hours=25))
    settlements.release(settlement.id)

    owner = make_user("owner@dumas.example", settlement.organisation, is_owner=True)
    assert [(one.state, one.until) for one in found(owner)] == [("held", None)]
    assert [one.state for one in found(owner, state="held")] == ["held"]
    assert not found(owner, state="succeeded")


def test_totals_are_those_of_all_that_is_asked_for(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement_list, "AT_ONCE", 1)
    viewer, now = viewer_of(books.operator), clock.now()
    filters: list[dict[str, str]] = [
        *({}, {"kind": "refund"}, {"state": "cancelled"}, {"q": "handed"}, {"month": "2026-11"}),
        {"state": "failed", "from": "2026-11-23"},
    ]
    for words in filters:
        asked = asked_for(words)
        rows = list(statement_list.every(viewer, asked, now))
        groups = {(one.statement.currency, one.statement.kind) for one in rows}
        assert [(one.currency, one.kind) for one in totals(viewer, asked, now)] == sorted(
            groups,
            key=lambda group: (group[0], ("refund", "credit", "account_credit").index(group[1])),
        )
        for total in totals(viewer, asked, now):
            mine = [
                one
                for one in rows
                if (one.statement.kind, one.statement.currency) == (total.kind, total.currency)
            ]
            assert total.count == len(mine)
            assert total.gross_minor == sum(one.gross_minor for one in mine)
            assert total.net_minor == sum(one.net_minor for one in mine)
            assert total.net_minor + total.tax_minor == total.gross_minor


def test_totals_are_what_the_ledger_says(books: Books) -> None:
    """A refund's statements are what was taken off a person's prepaid; those of account credit what
    came to the organisations. What was undone comes to nothing."""
    of = {
        (one.kind, one.currency): one
        for one in totals(viewer_of(books.operator), asked_for({}), clock.now())
    }
    balances = {
        account.id: ledger.balances(account.id) for account in (books.organisation, books.elsewhere)
    }

    def credit_of(account_id: int, currency: str) -> int:
        kinds = ("credit_held", "credit_available", "credit_used")
        return sum(balances[account_id].get((kind, currency), 0) for kind in kinds)

    assert of["account_credit", "EUR"].gross_minor == credit_of(books.organisation.id, "EUR")
    assert of["account_credit", "JPY"].gross_minor == credit_of(books.elsewhere.id, "JPY")
    assert of["credit", "JPY"].gross_minor == of["account_credit", "JPY"].gross_minor == 4_997
    # Arrived, failed, handed over and held; one was undone.
    assert of["refund", "EUR"].gross_minor == 4 * 4_997
    assert of["refund", "EUR"].count == 6
    assert of["refund", "BHD"].gross_minor == 49_973
    assert of["credit", "EUR"] == Total("credit", "EUR", 3, 4_997, 833)


def test_all_are_read_by_chunks_and_none_twice(books: Books) -> None:
    viewer, asked, now = viewer_of(books.operator), asked_for({}), clock.now()
    numbers = [one.statement.number for one in statement_list.every(viewer, asked, now)]

    for size in (1, 2, 7, len(numbers)):
        again = statement_list.every(viewer, asked, now, in_a_chunk=size)
        assert [one.statement.number for one in again] == numbers
    assert len(set(numbers)) == Statement.select().count()


def test_a_month_is_narrowed_by_days() -> None:
    def days(**words: str) -> tuple[str, str]:
        asked: Asked = asked_for(words)
        return str(asked.first), str(asked.last)

    assert days(month="2026-02") == ("2026-02-01", "2026-02-28")
    assert days(month="2024-12") == ("2024-12-01", "2024-12-31")
    assert days(month="2026-11", **{"from": "2026-11-10"}) == ("2026-11-10", "2026-11-30")
    assert days(month="2026-11", to="2026-12-10") == ("2026-11-01", "2026-11-30")
    assert asked_for({"month": "2026-11", "to": "2026-10-01"}).errors == {"to": "order"}
    for wrong in ("2026-13", "2026-1", "11-2026", "9999-12", "0000-01", "x", "2026-11-01"):
        assert asked_for({"month": wrong}).errors == {"month": "month"}
