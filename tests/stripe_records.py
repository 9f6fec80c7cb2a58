"""Records as Stripe's API gives them, with what a test doesn't name filled in."""

from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]

START = datetime(2026, 11, 1, 8, tzinfo=UTC)
END = datetime(2026, 12, 1, 8, tzinfo=UTC)


def customer(id: str = "cus_1", **changes: Any) -> Record:
    return {
        "id": id,
        "object": "customer",
        "created": stamp(START),
        "currency": "eur",
        "email": f"{id}@example.org",
        "name": "Camille Roux",
        "address": {
            "line1": "4 quai Saint-Vincent",
            "line2": None,
            "postal_code": "69001",
            "city": "Lyon",
            "state": None,
            "country": "FR",
        },
        "preferred_locales": ["de-DE", "fr-FR"],
        "tax_ids": {"object": "list", "data": [{"type": "eu_vat", "value": "FR83404833048"}]},
        "metadata": {},
        **changes,
    }


def subscription(customer: str = "cus_1", id: str = "sub_1", **changes: Any) -> Record:
    start, end = changes.pop("start", START), changes.pop("end", END)
    item = {
        "id": f"si_{id}",
        "object": "subscription_item",
        "price": {"id": "price_1", "nickname": "Pro", "lookup_key": "pro"},
        "current_period_start": stamp(start),
        "current_period_end": stamp(end),
    }
    return {
        "id": id,
        "object": "subscription",
        "customer": customer,
        "created": stamp(start),
        "currency": "eur",
        "status": "active",
        "cancel_at_period_end": False,
        "trial_end": None,
        "items": {"object": "list", "data": [item]},
        "metadata": {},
        **changes,
    }


def invoice(
    customer: str = "cus_1", id: str = "in_1", paid_by: tuple[str, ...] = ("pi_1",), **changes: Any
) -> Record:
    """Of 187.39 with 31.23 of tax at 20 %, paid at the period's start."""
    start, end = changes.pop("start", START), changes.pop("end", END)
    of = changes.pop("subscription", "sub_1")
    total = changes.get("total", 18739)
    payments = [
        {
            "id": f"inpay_{reference}",
            "object": "invoice_payment",
            "status": "paid",
            "amount_paid": total // len(paid_by),
            "payment": _payment(reference),
            "status_transitions": {"paid_at": stamp(start)},
        }
        for reference in paid_by
    ]
    return {
        "id": id,
        "object": "invoice",
        "customer": customer,
        "created": stamp(start),
        "currency": "eur",
        "number": f"F-{id}",
        "status": "paid",
        "total": total,
        "amount_paid": total,
        "amount_remaining": 0,
        "total_taxes": [{"amount": 3123, "tax_rate_details": {"tax_rate": "txr_20"}}],
        "due_date": None,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{id}",
        "status_transitions": {"finalized_at": stamp(start), "paid_at": stamp(start)},
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"subscription": of},
        },
        "lines": {"data": [{"period": {"start": stamp(start), "end": stamp(end)}}]},
        "payments": {"object": "list", "data": payments},
        **changes,
    }


def open_invoice(
    customer: str = "cus_1", id: str = "in_open", paying: tuple[str, ...] = (), **changes: Any
) -> Record:
    """`paying` are the payment intents by which somebody tries, or tried, to pay it."""
    payments = [
        {
            "id": f"inpay_{reference}",
            "object": "invoice_payment",
            "status": "open",
            "amount_paid": None,
            "payment": _payment(reference),
        }
        for reference in paying
    ]
    values = {
        "status": "open",
        "amount_paid": 0,
        "amount_remaining": changes.get("total", 18739),
        "due_date": stamp(END),
        "payments": {"object": "list", "data": payments},
    }
    return invoice(customer, id, **{**values, **changes})


def intent(id: str = "pi_1", minor: int = 18739, **changes: Any) -> Record:
    """`changes` are the charge's."""
    return {
        "id": id,
        "object": "payment_intent",
        "status": "succeeded",
        "customer": "cus_1",
        "amount_received": minor,
        "latest_charge": charge(f"ch_of_{id}", minor, **changes),
    }


def unpaid_intent(id: str = "pi_open", status: str = "processing") -> Record:
    """Of which nothing has arrived: `processing` while a direct debit is under way."""
    return {**intent(id), "status": status, "amount_received": 0, "latest_charge": None}


def charge(id: str = "ch_1", minor: int = 18739, **changes: Any) -> Record:
    return {
        "id": id,
        "object": "charge",
        "customer": "cus_1",
        "created": stamp(START),
        "amount_captured": minor,
        "amount_refunded": 0,
        "currency": "eur",
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
        **changes,
    }


def dispute(id: str = "du_1", charge: str = "ch_of_pi_1", **changes: Any) -> Record:
    return {
        "id": id,
        "object": "dispute",
        "charge": charge,
        "payment_intent": "pi_1",
        "amount": 18739,
        "currency": "eur",
        "status": "needs_response",
        **changes,
    }


def tax_rate(id: str = "txr_20", percentage: float = 20.0) -> Record:
    return {"id": id, "object": "tax_rate", "percentage": percentage}


def event(about: Record, at: datetime, type: str = "customer.updated") -> Record:
    return {
        "id": f"evt_{about['id']}_{stamp(at)}",
        "object": "event",
        "type": type,
        "created": stamp(at),
        "data": {"object": about},
    }


def stamp(at: datetime) -> int:
    return int(at.timestamp())


def _payment(reference: str) -> Record:
    kinds = {"pi": "payment_intent", "ch": "charge", "prec": "payment_record"}
    kind = kinds[reference.partition("_")[0]]
    return {"type": kind, kind: reference}
