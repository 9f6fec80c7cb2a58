"""Customers, subscriptions, invoices and payments, read from Stripe."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from webapp.payments.gateway import GatewayRefusal
from webapp.payments.source import SourceCustomer, SourcePayment, SourcePlan, Unmappable
from webapp.payments.stripe import records
from webapp.payments.stripe.client import in_our_words, open_client
from webapp.payments.stripe.records import Record

AT_ONCE = 100
# Stripe takes no more than twenty.
KINDS = (
    *("customer.created", "customer.updated", "customer.deleted"),
    *("customer.subscription.created", "customer.subscription.updated"),
    *("customer.subscription.deleted", "invoice.finalized", "invoice.paid", "invoice.updated"),
    *("invoice.voided", "invoice.marked_uncollectible", "charge.succeeded", "charge.refunded"),
    *("refund.updated", "refund.failed", "charge.dispute.created", "charge.dispute.closed"),
    *("payment_intent.processing", "payment_intent.payment_failed", "payment_intent.canceled"),
)


class StripeSource:
    name = "stripe"

    def __init__(self, api_key: str, api_base: str = "") -> None:
        self._v1 = open_client(api_key, api_base).v1
        self._rates: dict[str, str] = {}

    def references(self, after: str) -> Iterator[str]:
        """The newest first; those who come meanwhile are among the changed."""
        asked: Any = {"limit": AT_ONCE, **({"starting_after": after} if after else {})}
        with in_our_words():
            for customer in self._v1.customers.list(asked).auto_paging_iter():
                yield customer.id

    def changed(self, since: datetime) -> Iterator[str]:
        seen = set()
        asked: Any = {
            "limit": AT_ONCE,
            "types": list(KINDS),
            "created": {"gte": int(since.timestamp())},
        }
        with in_our_words():
            for event in self._v1.events.list(asked).auto_paging_iter():
                about = event.to_dict()["data"]["object"]
                is_customer = about.get("object") == "customer"
                reference = about["id"] if is_customer else self._customer_of(about)
                if reference and reference not in seen:
                    seen.add(reference)
                    yield reference

    def customer(self, reference: str) -> SourceCustomer | None:
        try:
            with in_our_words():
                found = self._v1.customers.retrieve(reference, {"expand": ["tax_ids"]}).to_dict()
        except GatewayRefusal:
            return None
        if found.get("deleted"):
            return None
        try:
            with in_our_words():
                return self._with_records(found)
        except GatewayRefusal as error:
            raise Unmappable(f"has records that can't be read: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise Unmappable(f"has records of an unknown form ({error})") from error

    def is_disputed(self, payment_reference: str) -> bool:
        kind = "charge" if payment_reference.startswith(("ch_", "py_")) else "payment_intent"
        with in_our_words():
            charge = self._charge({"type": kind, kind: payment_reference})
            found = self._disputes(charge)
        return any(one["status"] in (*records.OPEN, *records.LOST) for one in found)

    def _with_records(self, found: Record) -> SourceCustomer:
        reference = found["id"]
        of: Any = {"customer": reference, "limit": AT_ONCE}
        present = self._v1.subscriptions.list(of).auto_paging_iter()
        plan = records.plan([one.to_dict() for one in present])
        invoices = self._invoices(of)
        customer = records.customer(found, plan, invoices, self._being_paid(invoices))
        if plan is None:
            return customer
        payments = [one for each in invoices for one in self._payments(each, plan)]
        return replace(customer, payments=tuple(payments))

    def _invoices(self, of: Any) -> list[Record]:
        """All of them: whichever was open once may be paid or taken back by now."""
        asked: Any = {**of, "expand": ["data.payments"]}
        return [one.to_dict() for one in self._v1.invoices.list(asked).auto_paging_iter()]

    def _being_paid(self, invoices: list[Record]) -> set[str]:
        """Ids of the open ones for which somebody has paid what has not arrived yet."""
        return {
            one["id"]
            for one in invoices
            if one["status"] == "open" and any(map(self._is_under_way, _payments_of(one)))
        }

    def _is_under_way(self, payment: Record) -> bool:
        if payment["status"] != "open" or payment["payment"]["type"] != "payment_intent":
            return False
        intent = self._v1.payment_intents.retrieve(records.reference(payment["payment"]))
        return intent.status == "processing"

    def _payments(self, invoice: Record, plan: SourcePlan) -> Iterator[SourcePayment]:
        if invoice["status"] != "paid" or not records.covers(invoice, plan):
            return
        rate = self._rate(records.tax_rate_id(invoice))
        paid = [
            one for one in _payments_of(invoice) if one["status"] == "paid" and one["amount_paid"]
        ]
        if not paid and invoice["amount_paid"] > 0:
            outside: Record = {"amount_paid": invoice["amount_paid"], "payment": {}}
            yield records.payment(invoice, outside, None, rate)
        for one in paid:
            charge = self._charge(one["payment"])
            refunds = self._refunds(one["payment"], charge)
            yield records.payment(invoice, one, charge, rate, refunds, self._disputes(charge))

    def _charge(self, payment: Record) -> Record | None:
        """What took the money; None for what was only recorded at Stripe."""
        reference = records.reference(payment)
        if payment["type"] == "charge":
            return self._v1.charges.retrieve(reference).to_dict()
        if payment["type"] != "payment_intent":
            return None
        intent = self._v1.payment_intents.retrieve(reference, {"expand": ["latest_charge"]})
        charge: Record | None = intent.to_dict()["latest_charge"]
        if charge is None:
            raise ValueError(f"{reference} was never charged")
        return charge

    def _refunds(self, payment: Record, charge: Record | None) -> list[Record]:
        if charge is None or not charge["amount_refunded"]:
            return []
        asked: Any = {payment["type"]: records.reference(payment), "limit": AT_ONCE}
        return [one.to_dict() for one in self._v1.refunds.list(asked).auto_paging_iter()]

    def _disputes(self, charge: Record | None) -> list[Record]:
        if charge is None or not charge.get("disputed"):
            return []
        asked: Any = {"charge": charge["id"], "limit": AT_ONCE}
        return [one.to_dict() for one in self._v1.disputes.list(asked).auto_paging_iter()]

    def _rate(self, id: str) -> str:
        """Per cent, as text."""
        if id and id not in self._rates:
            rate = self._v1.tax_rates.retrieve(id).to_dict()
            self._rates[id] = f"{rate['percentage']}%"
        return self._rates.get(id, "")

    def _customer_of(self, about: Record) -> str:
        """A refund or a dispute names its charge only; "" when that is not there any more."""
        if about.get("object") not in ("refund", "dispute"):
            return str(about.get("customer") or "")
        if not about.get("charge"):
            return ""
        try:
            with in_our_words():
                charge = self._v1.charges.retrieve(about["charge"]).to_dict()
        except GatewayRefusal:
            return ""
        return str(charge.get("customer") or "")


def _payments_of(invoice: Record) -> list[Record]:
    return (invoice.get("payments") or {}).get("data") or []
