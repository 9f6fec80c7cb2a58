"""From a webhook of Stripe's to the account here; and what happens without one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests import stripe_records as records
from tests.money import ACCEPTED
from tests.stripe_server import StripeServer
from webapp import outbox, policy
from webapp.actions import quotes
from webapp.actions.stripe_sync import Sync, defaults
from webapp.handlers import Errand, money, rounds
from webapp.models import Account, Invoice, OutboxMessage, Payment, Subscription
from webapp.outbox import claiming
from webapp.payments.simulated import capture, events
from webapp.payments.stripe.source import StripeSource
from webapp.smtp import Post


@pytest.fixture
def camille(app: Flask, clock: time_machine.Traveller, server: StripeServer) -> StripeServer:
    """A customer who has been brought in."""
    there = {"payments": "stripe", "stripe_api_key": "sk_test", "stripe_api_base": server.address}
    policy.use(replace(app.config["SETTINGS"], **there))
    server.put(records.tax_rate(), records.customer(), records.subscription())
    server.put(records.invoice(), records.intent())
    capture("pi_1", "EUR", 18739)
    Sync(StripeSource("sk_test", server.address), defaults(), lambda who, why: None).run()
    assert Payment.select().count() == 1
    return server


def deliver(app: Flask, kind: str, about: dict[str, Any]) -> None:
    body, headers = events.signed(events.event(kind, about), app.config["SETTINGS"])
    assert app.test_client().post(events.ADDRESS, data=body, headers=headers).status_code == 200


def errand(claim: claiming.Claim | None, post: Post) -> Errand:
    assert claim is not None
    return Errand(claim, post)


def waiting() -> list[str]:
    return [one.kind for one in OutboxMessage.select().where(outbox.is_waiting())]


def test_a_plan_that_ends_at_stripe_ends_here(app: Flask, camille: StripeServer) -> None:
    ended = {**records.subscription(), "status": "canceled"}
    camille.put(ended)
    deliver(app, "customer.subscription.deleted", ended)
    rounds.drain()

    assert Subscription.get().status == "ended"
    assert waiting() == []


def test_a_dispute_blocks_as_soon_as_it_is_told(app: Flask, camille: StripeServer) -> None:
    camille.records["payment_intent"]["pi_1"]["latest_charge"]["disputed"] = True
    dispute = records.dispute()
    camille.put(dispute)
    deliver(app, "charge.dispute.created", dispute)
    rounds.drain()
    assert len(quotes.disputed(Account.get())) == 1

    camille.put({**dispute, "status": "won"})
    deliver(app, "charge.dispute.closed", dispute)
    rounds.drain()
    assert quotes.disputed(Account.get()) == []


def being_paid() -> list[str]:
    return [one.number for one in Invoice.select().where(Invoice.is_being_paid)]


def test_a_debit_under_way_is_known_as_soon_as_it_is_told(
    app: Flask, camille: StripeServer
) -> None:
    def tell(kind: str, status: str) -> None:
        intent = records.unpaid_intent(status=status)
        camille.put(intent)
        deliver(app, kind, intent)
        rounds.drain()

    camille.put(records.open_invoice(paying=("pi_open",)))
    tell("payment_intent.processing", "processing")
    assert being_paid() == ["F-in_open"]

    tell("payment_intent.payment_failed", "requires_payment_method")
    assert being_paid() == []
    assert waiting() == []


def test_a_debit_under_way_that_no_webhook_told_is_asked_for(
    app: Flask, camille: StripeServer, clock: time_machine.Traveller
) -> None:
    intent = records.unpaid_intent()
    camille.put(records.open_invoice(paying=("pi_open",)), intent)
    at = ACCEPTED + timedelta(minutes=20)
    camille.put(records.event(intent, at, "payment_intent.processing"))
    clock.shift(timedelta(hours=1))
    money.ask_for_changes()
    rounds.drain()

    assert being_paid() == ["F-in_open"]


def test_while_stripe_is_away_the_hint_waits(
    app: Flask, camille: StripeServer, clock: time_machine.Traveller
) -> None:
    camille.put({**records.customer(), "name": "Camille Dupont"})
    answer = camille.answer
    camille.answer = lambda request: (503, {"error": {"message": "away"}})  # type: ignore[method-assign]
    deliver(app, "customer.updated", records.customer())
    rounds.drain()
    assert waiting() == ["sync"]
    camille.answer = answer  # type: ignore[method-assign]
    clock.shift(timedelta(minutes=1))
    rounds.drain()

    assert (Account.get().name, waiting()) == ("Camille Dupont", [])


def test_a_customer_who_cannot_be_mapped_is_logged_and_not_asked_for_again(
    app: Flask, camille: StripeServer, caplog: pytest.LogCaptureFixture
) -> None:
    camille.put(records.subscription(id="sub_2"))
    deliver(app, "customer.subscription.created", records.subscription(id="sub_2"))
    rounds.drain()

    assert "customer cus_1: has several subscriptions in force" in caplog.text
    assert waiting() == []


def test_two_workers_never_read_one_customer_at_once(
    app: Flask, camille: StripeServer, clock: time_machine.Traveller
) -> None:
    """Else the one that read earlier could write later."""
    OutboxMessage.delete().execute()
    camille.put({**records.customer(), "name": "Camille Dupont"})
    deliver(app, "customer.updated", records.customer())
    with Post() as post:
        first = errand(claiming.claim(), post)
        deliver(app, "customer.updated", records.customer())
        camille.asked.clear()
        rounds.carry_out(errand(claiming.claim(), post))
        assert (camille.asked, len(waiting())) == ([], 2)
        rounds.carry_out(first)
        assert Account.get().name == "Camille Dupont"
        clock.shift(timedelta(seconds=11))
        rounds.carry_out(errand(claiming.claim(), post))

    assert waiting() == []


def test_what_no_webhook_told_is_asked_for_every_hour(
    app: Flask, camille: StripeServer, clock: time_machine.Traveller
) -> None:
    changed = {**records.customer(), "name": "Camille Dupont"}
    camille.put(changed, records.event(changed, ACCEPTED + timedelta(minutes=20)))
    clock.shift(timedelta(hours=1))
    for _ in range(2):
        money.ask_for_changes()
    assert waiting() == ["sync:changes"]
    rounds.drain()

    assert (Account.get().name, waiting()) == ("Camille Dupont", [])


def test_where_payments_are_simulated_nobody_is_asked(app: Flask) -> None:
    money.ask_for_changes()

    assert waiting() == []
