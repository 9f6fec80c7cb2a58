"""Signatures of webhooks: what is believed, and what never is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from webapp.config import from_environment
from webapp.payments import webhooks
from webapp.payments.webhooks import TOLERANCE, Event, Forged, signature, verified

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
SECRET = "whsec_a_secret_for_tests"
REFUND = {
    "id": "re_1",
    "object": "refund",
    "payment_intent": "pi_1",
    "charge": "ch_1",
    "metadata": {"refund_key": "refund-1"},
}


def body(about: Any = REFUND, **changes: Any) -> bytes:
    told = {"id": "evt_1", "object": "event", "type": "refund.updated", "data": {"object": about}}
    return json.dumps({**told, **changes}).encode()


def header(raw: bytes, secret: str = SECRET, at: datetime = NOW) -> str:
    return signature(raw, secret, at)


def test_an_event_says_what_it_is_about() -> None:
    assert verified(body(), header(body()), SECRET, NOW) == Event(
        "evt_1", "refund.updated", "re_1", "refund-1", ("pi_1", "ch_1")
    )


@pytest.mark.parametrize(
    ("about", "customer"),
    [
        ({"object": "customer", "id": "cus_1"}, "cus_1"),
        ({"object": "invoice", "id": "in_1", "customer": "cus_1"}, "cus_1"),
        ({"object": "charge", "id": "ch_1", "customer": None}, ""),
        ({"object": "charge", "id": "ch_1", "customer": 7}, ""),
        ({"object": "charge", "id": "ch_1", "customer": "c" * 256}, ""),
        ({"object": "charge", "id": "ch_1", "customer": "cus\0"}, ""),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_whose_records_changed_is_read_with_care(about: Any, customer: str) -> None:
    raw = body(about)

    assert verified(raw, header(raw), SECRET, NOW).customer == customer


def test_stripes_own_library_signs_and_verifies_the_same() -> None:
    raw = body()
    now = datetime.now(UTC)
    signed = stripe.WebhookSignature._compute_signature(
        f"{int(NOW.timestamp())}.{raw.decode()}", SECRET
    )
    assert verified(raw, f"t={int(NOW.timestamp())},v1={signed}", SECRET, NOW).id == "evt_1"
    assert stripe.Webhook.construct_event(raw, header(raw, at=now), SECRET).id == "evt_1"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "t=,v1=",
        "nonsense",
        "v1=00",
        f"t={int(NOW.timestamp())}",
        f"t={int(NOW.timestamp())},v1=",
        f"t={int(NOW.timestamp())},v1=é",
        f"t={int(NOW.timestamp())},v0={'0' * 64}",
        "t=²,v1=00",
        f"t={'9' * 5000},v1=00",
        f"t=1,t={int(NOW.timestamp())},v1=00",
    ],
)
def test_a_header_that_proves_nothing_is_refused(given: str) -> None:
    with pytest.raises(Forged):
        verified(body(), given, SECRET, NOW)


def test_one_right_signature_among_several_is_enough_while_a_secret_is_replaced() -> None:
    right = header(body()).partition(",")[2]

    assert verified(body(), f"t={int(NOW.timestamp())},v1={'0' * 64},{right}", SECRET, NOW)


def test_another_secret_another_body_or_another_time_is_forged() -> None:
    later = NOW + timedelta(seconds=1)
    stamp = header(body(), at=later).replace(str(int(later.timestamp())), str(int(NOW.timestamp())))
    for raw, signed in (
        (body(), header(body(), "whsec_another")),
        (body() + b" ", header(body())),
        (body(), stamp),
    ):
        with pytest.raises(Forged, match="does not match"):
            verified(raw, signed, SECRET, NOW)


@pytest.mark.parametrize("seconds", [TOLERANCE, -TOLERANCE])
def test_a_signature_is_good_for_five_minutes(seconds: int) -> None:
    assert verified(body(), header(body()), SECRET, NOW + timedelta(seconds=seconds))
    beyond = seconds + (1 if seconds > 0 else -1)
    with pytest.raises(Forged, match="too old"):
        verified(body(), header(body()), SECRET, NOW + timedelta(seconds=beyond))


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff", b"[]", b"7", b"{}", b'{"id": 7, "type": "x"}', b'{"id": "evt_1"}', b"[" * 9999],
)
def test_what_is_signed_and_no_event_is_refused(raw: bytes) -> None:
    with pytest.raises(Forged, match="the body is no"):
        verified(raw, header(raw), SECRET, NOW)


@given(st.binary(max_size=200), st.text(max_size=200))
def test_nothing_that_anybody_sends_is_believed_or_breaks_anything(raw: bytes, given: str) -> None:
    with pytest.raises(Forged):
        verified(raw, given, SECRET, NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(Forged, match="no secret"):
        verified(body(), header(body(), ""), "", NOW)


def test_the_secret_is_the_operators_or_made_from_their_key_where_payments_are_simulated() -> None:
    def secret(**given: str) -> str:
        return webhooks.secret(from_environment({"SECRET_KEY": "a key for tests, long", **given}))

    assert secret(STRIPE_WEBHOOK_SECRET=SECRET) == SECRET
    assert secret() != secret(SECRET_KEY="another key for tests, long")
    assert len(secret()) > 64
    assert secret(PAYMENTS="stripe") == ""
