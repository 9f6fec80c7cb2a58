"""The simulated gateway's answers."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from webapp import clock
from webapp.database import locked, transaction
from webapp.payments.gateway import GatewayRefund, GatewayRefusal, ListedRefund
from webapp.payments.simulated import faults
from webapp.payments.simulated.books import (
    KEY_LIFE,
    SimulatedCredit,
    SimulatedKey,
    SimulatedPayment,
    SimulatedRefund,
    SimulatedSubscription,
)
from webapp.payments.simulated.faults import Fault

GONE = ("failed", "canceled")


class SimulatedGateway:
    name = "simulated"

    def create_refund(
        self,
        payment_reference: str,
        amount_minor: int,
        currency: str,
        idempotency_key: str,
        metadata: Mapping[str, str],
    ) -> GatewayRefund:
        fault = faults.claim("create_refund")
        asked = [payment_reference, amount_minor, currency, dict(metadata)]
        request_hash = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        with transaction():
            SimulatedKey.delete().where(SimulatedKey.created_at < clock.now() - KEY_LIFE).execute()
            # The payment's lock first: two requests of one key wait for each other.
            payment = _payment(payment_reference, currency)
            known = SimulatedKey.get_or_none(SimulatedKey.key == idempotency_key)
            refund = None
            if known is not None:
                refund = _remembered(known, request_hash)
            elif fault != "error":
                refund = _create(payment, amount_minor, metadata)
            if known is None and fault != "key forgotten":
                SimulatedKey.create(
                    key=idempotency_key,
                    request_hash=request_hash,
                    refund=refund,
                    created_at=clock.now(),
                )
        if refund is None:
            raise Fault("error")
        if fault in faults.AFTER:
            raise Fault(fault)
        return refund.shown()

    def fetch_refund(self, reference: str) -> GatewayRefund:
        _read("fetch_refund")
        refund = SimulatedRefund.get_or_none(SimulatedRefund.reference == reference)
        if refund is None:
            raise GatewayRefusal(f"no refund {reference}")
        return refund.shown()

    def find_refund(self, payment_reference: str, refund_key: str) -> GatewayRefund | None:
        _read("find_refund")
        refund = (
            SimulatedRefund.select()
            .join(SimulatedPayment)
            .where(
                SimulatedPayment.reference == payment_reference,
                SimulatedRefund.refund_key == refund_key,
            )
            .first()
        )
        return None if refund is None else refund.shown()

    def list_refunds(self, since: datetime, until: datetime) -> Iterator[ListedRefund]:
        _read("list_refunds")
        made = SimulatedRefund.select(SimulatedRefund, SimulatedPayment).join(SimulatedPayment)
        wanted = (SimulatedRefund.created_at >= since) & (SimulatedRefund.created_at < until)
        for one in made.where(wanted).order_by(SimulatedRefund.id):
            yield ListedRefund(
                one.shown(), (one.payment.reference,), one.refund_key, one.created_at
            )

    def end_subscription_at_period_end(self, reference: str) -> None:
        fault = faults.claim("end_subscription_at_period_end")
        with transaction():
            subscription = _subscription(reference)
            if not subscription.is_canceled and not subscription.ends_with_period:
                _change(subscription, ends_with_period=True, is_ended_by_us=True)
        _lose(fault)

    def keep_subscription(self, reference: str) -> None:
        fault = faults.claim("keep_subscription")
        with transaction():
            subscription = _subscription(reference)
            if subscription.is_canceled:
                raise GatewayRefusal(f"the subscription {reference} has ended")
            if subscription.is_ended_by_us:
                _change(subscription, ends_with_period=False, is_ended_by_us=False)
        _lose(fault)

    def cancel_subscription_without_proration(self, reference: str) -> None:
        fault = faults.claim("cancel_subscription_without_proration")
        with transaction():
            _change(_subscription(reference), is_canceled=True)
        _lose(fault)

    def push_credit(
        self, customer_reference: str, amount_minor: int, currency: str, key: str
    ) -> str:
        fault = faults.claim("push_credit")
        if amount_minor <= 0:
            raise GatewayRefusal("a credit is more than nothing")
        with transaction():
            SimulatedCredit.insert(
                reference="cbtxn_" + clock.new_token()[:24],
                customer=customer_reference,
                currency=currency,
                amount_minor=amount_minor,
                key=key,
            ).on_conflict_ignore().execute()
            credit = SimulatedCredit.get(
                SimulatedCredit.customer == customer_reference, SimulatedCredit.key == key
            )
        _lose(fault)
        return str(credit.reference)


def _create(
    payment: SimulatedPayment, amount_minor: int, metadata: Mapping[str, str]
) -> SimulatedRefund:
    if amount_minor <= 0 or amount_minor > payment.captured_minor - _refunded(payment):
        raise GatewayRefusal("amount exceeds what the payment still holds")
    refund: SimulatedRefund = SimulatedRefund.create(
        reference="re_" + clock.new_token()[:24],
        payment=payment,
        refund_key=metadata.get("refund_key", ""),
        amount_minor=amount_minor,
        state="requires_action" if payment.is_asking else "pending",
        created_at=clock.now(),
    )
    return refund


def _remembered(known: SimulatedKey, request_hash: str) -> SimulatedRefund | None:
    if known.request_hash != request_hash:
        raise GatewayRefusal("idempotency key reused with another request")
    refund: SimulatedRefund | None = known.refund
    return refund


def _payment(reference: str, currency: str) -> SimulatedPayment:
    payment: SimulatedPayment | None = locked(
        SimulatedPayment.select().where(SimulatedPayment.reference == reference)
    ).first()
    if payment is None:
        raise GatewayRefusal(f"no payment {reference}")
    if payment.currency != currency:
        raise GatewayRefusal(f"the payment is in {payment.currency}")
    return payment


def _refunded(payment: SimulatedPayment) -> int:
    refunds = SimulatedRefund.select().where(SimulatedRefund.payment == payment)
    made = [refund.shown() for refund in refunds]
    return sum(refund.amount_minor for refund in made if refund.state not in GONE)


def _subscription(reference: str) -> SimulatedSubscription:
    found: SimulatedSubscription | None = locked(
        SimulatedSubscription.select().where(SimulatedSubscription.reference == reference)
    ).first()
    if found is None:
        raise GatewayRefusal(f"no subscription {reference}")
    return found


def _change(subscription: SimulatedSubscription, **changes: bool) -> None:
    SimulatedSubscription.update(**changes).where(
        SimulatedSubscription.id == subscription.id
    ).execute()


def _read(call: str) -> None:
    """For calls that only read: whatever goes wrong, nothing was done."""
    fault = faults.claim(call)
    if fault:
        raise Fault(fault)


def _lose(fault: str) -> None:
    if fault:
        raise Fault(fault)
