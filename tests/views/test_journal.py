"""The journal of a month: double entry, read back and added up to the ledger."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests.books import Books, make_books, read_csv
from tests.money import ACCEPTED, browser_of
from webapp.actions import invoices, journal, ledger
from webapp.models import Account, LedgerAccount, LedgerTransfer, Statement

DECIMALS = {"EUR": 2, "JPY": 0, "BHD": 3}


@pytest.fixture
def day(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as clock:
        yield clock


@pytest.fixture
def books(day: Any) -> Books:
    return make_books(day)


def lines(client: FlaskClient, month: str = "2026-11") -> list[dict[str, str]]:
    response = client.get(f"/journal.csv?month={month}")
    assert response.status_code == 200
    return read_csv(response.text)


def minor(text: str, currency: str) -> int:
    return int(Decimal(text).scaleb(DECIMALS[currency]))


def assert_balanced(rows: list[dict[str, str]]) -> None:
    entries = defaultdict(list)
    for row in rows:
        entries[row["entry"]].append(row)
    for of_entry in entries.values():
        debit, credit = of_entry
        assert debit["currency"] == credit["currency"]
        assert debit["debit"] == credit["credit"] != ""
        assert Decimal(debit["credit"]) == Decimal(credit["debit"]) == 0


def test_the_journal_adds_up_to_the_ledger(app: Flask, books: Books) -> None:
    rows = lines(browser_of(app, books.operator))

    assert_balanced(rows)
    assert len(rows) == 2 * LedgerTransfer.select().count()
    whole: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        place = row["party"], row["account"], row["currency"]
        whole[place] += minor(row["debit"], row["currency"])
        whole[place] -= minor(row["credit"], row["currency"])
    for one in LedgerAccount.select(LedgerAccount, Account).join(Account):
        sign = 1 if one.normal == "debit" else -1
        assert whole.pop((one.account.public_id, one.kind, one.currency)) == sign * one.balance()
    assert whole == {}


def test_an_organisations_journal_is_its_own_ledger_accounts(app: Flask, books: Books) -> None:
    rows = lines(browser_of(app, books.finance))

    assert_balanced(rows)
    own = [row for row in rows if row["account"] != "counterpart"]
    assert {row["party"] for row in own} == {books.organisation.public_id}
    assert {row["party"] for row in rows} == {books.organisation.public_id, ""}
    whole: dict[tuple[str, str], int] = defaultdict(int)
    for row in own:
        change = Decimal(row["credit"]) - Decimal(row["debit"])
        whole[row["account"], row["currency"]] += minor(str(change), row["currency"])
    balances = ledger.balances(books.organisation.id)
    assert {place: whole[place] for place in balances} == balances
    assert set(whole) == set(balances)


def test_an_organisation_learns_nothing_of_a_refund(app: Flask, books: Books) -> None:
    text = browser_of(app, books.finance).get("/journal.csv?month=2026-11").text

    for word in ("refund", "R-2026", "C-2026", "captured", "prepaid", "handed-over", "failed"):
        assert word not in text.lower(), word
    received = [row for row in read_csv(text) if row["event"] == "credit_received"]
    assert [(row["account"], row["debit"], row["credit"]) for row in received] == [
        ("counterpart", "49.97", "0.00"),
        ("credit_available", "0.00", "49.97"),
    ]


def test_each_line_names_the_document_of_its_party(app: Flask, books: Books) -> None:
    rows = lines(browser_of(app, books.operator))
    numbers = {one.number: one for one in Statement.select()}
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        number = row["document"]
        found[row["event"]].add(number[:1] if number in numbers else number)
        if number in numbers:
            assert numbers[number].account.public_id == row["party"], row
            assert numbers[number].currency == row["currency"]

    assert found == {
        "captured": {"F-2026-0113"},
        "refund_held": {"R"},
        "refund_held_reversed": {"R"},
        "refund_requested": {"R"},
        "refund_succeeded": {"R"},
        "refund_failed": {"R"},
        "refund_to_credit": {"R", "A"},
        "credit_held": {"C", "A"},
        "credit_held_reversed": {"C", "A"},
        "credit_available": {"A"},
        "credit_used": {"F-7"},
    }
    undone = {row["document"] for row in rows if row["event"] == "credit_held_reversed"}
    assert all(numbers[number].corrects_id for number in undone)


def test_the_text_says_it_in_the_readers_language(app: Flask, books: Books) -> None:
    english = lines(browser_of(app, books.operator))
    french = lines(browser_of(app, books.operator, "fr"))

    assert "Refund sent – Arrived" in {row["text"] for row in english}
    assert "Remboursement envoyé – Arrived" in {row["text"] for row in french}
    for one, other in zip(english, french, strict=True):
        for column in ("date", "entry", "event", "account", "party", "debit", "credit", "document"):
            assert one[column] == other[column]
    # Every event has its words, and no words are those of another.
    said = {row["event"]: row["text"].partition(" – ")[0] for row in english}
    assert len(set(said.values())) == len(said)
    assert not set(said) & set(said.values())


def test_a_month_is_the_sellers_month(
    app: Flask, books: Books, day: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "IN_A_CHUNK", 3)
    day.move_to(datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    invoices.void(books.organisation, "F-7")
    operator = browser_of(app, books.operator)

    assert {row["event"] for row in lines(operator, "2026-12")} == {"credit_used_reversed"}
    assert {row["date"] for row in lines(operator, "2026-12")} == {"2026-12-01"}
    assert "credit_used_reversed" not in {row["event"] for row in lines(operator)}
    assert (
        len(lines(operator)) + len(lines(operator, "2026-12"))
        == 2 * LedgerTransfer.select().count()
    )
    assert lines(operator, "2026-10") == []


def test_it_needs_a_month(app: Flask, books: Books) -> None:
    client = browser_of(app, books.finance)

    for query in ("", "?month=", "?month=2026-13", "?month=november"):
        response = client.get(f"/journal.csv{query}")
        assert response.status_code == 422
        assert 'id="journal-month-error"' in response.text
        assert "2026-11" in response.text
    response = client.get("/journal.csv?month=2026-11")
    assert response.headers["Content-Disposition"] == "attachment; filename=journal-2026-11.csv"
    assert response.headers["Cache-Control"] == "private, no-store"


def test_who_may_not_see_billing_finds_no_journal(app: Flask, books: Books) -> None:
    person = browser_of(app, books.people["available"])

    assert person.get("/journal.csv?month=2026-11").status_code == 403
    assert "/journal.csv" not in person.get("/statements").text
    assert "/journal.csv" in browser_of(app, books.finance).get("/statements").text
