"""The ledger in the database: what posts, what it refuses by itself, and what the check finds."""

import pytest
from flask import Flask
from peewee import IntegrityError

from invoices import ledger as transfers
from invoices.ledger import LedgerAccountRef, Transfer
from tests.money import make_account, make_organisation, make_plan, make_user, settle, settled
from tests.races import race
from webapp.actions import ledger
from webapp.database import database, is_postgresql, transaction
from webapp.models import (
    Account,
    LedgerAccount,
    LedgerTransfer,
    Payment,
    Refund,
    SettlementShare,
    StatementSeries,
)


@pytest.fixture
def person(app: Flask) -> Account:
    account = make_account()
    make_plan(account)
    return account


def test_a_transfer_moves_a_balance(person: Account) -> None:
    ledger.post([transfers.refund_held(1, person.id, "EUR", 4997)])

    assert ledger.balance(person.id, "prepaid", "EUR") == 13742
    assert ledger.balance(person.id, "refund_held", "EUR") == 4997
    assert ledger.balance(person.id, "refund_held", "USD") == 0
    assert ledger.balances(person.id) == {
        ("captured", "EUR"): 18739,
        ("prepaid", "EUR"): 13742,
        ("refund_held", "EUR"): 4997,
    }


def test_a_thousand_transfers_are_posted_at_once(app: Flask) -> None:
    accounts = [make_account() for _ in range(20)]
    ledger.post(transfers.captured(at, accounts[at % 20].id, "EUR", 100 + at) for at in range(1000))

    assert LedgerTransfer.select().count() == 1000
    assert LedgerAccount.select().count() == 40
    assert ledger.balance(accounts[3].id, "prepaid", "EUR") == sum(
        100 + at for at in range(3, 1000, 20)
    )


def test_an_event_repeated_is_refused(person: Account) -> None:
    held = transfers.refund_held(1, person.id, "EUR", 100)
    ledger.post([held])

    with pytest.raises(IntegrityError), transaction():
        ledger.post([held])
    assert ledger.is_posted(held.key)
    assert ledger.balance(person.id, "refund_held", "EUR") == 100


@pytest.mark.parametrize("first", [0, 10000])
def test_an_overdraft_is_refused_with_all_that_came_with_it(person: Account, first: int) -> None:
    parts = [("a", first), ("b", 18740 - first)]
    wanted = [
        Transfer(key, *_sides(person, "prepaid", "refund_held"), amount_minor=minor, kind="test")
        for key, minor in parts
        if minor
    ]

    with pytest.raises(IntegrityError, match="overdraft"), transaction():
        ledger.post(wanted)
    assert ledger.balance(person.id, "prepaid", "EUR") == 18739


def test_what_the_gateway_holds_cannot_go_below_nothing(person: Account) -> None:
    with pytest.raises(IntegrityError, match="overdraft"), transaction():
        ledger.post([Transfer("a", *_sides(person, "refund_held", "captured"), 18740, kind="test")])


def test_the_database_refuses_another_currency(person: Account) -> None:
    ledger.post([transfers.captured(99, person.id, "USD", 100)])
    euros, dollars = (
        LedgerAccount.get(LedgerAccount.kind == "prepaid", LedgerAccount.currency == currency)
        for currency in ("EUR", "USD")
    )

    with pytest.raises(IntegrityError, match="currencies"), transaction():
        database.execute_sql(
            "INSERT INTO ledger_transfer (key, kind, debit_id, credit_id, amount_minor, at)"
            f" VALUES ('x', 'test', {euros.id}, {dollars.id}, 1, '2026-11-23 00:00:00')"
        )


@pytest.mark.parametrize(
    "sentence",
    [
        "UPDATE ledger_transfer SET amount_minor = 1",
        "DELETE FROM ledger_transfer",
        "UPDATE ledger_account SET normal = 'debit'",
        "DELETE FROM ledger_account",
    ],
)
def test_the_database_refuses_to_change_what_was_posted(person: Account, sentence: str) -> None:
    with pytest.raises(IntegrityError, match="only grow"), transaction():
        database.execute_sql(sentence)
    assert ledger.balance(person.id, "prepaid", "EUR") == 18739


def test_sixteen_openings_of_one_ledger_account_open_one(person: Account) -> None:
    other = make_organisation()

    def post(at: int) -> None:
        with transaction():
            ledger.post([transfers.credit_held(at, person.id, other.id, "EUR", 10)])

    assert race(16, post) == [None] * 16
    assert LedgerAccount.select().where(LedgerAccount.account == other).count() == 1
    assert ledger.balance(other.id, "credit_held", "EUR") == 160


def test_of_sixteen_spendings_of_the_last_cent_one_succeeds(person: Account) -> None:
    def spend(at: int) -> None:
        with transaction():
            ledger.post([transfers.refund_held(at, person.id, "EUR", 18739)])

    outcomes = race(16, spend)

    assert outcomes.count(None) == 1
    assert sum(isinstance(one, IntegrityError) for one in outcomes) == 15
    assert ledger.balance(person.id, "prepaid", "EUR") == 0


def test_the_check_finds_nothing_where_all_holds(app: Flask) -> None:
    settled("refund", "anne@example.org")
    settled("credit", "bob@example.org")

    assert ledger.check() == []


def test_the_check_finds_nothing_in_an_empty_database(app: Flask) -> None:
    assert ledger.check() == []


def test_the_check_says_what_was_given_back_and_what_was_not(app: Flask) -> None:
    settlement = settled("refund")
    payment = Payment.get()
    Payment.update(returned_minor=5000).execute()

    assert ledger.check() == [
        f"payment {payment.reference}: 5000 was given back of 18739, its parts add up to 4997"
    ]
    Payment.update(returned_minor=4997).execute()
    SettlementShare.update(gross_minor=4996).execute()
    assert f"settlement {settlement.id}: it is of 4997, its shares add up to 4996" in ledger.check()


def test_the_check_finds_a_payment_that_the_ledger_has_not(app: Flask) -> None:
    make_plan(make_account())
    Payment.update(captured_minor=20000).execute()

    assert [one.partition(": ")[2] for one in ledger.check()] == [
        "20000 was captured, the ledger says 18739"
    ]


def test_the_check_finds_refunds_above_the_payment(app: Flask) -> None:
    settled("refund")
    Refund.update(amount_minor=18740).execute()

    assert any("refunds of 18740 exceed the 18739 captured" in one for one in ledger.check())
    assert any("it is of 18740, its share of 4997" in one for one in ledger.check())


def test_the_check_finds_a_refund_that_the_ledger_does_not_know_of(app: Flask) -> None:
    settlement = settled("refund")
    Refund.update(state="pending").execute()

    assert ledger.check() == [
        f"account {settlement.account.public_id}:"
        " refunds under way in EUR are 4997, the ledger says 0"
    ]


def test_the_check_finds_a_gap_in_the_numbers(app: Flask) -> None:
    account = make_account()
    user = make_user("a@example.org", account, is_owner=True)
    make_plan(account)
    settle(user, make_organisation(), "refund")
    StatementSeries.update(last=3).execute()

    assert ledger.check() == [
        "statements refund 2026: numbers 1 to 1, the last taken 3, but 1 documents"
    ]
    StatementSeries.delete().execute()
    assert ledger.check() == ["statement R-2026-000001 belongs to no series of numbers"]


def test_the_check_finds_an_overdraft_that_no_trigger_saw(person: Account) -> None:
    if is_postgresql():
        database.execute_sql("ALTER TABLE ledger_transfer DISABLE TRIGGER ALL")
    else:
        database.execute_sql("DROP TRIGGER ledger_transfer_overdraft_debit")
    ledger.post([transfers.refund_held(1, person.id, "EUR", 20000)])

    assert ledger.check() == [f"account {person.public_id}: the balance prepaid in EUR is -1261"]


def _sides(account: Account, debit: str, credit: str) -> tuple[LedgerAccountRef, LedgerAccountRef]:
    return (
        LedgerAccountRef(account.id, debit, "EUR"),
        LedgerAccountRef(account.id, credit, "EUR"),
    )
