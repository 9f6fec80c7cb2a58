"""`POST /webhooks/stripe`: late, twice, in disorder, forged, stale, unknown."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from tests.money import ACCEPTED, settled
from tests.snapshots import everything
from webapp.actions import ledger, refunds
from webapp.config import Config
from webapp.handlers import rounds
from webapp.models import Account, LedgerTransfer, OutboxMessage, Payment, Refund, WebhookEvent
from webapp.payments.simulated import (
    SETTLING,
    SimulatedGateway,
    SimulatedPayment,
    SimulatedRefund,
    events,
    faults,
)
from webapp.payments.webhooks import TOLERANCE

CLOSED = ACCEPTED + timedelta(hours=24)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as travelled:
        yield travelled


@pytest.fixture
def refund(app: Flask, clock: time_machine.Traveller) -> Refund:
    """A refund that the gateway was asked for, and nothing else waits to be done."""
    settled("refund")
    clock.move_to(CLOSED)
    refunds.request(Refund.get().id, SimulatedGateway())
    OutboxMessage.delete().execute()
    found: Refund = Refund.get()
    return found


def settings(app: Flask) -> Config:
    config: Config = app.config["SETTINGS"]
    return config


def told(**changes: Any) -> dict[str, Any]:
    return {**events.refund_event(SimulatedRefund.get()), **changes}


def deliver(app: Flask, event: dict[str, Any], **headers: str) -> TestResponse:
    body, signed = events.signed(event, settings(app))
    return app.test_client().post(events.ADDRESS, data=body, headers={**signed, **headers})


def waiting() -> list[tuple[str, dict[str, Any]]]:
    return [(one.kind, one.payload) for one in OutboxMessage.select().order_by(OutboxMessage.id)]


def test_a_webhook_leads_to_asking_what_became_of_the_refund(
    app: Flask, refund: Refund, clock: time_machine.Traveller
) -> None:
    clock.shift(SETTLING)
    response = deliver(app, told())

    assert (response.status_code, response.data) == (200, b"")
    assert Refund.get().state == "pending"
    assert waiting() == [("follow", {"refund_id": refund.id})]
    rounds.drain()
    assert (Refund.get().state, Refund.get().bank_reference[:3]) == ("succeeded", "ARN")


def test_a_webhook_is_not_believed(app: Flask, refund: Refund) -> None:
    event = told()
    event["data"]["object"] |= {"status": "succeeded", "amount": 1}
    deliver(app, event)
    rounds.drain()

    assert Refund.get().state == "pending"
    assert OutboxMessage.get().left_at is not None


def test_the_same_event_again_asks_for_nothing(app: Flask, refund: Refund) -> None:
    event = told()
    assert [deliver(app, event).status_code for _ in range(5)] == [200] * 5

    assert len(waiting()) == WebhookEvent.select().count() == 1


def test_events_in_disorder_end_at_the_truth(
    app: Flask, refund: Refund, clock: time_machine.Traveller
) -> None:
    SimulatedPayment.update(fate="comes back").execute()
    early = told()
    clock.shift(SETTLING)
    middle = told()
    clock.shift(timedelta(seconds=60))
    late = told()
    for event in (late, early, middle, late, early):
        deliver(app, event)
        rounds.drain()

    assert Refund.get().state == "failed"
    assert LedgerTransfer.select().where(LedgerTransfer.kind == "refund_failed").count() == 1
    assert ledger.check() == []


def test_a_webhook_may_be_faster_than_the_answer_that_it_follows(
    app: Flask, clock: time_machine.Traveller
) -> None:
    settled("refund")
    clock.move_to(CLOSED)
    faults.ask_for("create_refund", "answer lost")
    rounds.drain()
    assert (Refund.get().state, Refund.get().gateway_reference) == ("requested", None)
    deliver(app, told())
    rounds.drain()

    assert Refund.get().state == "pending"
    assert Refund.get().gateway_reference == SimulatedRefund.get().reference
    assert SimulatedRefund.select().count() == 1


def test_a_gateway_that_is_away_is_asked_again_later(
    app: Flask, refund: Refund, clock: time_machine.Traveller
) -> None:
    clock.shift(SETTLING)
    deliver(app, told())
    faults.ask_for("fetch_refund", "never sent")
    rounds.drain()
    assert Refund.get().state == "pending"
    clock.shift(11)
    rounds.drain()

    assert Refund.get().state == "succeeded"


@pytest.mark.parametrize(
    "headers",
    [
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "t=1,v1=" + "0" * 64},
        {"Stripe-Signature": "nonsense"},
    ],
)
def test_a_forged_event_changes_nothing(
    app: Flask, refund: Refund, headers: dict[str, str]
) -> None:
    before = everything()
    response = deliver(app, told(), **headers)

    assert response.status_code == 400
    assert response.mimetype == "text/plain"
    assert everything() == before


def test_a_stale_event_changes_nothing(
    app: Flask, refund: Refund, clock: time_machine.Traveller
) -> None:
    body, headers = events.signed(told(), settings(app))
    clock.shift(TOLERANCE + 1)
    before = everything()

    assert app.test_client().post(events.ADDRESS, data=body, headers=headers).status_code == 400
    assert everything() == before


def test_an_altered_body_changes_nothing(app: Flask, refund: Refund) -> None:
    body, headers = events.signed(told(), settings(app))
    before = everything()
    altered = body.replace(b"pending", b"failed!")

    assert app.test_client().post(events.ADDRESS, data=altered, headers=headers).status_code == 400
    assert everything() == before


@pytest.mark.parametrize(
    "event",
    [
        {"type": "refund.updated", "data": {"object": {"object": "refund", "id": "re_unknown"}}},
        {"type": "payment_method.attached", "data": {"object": {"customer": "cus_1"}}},
        {"type": "something.new", "data": {"object": {"customer": "cus_1"}}},
        {"type": "refund.updated", "data": None},
        {"type": "refund.updated"},
    ],
)
def test_an_unknown_event_is_answered_and_left_alone(
    app: Flask, refund: Refund, event: dict[str, Any]
) -> None:
    assert deliver(app, {"id": "evt_1", **event}).status_code == 200
    assert waiting() == []


@pytest.mark.parametrize("kind", ["invoice.paid", "customer.subscription.updated"])
def test_many_events_of_one_customer_ask_once(app: Flask, kind: str) -> None:
    for number in range(3):
        about = {"object": "invoice", "id": f"in_{number}", "customer": "cus_1"}
        deliver(app, events.event(kind, about))
    assert waiting() == [("sync", {"customer": "cus_1"})]

    OutboxMessage.update(claimed_until=ACCEPTED, claim="a worker").execute()
    deliver(app, events.event(kind, {"object": "customer", "id": "cus_1"}))
    assert len(waiting()) == 2


def test_a_refund_that_somebody_else_made_asks_for_the_customer(app: Flask, refund: Refund) -> None:
    Account.update(gateway_customer="cus_1").where(Account.id == Payment.get().account).execute()
    event = told()
    event["data"]["object"] |= {"id": "re_elsewhere", "metadata": {}}
    deliver(app, event)

    assert waiting() == [("sync", {"customer": "cus_1"})]


def test_a_dispute_asks_for_the_customer_of_the_payment(app: Flask, refund: Refund) -> None:
    Account.update(gateway_customer="cus_1").where(Account.id == Payment.get().account).execute()
    about = {"object": "dispute", "id": "du_1", "charge": Payment.get().reference}
    deliver(app, events.event("charge.dispute.created", about))

    assert waiting() == [("sync", {"customer": "cus_1"})]


def test_a_body_beyond_reason_is_refused_unread(app: Flask) -> None:
    response = app.test_client().post(events.ADDRESS, data=b"x" * (1024 * 1024 + 1))

    assert response.status_code == 413


def test_events_are_forgotten_after_a_month(
    app: Flask, refund: Refund, clock: time_machine.Traveller
) -> None:
    deliver(app, told())
    clock.shift(timedelta(days=31))
    deliver(app, told())

    assert WebhookEvent.select().count() == 1
