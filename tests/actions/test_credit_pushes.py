"""An organisation's credit goes to its balance at the gateway, once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.money import ACCEPTED, settled
from tests.races import race
from webapp.actions import credit, credit_pushes, invoices, ledger, settlements
from webapp.actions.stripe_sync import organisations
from webapp.errors import Invalid, NotThere
from webapp.handlers import rounds
from webapp.models import Account, CreditPush, CreditUse, OutboxMessage, Settlement
from webapp.payments.simulated import SimulatedCredit, SimulatedGateway, faults


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as travelled:
        yield travelled


@pytest.fixture
def organisation(app: Flask, clock: time_machine.Traveller) -> Account:
    """A customer of the gateway, with 49.97 EUR of credit."""
    settlement = settled("credit")
    clock.shift(timedelta(hours=24))
    settlements.release(settlement.id)
    OutboxMessage.delete().execute()
    return organisations.link(settlement.organisation.public_id, "cus_1")


def balances(account: Account) -> tuple[int, int]:
    """Available, used."""
    found = ledger.balances(account.id)
    return found.get(("credit_available", "EUR"), 0), found.get(("credit_used", "EUR"), 0)


def push(account: Account) -> CreditPush:
    made = credit_pushes.push(account)
    assert made is not None
    return made


def test_all_that_is_available_moves_and_can_be_used_no_more(organisation: Account) -> None:
    made = push(organisation)
    assert (made.amount_minor, made.currency, balances(organisation)) == (4997, "EUR", (0, 4997))
    rounds.drain()

    assert CreditPush.get().state == "succeeded"
    assert CreditPush.get().gateway_reference == SimulatedCredit.get().reference
    assert SimulatedCredit.get().amount_minor == 4997
    assert credit.left_in_lots(organisation.id, "EUR") == []
    assert ledger.check() == []


def test_a_second_push_moves_nothing(organisation: Account) -> None:
    push(organisation)
    assert credit_pushes.push(organisation) is None
    rounds.drain()
    assert credit_pushes.push(organisation) is None

    assert SimulatedCredit.select().count() == 1


@pytest.mark.parametrize("fault", ["never sent", "answer lost", "error", "busy"])
def test_a_lost_answer_makes_no_second_credit(
    organisation: Account, clock: time_machine.Traveller, fault: str
) -> None:
    faults.ask_for("push_credit", fault)
    made = push(organisation)
    rounds.drain()
    assert CreditPush.get().state == "requested"
    clock.shift(timedelta(days=2))
    rounds.drain()
    rounds.drain()

    assert CreditPush.get_by_id(made.id).state == "succeeded"
    assert SimulatedCredit.select().count() == 1


def test_a_refusal_gives_the_credit_back(organisation: Account) -> None:
    faults.ask_for("push_credit", "refused")
    push(organisation)
    rounds.drain()

    assert (CreditPush.get().state, CreditPush.get().reason) == ("failed", "the bank declined")
    assert balances(organisation) == (4997, 0)
    assert ledger.check() == []
    push(organisation)
    rounds.drain()
    assert balances(organisation) == (0, 4997)
    assert ledger.check() == []


def test_pushes_and_invoices_at_once_use_each_cent_once(organisation: Account) -> None:
    def use(at: int) -> object:
        if at % 2:
            return credit_pushes.push(organisation)
        return invoices.add(organisation, f"F-{at}", issued_on=None, due_on=None, total_minor=1000)

    outcomes = race(8, use)
    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert balances(organisation) == (0, 4997)
    assert sum(one.amount_minor for one in CreditUse.select()) == 4997
    assert CreditPush.select().count() <= 1
    assert ledger.check() == []


def test_one_push_carried_out_by_many_at_once_is_one_credit(organisation: Account) -> None:
    made = push(organisation)
    outcomes = race(8, lambda _: credit_pushes.send(made.id, SimulatedGateway()))

    assert outcomes == [None] * 8
    assert SimulatedCredit.select().count() == 1
    assert CreditPush.get().state == "succeeded"


def test_held_credit_stays(app: Flask) -> None:
    settlement = settled("credit")
    organisation = organisations.link(settlement.organisation.public_id, "cus_1")

    assert credit_pushes.push(organisation) is None
    assert CreditPush.select().count() == 0


def test_who_is_no_customer_or_no_organisation_is_told_so(organisation: Account) -> None:
    Account.update(gateway_customer=None).execute()
    with pytest.raises(Invalid):
        credit_pushes.push(organisation)
    with pytest.raises(NotThere):
        credit_pushes.push(Settlement.get().account)
