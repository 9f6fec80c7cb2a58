"""Stripe as a gateway (rule M6). Payments are payment intents (pi_…) or charges (ch_…)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from webapp.payments.gateway import GatewayRefund, GatewayRefusal, ListedRefund
from webapp.payments.stripe.amounts import ours, stripes
from webapp.payments.stripe.client import in_our_words, open_client

# What marks a subscription whose end we asked for, so that the customer's own wish stays.
MARK = "affluent_ends"
OVER = ("canceled", "incomplete_expired")
STATES = ("pending", "requires_action", "succeeded", "failed", "canceled")


class StripeGateway:
    name = "stripe"

    def __init__(self, api_key: str, api_base: str = "") -> None:
        self._v1 = open_client(api_key, api_base).v1

    def create_refund(
        self,
        payment_reference: str,
        amount_minor: int,
        currency: str,
        idempotency_key: str,
        metadata: Mapping[str, str],
    ) -> GatewayRefund:
        """Stripe refunds in the payment's own currency, and is asked for no other."""
        asked: Any = {
            **_of(payment_reference),
            "amount": stripes(amount_minor, currency),
            "metadata": dict(metadata),
        }
        with in_our_words():
            made = self._v1.refunds.create(asked, {"idempotency_key": idempotency_key})
        return _read(made.to_dict())

    def fetch_refund(self, reference: str) -> GatewayRefund:
        with in_our_words():
            return _read(self._v1.refunds.retrieve(reference).to_dict())

    def find_refund(self, payment_reference: str, refund_key: str) -> GatewayRefund | None:
        asked: Any = {**_of(payment_reference), "limit": 100}
        with in_our_words():
            for found in self._v1.refunds.list(asked).auto_paging_iter():
                refund = found.to_dict()
                if _metadata(refund).get("refund_key") == refund_key:
                    return _read(refund)
        return None

    def list_refunds(self, since: datetime, until: datetime) -> Iterator[ListedRefund]:
        """Stripe counts whole seconds."""
        between = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        asked: Any = {"created": between, "limit": 100}
        with in_our_words():
            for found in self._v1.refunds.list(asked).auto_paging_iter():
                refund = found.to_dict()
                names = (refund.get("payment_intent"), refund.get("charge"))
                yield ListedRefund(
                    _read(refund),
                    tuple(str(name) for name in names if name),
                    _metadata(refund).get("refund_key", ""),
                    datetime.fromtimestamp(refund["created"], UTC),
                )

    def end_subscription_at_period_end(self, reference: str) -> None:
        with in_our_words():
            present = self._v1.subscriptions.retrieve(reference)
            if present.status in OVER or present.cancel_at_period_end:
                return
            self._v1.subscriptions.update(
                reference, {"cancel_at_period_end": True, "metadata": {MARK: "yes"}}
            )

    def keep_subscription(self, reference: str) -> None:
        with in_our_words():
            present = self._v1.subscriptions.retrieve(reference)
            if present.status in OVER:
                raise GatewayRefusal(f"the subscription {reference} has ended")
            if not _metadata(present.to_dict()).get(MARK):
                return
            self._v1.subscriptions.update(
                reference, {"cancel_at_period_end": False, "metadata": {MARK: ""}}
            )

    def cancel_subscription_without_proration(self, reference: str) -> None:
        with in_our_words():
            if self._v1.subscriptions.retrieve(reference).status not in OVER:
                self._v1.subscriptions.cancel(reference, {"prorate": False, "invoice_now": False})

    def push_credit(
        self, customer_reference: str, amount_minor: int, currency: str, key: str
    ) -> str:
        """A balance transaction; Stripe counts what the customer owes, so credit is negative."""
        balance = self._v1.customers.balance_transactions
        with in_our_words():
            for known in balance.list(customer_reference, {"limit": 100}).auto_paging_iter():
                if _metadata(known.to_dict()).get("credit_key") == key:
                    return str(known.id)
            made = balance.create(
                customer_reference,
                {
                    "amount": -stripes(amount_minor, currency),
                    "currency": currency.lower(),
                    "metadata": {"credit_key": key},
                },
                {"idempotency_key": key},
            )
        return str(made.id)


def _of(payment_reference: str) -> dict[str, str]:
    is_intent = payment_reference.startswith("pi_")
    return {"payment_intent" if is_intent else "charge": payment_reference}


def _metadata(record: dict[str, Any]) -> dict[str, str]:
    return record.get("metadata") or {}


def _read(refund: dict[str, Any]) -> GatewayRefund:
    state = refund["status"]
    if state not in STATES:
        raise ValueError(f"refund {refund['id']}: the state {state!r} is not known")
    currency = refund["currency"].upper()
    return GatewayRefund(
        reference=refund["id"],
        state=state,
        amount_minor=ours(refund["amount"], currency),
        currency=currency,
        bank_reference=_bank_reference(refund),
        reason=str(refund.get("failure_reason") or "").replace("_", " "),
    )


def _bank_reference(refund: dict[str, Any]) -> str:
    """The ARN of a card, or what other methods call the like."""
    details = refund.get("destination_details") or {}
    return str((details.get(details.get("type") or "") or {}).get("reference") or "")
