"""What became of a refund is asked for without a hint too, often at first, and rarer later."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.money import ACCEPTED, settled
from tests.races import race
from webapp.actions import following, ledger, refunds
from webapp.handlers import money
from webapp.models import OutboxMessage, Refund
from webapp.payments.gateway import GatewayAway, GatewayRefund
from webapp.payments.simulated import SimulatedGateway, SimulatedPayment, faults

CLOSED = ACCEPTED + timedelta(hours=24)
ARRIVES = timedelta(seconds=30)


class Bank(SimulatedGateway):
    """Answers `told` besides what it knows; `silent` are payments of which it says nothing."""

    def __init__(self, silent: tuple[str, ...] = (), **told: Any) -> None:
        self.silent, self.told = silent, told
        self.asked: list[str] = []

    def fetch_refund(self, reference: str) -> GatewayRefund:
        self.asked.append(reference)
        if reference in self.silent:
            raise GatewayAway("no answer")
        return replace(SimulatedGateway.fetch_refund(self, reference), **self.told)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as travelled:
        yield travelled


@pytest.fixture
def refund(app: Flask, clock: time_machine.Traveller) -> Refund:
    """Asked for just now; its webhooks never come."""
    settled("refund")
    clock.move_to(CLOSED)
    refunds.request(Refund.get().id, SimulatedGateway())
    OutboxMessage.delete().execute()
    found: Refund = Refund.get()
    return found


def follow(monkeypatch: pytest.MonkeyPatch, bank: Bank) -> Bank:
    monkeypatch.setattr(money, "gateway", lambda: bank)
    money.follow_refunds()
    return bank


def test_under_way_it_is_asked_about_every_minute_and_after_an_hour_every_hour(
    refund: Refund, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    SimulatedPayment.update(fate="stays").execute()
    asked = []
    for _ in range(4 * 60):
        clock.shift(timedelta(minutes=1))
        asked.append(len(follow(monkeypatch, Bank()).asked))

    assert sum(asked[:59]) == 59
    assert sum(asked[60:]) == 3


def test_the_banks_reference_is_kept_though_it_comes_days_after_the_money(
    refund: Refund, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.shift(ARRIVES)
    follow(monkeypatch, Bank(bank_reference=""))
    assert (Refund.get().state, Refund.get().bank_reference) == ("succeeded", "")
    arrived = Refund.get().changed_at
    for _ in range(2):
        clock.shift(timedelta(days=1, minutes=1))
        follow(monkeypatch, Bank(bank_reference="74627471234567890123456"))

    assert Refund.get().bank_reference == "74627471234567890123456"
    assert (Refund.get().state, Refund.get().changed_at) == ("succeeded", arrived)
    assert ledger.check() == []


def test_a_reference_once_told_is_not_forgotten(
    refund: Refund, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.shift(ARRIVES)
    follow(monkeypatch, Bank(bank_reference="ARN1"))
    for told in ({"bank_reference": ""}, {"bank_reference": "", "state": "failed"}):
        clock.shift(timedelta(days=1, minutes=1))
        follow(monkeypatch, Bank(**told))

    assert (Refund.get().state, Refund.get().bank_reference) == ("failed", "ARN1")


def test_money_that_the_bank_sends_back_later_is_noticed_without_a_webhook(
    refund: Refund, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.shift(ARRIVES)
    follow(monkeypatch, Bank())
    clock.shift(timedelta(days=20))
    follow(monkeypatch, Bank(state="failed", reason="account closed"))

    assert (Refund.get().state, Refund.get().reason) == ("failed", "account closed")
    assert [one.kind for one in OutboxMessage.select()] == ["mail:refund-failed"]
    assert [one.id for one in refunds.failed()] == [refund.id]
    assert ledger.check() == []


def test_what_has_arrived_is_asked_about_once_a_day_for_a_month(
    refund: Refund, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.shift(ARRIVES)
    follow(monkeypatch, Bank())
    asked = 0
    for _ in range(40 * 24):
        clock.shift(timedelta(hours=1))
        asked += len(follow(monkeypatch, Bank()).asked)

    assert asked == 29


def test_what_was_paid_by_hand_is_never_asked_about(
    refund: Refund, clock: time_machine.Traveller
) -> None:
    Refund.update(state="succeeded", is_by_hand=True).execute()
    clock.shift(timedelta(days=2))

    assert following.due() == []


def test_one_that_gets_no_answer_does_not_hold_up_the_others(
    refund: Refund, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled("refund", "una@example.org", undo_until=ACCEPTED)
    other = Refund.get(Refund.state == "held")
    refunds.request(other.id, SimulatedGateway())
    clock.shift(ARRIVES)
    follow(monkeypatch, Bank(silent=(refund.gateway_reference,)))

    states = {one.id: one.state for one in Refund.select()}
    assert states == {refund.id: "pending", other.id: "succeeded"}


def test_a_gateway_that_is_away_is_not_asked_for_everybody(
    refund: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(5):
        settled("refund", f"una{at}@example.org", undo_until=ACCEPTED)
    for one in Refund.select().where(Refund.state == "held"):
        refunds.request(one.id, SimulatedGateway())
    references = tuple(one.gateway_reference for one in Refund.select())
    bank = Bank(silent=references)
    follow(monkeypatch, bank)
    assert len(bank.asked) == money.ENOUGH
    follow(monkeypatch, bank)

    # The next round begins with those who were not asked about.
    assert sorted(bank.asked) == sorted(references)


def test_of_several_workers_one_asks(refund: Refund, clock: time_machine.Traveller) -> None:
    (seen,) = following.due()

    assert race(8, lambda _: following.take_up(seen)).count(True) == 1


def test_a_lost_answer_is_asked_about_by_our_own_key(
    app: Flask, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when the gateway has forgotten the idempotency key."""
    settled("refund")
    clock.move_to(CLOSED)
    faults.ask_for("create_refund", "key forgotten")
    with pytest.raises(GatewayAway):
        refunds.request(Refund.get().id, SimulatedGateway())
    OutboxMessage.delete().execute()
    calls: list[str] = []

    class Asked(Bank):
        def find_refund(self, payment_reference: str, refund_key: str) -> GatewayRefund | None:
            calls.append(refund_key)
            return SimulatedGateway.find_refund(self, payment_reference, refund_key)

        def create_refund(self, *asked: Any, **named: Any) -> GatewayRefund:
            raise AssertionError("sent again without asking")

    clock.shift(timedelta(days=3))
    follow(monkeypatch, Asked())
    assert calls == [Refund.get().idempotency_key]
    assert Refund.get().state == "succeeded"
