"""An organisation's credit as a bookkeeper reads it, month by month."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask

from tests.failed import failed_refund
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED
from tests.people import session_of
from webapp.actions import account_book, failed_refunds, invoices, ledger, settlements, undo
from webapp.actions.account_book import Balances
from webapp.actions.months import Month
from webapp.models import Account

NOVEMBER = Month(date(2026, 11, 1))


@pytest.fixture
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


def give(organisation: Account, email: str) -> None:
    """Somebody's credit, available at once."""
    user = make_person(email)
    acceptance = join(user, organisation, "credit")
    undo.send_now(user, acceptance.id)
    settlements.release(settlement_of(acceptance).id)


def read(organisation: Account, month: Month = NOVEMBER) -> list[tuple[str, int, int]]:
    page = account_book.page(organisation, "EUR", month)
    return [(one.event, one.change.held_minor, one.change.available_minor) for one in page.entries]


def test_each_movement_names_its_person_and_its_document(clock: time_machine.Traveller) -> None:
    organisation = make_owned()
    give(organisation, "ann@example.org")
    clock.shift(60)
    invoices.add(organisation, "F-1", issued_on=None, due_on=None, total_minor=3000)
    invoices.void(organisation, "F-1")

    page = account_book.page(organisation, "EUR", NOVEMBER)
    assert [one.event for one in page.entries] == [
        "credit_held",
        "credit_available",
        "credit_used",
        "credit_used_reversed",
    ]
    assert {one.origin and one.origin.number for one in page.entries} == {"A-2026-000001"}
    assert {one.origin and one.origin.person for one in page.entries} == {"Ann"}
    assert [one.invoice and one.invoice.number for one in page.entries[2:]] == ["F-1", "F-1"]
    assert page.opening == Balances(0, 0)
    assert page.closing == page.entries[-1].after == Balances(0, 4997)


def test_undoing_names_the_statement_that_cancels(clock: time_machine.Traveller) -> None:
    organisation = make_owned()
    user = make_person("ann@example.org")
    undo.undo(user, join(user, organisation, "credit").id)

    page = account_book.page(organisation, "EUR", NOVEMBER)
    assert [one.origin and one.origin.number for one in page.entries] == [
        "A-2026-000001",
        "A-2026-000002",
    ]
    assert page.closing == Balances(0, 0)


def test_a_refund_handed_over_is_credit_and_no_refund(clock: time_machine.Traveller) -> None:
    organisation = make_owned()
    user, refund = failed_refund(organisation=organisation)
    failed_refunds.hand_over(user, session_of(user), refund.id)

    (entry,) = account_book.page(organisation, "EUR", NOVEMBER).entries
    assert (entry.event, entry.change) == ("refund_to_credit", Balances(0, 4997))
    assert entry.origin is not None
    assert entry.origin.number == "A-2026-000001"


def test_months_follow_each_other(clock: time_machine.Traveller) -> None:
    organisation = make_owned()
    give(organisation, "ann@example.org")
    clock.move_to(ACCEPTED + timedelta(days=10))
    invoices.add(organisation, "F-1", issued_on=None, due_on=None, total_minor=3000)

    november, december, january = (
        account_book.page(organisation, "EUR", month)
        for month in (NOVEMBER, NOVEMBER.next, NOVEMBER.next.next)
    )
    assert (november.closing, december.closing) == (december.opening, january.opening)
    assert december.entries[0].change == Balances(0, -3000)
    assert january.entries == ()
    assert january.closing.available_minor == ledger.balance(
        organisation.id, "credit_available", "EUR"
    )


def test_pages_carry_their_balances_over(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = make_owned()
    for name in ("ann", "bob", "cem"):
        give(organisation, f"{name}@example.org")  # all at the same moment
    whole = account_book.page(organisation, "EUR", NOVEMBER)
    monkeypatch.setattr(account_book, "AT_ONCE", 4)

    after, balance, seen, pages = "", whole.opening, [], 0
    while after or not pages:
        page = account_book.page(organisation, "EUR", NOVEMBER, after)
        assert page.opening == balance
        seen += page.entries
        after, balance, pages = page.more, page.closing, pages + 1
    assert (pages, tuple(seen), balance) == (2, whole.entries, whole.closing)


def test_currencies_are_books_of_their_own(clock: time_machine.Traveller) -> None:
    organisation = make_owned()
    assert account_book.currencies(organisation) == ["EUR"]
    assert account_book.page(organisation, "JPY", NOVEMBER).closing == Balances(0, 0)
    give(organisation, "ann@example.org")
    give(make_owned("Maison Petit"), "bob@example.org")

    assert read(organisation) == [("credit_held", 4997, 0), ("credit_available", -4997, 4997)]
