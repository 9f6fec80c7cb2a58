"""The simulated gateway's refunds in Stripe's words, and the webhooks that tell of them."""

import json
from typing import Any

from webapp import clock
from webapp.config import Config
from webapp.payments import webhooks
from webapp.payments.simulated.books import SimulatedRefund

ADDRESS = "/webhooks/stripe"


def in_stripes_words(refund: SimulatedRefund) -> dict[str, Any]:
    """A Refund object. Stripe's currencies are in small letters."""
    shown = refund.shown()
    payment = refund.payment.reference
    kind = "charge" if payment.startswith("ch_") else "payment_intent"
    return {
        "id": shown.reference,
        "object": "refund",
        "amount": shown.amount_minor,
        "currency": shown.currency.lower(),
        "status": shown.state,
        "charge": None,
        "payment_intent": None,
        kind: payment,
        "created": int(refund.created_at.timestamp()),
        "failure_reason": shown.reason or None,
        "metadata": {"refund_key": refund.refund_key} if refund.refund_key else {},
        "destination_details": {
            "type": "card",
            "card": {"reference": shown.bank_reference or None, "type": "refund"},
        },
    }


def refund_event(refund: SimulatedRefund, kind: str = "refund.updated") -> dict[str, Any]:
    return event(kind, in_stripes_words(refund))


def event(kind: str, about: dict[str, Any], id: str = "") -> dict[str, Any]:
    return {
        "id": id or "evt_" + clock.new_token()[:24],
        "object": "event",
        "type": kind,
        "created": int(clock.now().timestamp()),
        "data": {"object": about},
    }


def signed(told: dict[str, Any], config: Config) -> tuple[bytes, dict[str, str]]:
    """Body and headers of the POST to ADDRESS."""
    body = json.dumps(told).encode()
    header = webhooks.signature(body, webhooks.secret(config), clock.now())
    return body, {"Stripe-Signature": header, "Content-Type": "application/json"}
