"""An organisation's credit: invoices take the oldest first, and voiding gives it back (rule M8)."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED
from tests.races import race
from webapp.actions import credit, invoices, ledger, settlements, undo
from webapp.errors import Invalid
from webapp.models import Account, CreditLot, CreditUse, Invoice, LedgerTransfer

WHOLE = 4997  # what each person brings


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def organisation(app: Flask) -> Account:
    return make_owned()


def bring(organisation: Account, email: str, **fields: Any) -> CreditLot:
    """Credit of 49.97 that is available at once."""
    user = make_person(email, **fields)
    acceptance = join(user, organisation, "credit")
    undo.send_now(user, acceptance.id)
    settlements.release(settlement_of(acceptance).id)
    lot: CreditLot = CreditLot.get(CreditLot.settlement == settlement_of(acceptance))
    return lot


def bring_days_apart(
    organisation: Account, clock: time_machine.Traveller, count: int = 3
) -> list[CreditLot]:
    lots = []
    for at in range(count):
        clock.shift(timedelta(minutes=1))
        lots.append(bring(organisation, f"p{at}@example.org"))
    return lots


def add(organisation: Account, number: str, total_minor: int, currency: str = "") -> Invoice:
    return invoices.add(
        organisation,
        number,
        issued_on=date(2026, 11, 23),
        due_on=date(2026, 12, 23),
        total_minor=total_minor,
        currency=currency,
    )


def taken(invoice: Invoice) -> list[tuple[int, int]]:
    """From which lot how much, in the order in which it was taken."""
    return [(one.lot_id, one.amount_minor) for one in credit.uses_of(invoice)]


def available(organisation: Account, currency: str = "EUR") -> int:
    return ledger.balance(organisation.id, "credit_available", currency)


def used(organisation: Account) -> int:
    return ledger.balance(organisation.id, "credit_used", "EUR")


def test_a_smaller_invoice_is_paid_and_leaves_the_rest(organisation: Account) -> None:
    lot = bring(organisation, "a@example.org")

    invoice = add(organisation, "F-1", 3000)

    assert (invoice.owed_minor, invoice.paid_minor, invoice.total_minor) == (0, 3000, 3000)
    assert credit.left_in_lots(organisation.id, "EUR") == [(lot.id, 1997)]
    assert (available(organisation), used(organisation)) == (1997, 3000)
    assert ledger.check() == []


def test_a_larger_invoice_takes_all_and_stays_open_for_the_rest(organisation: Account) -> None:
    bring(organisation, "a@example.org")

    invoice = add(organisation, "F-1", 12000)

    assert (invoice.owed_minor, invoice.paid_minor) == (7003, 4997)
    assert [one.number for one in invoices.open_of(organisation)] == ["F-1"]
    assert credit.left_in_lots(organisation.id, "EUR") == []
    assert (available(organisation), used(organisation)) == (0, 4997)
    assert ledger.check() == []


def test_an_invoice_of_just_the_credit_uses_it_up(organisation: Account) -> None:
    bring(organisation, "a@example.org")

    assert add(organisation, "F-1", WHOLE).owed_minor == 0
    assert available(organisation) == 0


def test_without_credit_an_invoice_is_owed_whole(organisation: Account) -> None:
    assert add(organisation, "F-1", 12000).owed_minor == 12000
    assert not CreditUse.select().exists()
    assert not LedgerTransfer.select().exists()


def test_the_oldest_credit_is_taken_first_over_several_lots(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    first, second, third = bring_days_apart(organisation, clock)

    one, two, three = (add(organisation, f"F-{at}", 6000) for at in (1, 2, 3))

    assert taken(one) == [(first.id, 4997), (second.id, 1003)]
    assert taken(two) == [(second.id, 3994), (third.id, 2006)]
    assert taken(three) == [(third.id, 2991)]
    assert [one.owed_minor, two.owed_minor, three.owed_minor] == [0, 0, 3009]
    assert ledger.check() == []


def test_what_became_available_first_is_the_oldest_whoever_joined_first(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    early, late = make_person("early@example.org"), make_person("late@example.org")
    waiting, sent = join(early, organisation, "credit"), join(late, organisation, "credit")
    undo.send_now(late, sent.id)
    settlements.release(settlement_of(sent).id)
    clock.shift(timedelta(hours=24))
    settlements.release(settlement_of(waiting).id)

    invoice = add(organisation, "F-1", 5000)

    of = {one.id: one.settlement_id for one in CreditLot.select()}
    assert [(of[lot], minor) for lot, minor in taken(invoice)] == [
        (settlement_of(sent).id, 4997),
        (settlement_of(waiting).id, 3),
    ]


def test_credit_that_can_still_be_undone_is_not_taken(organisation: Account) -> None:
    join(make_person(), organisation, "credit")

    assert add(organisation, "F-1", 3000).owed_minor == 3000
    assert ledger.balance(organisation.id, "credit_held", "EUR") == 4997


def test_credit_of_another_currency_is_left_alone(organisation: Account) -> None:
    bring(organisation, "a@example.org")

    assert add(organisation, "F-1", 3000, "USD").owed_minor == 3000
    assert available(organisation) == 4997
    Account.update(currency="USD").where(Account.id == organisation.id).execute()
    bring(organisation, "b@example.org", currency="USD")
    assert add(organisation, "F-2", 3000, "USD").owed_minor == 0
    assert (available(organisation), available(organisation, "USD")) == (4997, 1997)
    assert ledger.check() == []


def test_credit_of_another_organisation_is_left_alone(organisation: Account) -> None:
    bring(organisation, "a@example.org")
    other = make_owned("Maison Petit")

    assert add(other, "F-1", 3000).owed_minor == 3000
    assert available(organisation) == 4997


def test_voiding_gives_back_to_the_lots_that_it_came_from(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    first, second = bring_days_apart(organisation, clock, 2)
    add(organisation, "F-1", 6000)
    add(organisation, "F-2", 1000)

    voided = invoices.void(organisation, "F-1")

    assert (voided.paid_minor, voided.owed_minor, taken(voided)) == (0, 0, [])
    assert credit.left_in_lots(organisation.id, "EUR") == [(first.id, 4997), (second.id, 3997)]
    assert (available(organisation), used(organisation)) == (8994, 1000)
    assert ledger.check() == []


def test_what_was_given_back_is_the_oldest_again(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    first, second = bring_days_apart(organisation, clock, 2)
    add(organisation, "F-1", 4000)
    invoices.void(organisation, "F-1")

    assert taken(add(organisation, "F-2", 5000)) == [(first.id, 4997), (second.id, 3)]
    assert ledger.check() == []


def test_voiding_again_gives_back_nothing_more(organisation: Account) -> None:
    bring(organisation, "a@example.org")
    add(organisation, "F-1", 6000)
    first = invoices.void(organisation, "F-1")
    transfers = LedgerTransfer.select().count()

    assert invoices.void(organisation, "F-1").voided_at == first.voided_at
    assert LedgerTransfer.select().count() == transfers
    assert available(organisation) == 4997


def test_eight_voidings_at_once_give_back_once(organisation: Account) -> None:
    bring(organisation, "a@example.org")
    add(organisation, "F-1", 6000)

    outcomes = race(8, lambda _: invoices.void(organisation, "F-1"))

    assert all(isinstance(one, Invoice) for one in outcomes), outcomes
    assert available(organisation) == 4997
    assert ledger.check() == []


def test_what_money_paid_is_not_voided(organisation: Account) -> None:
    bring(organisation, "a@example.org")
    add(organisation, "F-1", 6000)
    invoices.mark_paid(organisation, "F-1")

    with pytest.raises(Invalid, match="invoice_paid"):
        invoices.void(organisation, "F-1")
    assert (available(organisation), used(organisation)) == (0, 4997)


def test_what_credit_alone_paid_is_voided(organisation: Account) -> None:
    bring(organisation, "a@example.org")
    add(organisation, "F-1", 3000)
    invoices.mark_paid(organisation, "F-1")

    assert invoices.void(organisation, "F-1").voided_at is not None
    assert available(organisation) == 4997


def test_a_refused_invoice_takes_nothing(organisation: Account) -> None:
    bring(organisation, "a@example.org")
    add(organisation, "F-1", 1000)

    with pytest.raises(Invalid):
        add(organisation, "F-1", 2000)
    assert available(organisation) == 3997


def test_eight_invoices_at_once_share_the_credit_without_a_gap(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    lots = bring_days_apart(organisation, clock)

    made = race(8, lambda at: add(organisation, f"F-{at}", 2000))

    assert all(isinstance(one, Invoice) for one in made), made
    assert sum(one.owed_minor for one in made) == 8 * 2000 - 3 * WHOLE
    # One got what was left, the others are whole or have nothing.
    assert sorted(one.paid_minor for one in made) == [991] + [2000] * 7
    assert available(organisation) == 0
    assert oldest_first(lots)
    assert ledger.check() == []


def test_invoices_and_departures_at_once_lose_nothing(organisation: Account) -> None:
    """Whether an invoice finds the credit or just misses it, nobody waits for the other twice."""
    bring(organisation, "first@example.org")
    for at in range(6):
        user = make_person(f"p{at}@example.org")
        acceptance = join(user, organisation, "credit")
        undo.send_now(user, acceptance.id)
        settlement = settlement_of(acceptance)

        outcomes = race(
            4,
            lambda i, n=at, s=settlement: (
                settlements.release(s.id) if i == 0 else add(organisation, f"F-{n}-{i}", 700)
            ),
        )

        assert not any(isinstance(one, Exception) for one in outcomes), outcomes
    total = sum(lot.amount_minor for lot in CreditLot.select())
    assert available(organisation) + used(organisation) == total == 7 * WHOLE
    assert ledger.check() == []


def test_adding_and_voiding_at_once_keeps_every_cent(organisation: Account) -> None:
    bring(organisation, "a@example.org")
    for at in range(4):
        add(organisation, f"old-{at}", 1500)

    outcomes = race(
        8,
        lambda at: (
            add(organisation, f"new-{at}", 1500)
            if at % 2
            else invoices.void(organisation, f"old-{at // 2}")
        ),
    )

    assert all(isinstance(one, Invoice) for one in outcomes), outcomes
    assert available(organisation) + used(organisation) == WHOLE
    assert ledger.check() == []


def oldest_first(lots: list[CreditLot]) -> bool:
    """Were the lots used up one after the other?"""
    order = [one.lot_id for one in CreditUse.select().order_by(CreditUse.id)]
    return order == sorted(order, key=[lot.id for lot in lots].index)
