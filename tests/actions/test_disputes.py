"""A payment that is disputed after its owner has joined: what is held stays held, and the operator
is told."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.client import Browser, words_of
from tests.effects import carry_out
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED, make_account
from tests.people import make_member
from webapp import mailer, outbox
from webapp.actions import billing, disputes, ledger, undo
from webapp.handlers import rounds
from webapp.models import (
    Account,
    CreditLot,
    KeptMail,
    OutboxMessage,
    Payment,
    Refund,
    Settlement,
    User,
)
from webapp.payments.gateway import GatewayRefusal


@pytest.fixture(autouse=True)
def day(app: Flask) -> Iterator[time_machine.Traveller]:
    mailer.install(app)
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        make_member("finance@seller.example", make_account("operator", "Seller"))
        yield traveller


def settled(choice: str) -> Settlement:
    user: User = make_person()
    settlement = settlement_of(join(user, make_owned(), choice))
    Account.update(gateway_customer="cus_1").where(Account.id == settlement.account_id).execute()
    return settlement


def close_the_window(day: time_machine.Traveller) -> None:
    day.shift(timedelta(hours=25))
    rounds.drain()


def credit(settlement: Settlement) -> tuple[int, int]:
    [found] = billing.credit(settlement.organisation)
    return found.held_minor, found.available_minor


class Bank:
    """What a source of accounts says of disputes."""

    name = "simulated"

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def is_disputed(self, payment_reference: str) -> bool:
        self.asked.append(payment_reference)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)


def test_disputed_credit_stays_held_until_the_dispute_is_won(day: Any) -> None:
    settlement = settled("credit")
    payment = Payment.get()
    assert disputes.note(payment, True)
    close_the_window(day)
    assert credit(settlement) == (4997, 0)
    assert CreditLot.select().count() == 0

    assert disputes.note(payment, False)
    rounds.drain()
    assert credit(settlement) == (0, 4997)
    assert ledger.check() == []


def test_a_disputed_refund_does_not_leave_until_the_dispute_is_won(day: Any) -> None:
    settled("refund")
    payment = Payment.get()
    disputes.note(payment, True)
    close_the_window(day)
    assert Refund.get().state == "held"
    assert not OutboxMessage.select().where(OutboxMessage.kind == "refund", outbox.is_waiting())

    disputes.note(payment, False)
    rounds.drain()
    assert Refund.get().state in ("pending", "succeeded")
    assert ledger.check() == []


@pytest.mark.parametrize("choice", ["refund", "credit"])
def test_what_has_left_has_left_and_a_dispute_that_ends_early_sends_nothing_early(
    day: Any, choice: str
) -> None:
    settlement = settled(choice)
    payment = Payment.get()
    disputes.note(payment, True)
    disputes.note(payment, False)
    rounds.drain()
    assert not Refund.select().where(Refund.state != "held").exists()
    assert CreditLot.select().count() == 0
    close_the_window(day)
    before = (credit(settlement), [one.state for one in Refund.select()])
    disputes.note(payment, True)
    rounds.drain()
    assert (credit(settlement), [one.state for one in Refund.select()]) == before


def test_the_operator_is_told_by_mail_and_on_the_page(app: Flask, day: Any) -> None:
    settlement = settled("credit")
    OutboxMessage.delete().execute()
    disputes.note(Payment.get(), True)
    assert not disputes.note(Payment.get(), True), "again changes nothing"
    carry_out("mail:disputed")
    mails = [mail.recipient for mail in KeptMail.select()]
    assert mails == ["finance@seller.example"]

    browser = Browser(app).sign_in_as(User.get(User.email == "finance@seller.example"))
    words = words_of(browser.get("/billing"))
    assert "Disputed after joining" in words
    assert "camille@example.org" in words
    assert "credit of Atelier Dumas" in words
    assert "€49.97" in words

    undo.undo(settlement.acceptance.user, settlement.acceptance.id)
    assert "Disputed after joining" not in words_of(browser.get("/billing"))


def test_the_gateway_is_asked_of_what_was_settled_and_of_nothing_else(day: Any) -> None:
    settlement = settled("credit")
    make_person("free@example.org")
    bank = Bank(True, True, GatewayRefusal("gone"), False)
    looked = [disputes.look("cus_1", bank) for _ in range(4)]  # type: ignore[arg-type]
    assert looked == [True, False, False, True]
    assert set(bank.asked) == {settlement.shares.get().payment.reference}
    assert not disputes.look("cus_other", bank)  # type: ignore[arg-type]
    undo.undo(settlement.acceptance.user, settlement.acceptance.id)
    assert not disputes.look("cus_1", bank)  # type: ignore[arg-type]
    assert bank.answers == []
