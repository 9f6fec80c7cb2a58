"""What the simulated gateway knows: its own tables."""

from datetime import timedelta

from peewee import BigIntegerField, BooleanField, Check, ForeignKeyField, TextField

from webapp import clock
from webapp.database import BaseModel, InstantField
from webapp.payments.gateway import GatewayRefund

KEY_LIFE = timedelta(hours=24)
# Long enough that a person sees "under way", short enough to watch it arrive.
SETTLING = timedelta(seconds=20)
# A bank that sends money back does so days later; here it is soon enough to watch.
COMING_BACK = timedelta(seconds=60)

# fate → what becomes of a refund that is left alone, and when
FATES = {
    "succeeds": ((SETTLING, "succeeded"),),
    "fails": ((SETTLING, "failed"),),
    "is canceled": ((SETTLING, "canceled"),),
    "comes back": ((SETTLING, "succeeded"), (COMING_BACK, "failed")),
    "stays": (),
}
REASONS = {"failed": "the account was closed", "canceled": "the refund was canceled"}


class SimulatedPayment(BaseModel):
    """`fate` is that of the refunds made from it; where the customer has to say where the money
    goes, it `is_asking` first."""

    reference = TextField(unique=True)
    currency = TextField()
    captured_minor = BigIntegerField()
    fate = TextField(default="succeeds")
    is_asking = BooleanField(default=False)

    class Meta:
        constraints = [
            Check("captured_minor > 0", name="simulated_payment_captured"),
            Check(
                "fate IN ('succeeds', 'fails', 'is canceled', 'comes back', 'stays')",
                name="simulated_payment_fate",
            ),
        ]


class SimulatedRefund(BaseModel):
    """`state` is pending, or requires_action, until its fate or a test says otherwise."""

    reference = TextField(unique=True)
    payment = ForeignKeyField(SimulatedPayment, backref="refunds")
    refund_key = TextField(index=True)
    amount_minor = BigIntegerField()
    state = TextField()
    reason = TextField(default="")
    created_at = InstantField()

    class Meta:
        constraints = [
            Check("amount_minor > 0", name="simulated_refund_amount"),
            Check(
                "state IN ('pending', 'requires_action', 'succeeded', 'failed', 'canceled')",
                name="simulated_refund_state",
            ),
        ]

    def shown(self) -> GatewayRefund:
        """As it stands by now."""
        state = self.state
        if state == "pending":
            for after, becomes in FATES[self.payment.fate]:
                if clock.now() >= self.created_at + after:
                    state = becomes
        has_left = state == "succeeded" or (state == "failed" and self.payment.fate == "comes back")
        return GatewayRefund(
            reference=self.reference,
            state=state,
            amount_minor=self.amount_minor,
            currency=self.payment.currency,
            bank_reference=f"ARN{self.id:020d}" if has_left else "",
            reason=self.reason or REASONS.get(state, ""),
        )


class SimulatedKey(BaseModel):
    """What was answered to an idempotency key, and to which request: a refund, or an error, which
    is remembered just as well."""

    key = TextField(unique=True)
    request_hash = TextField()
    refund = ForeignKeyField(SimulatedRefund, backref="+", null=True)
    created_at = InstantField()


class SimulatedSubscription(BaseModel):
    """`is_ended_by_us` tells our wish to end it from the customer's own."""

    reference = TextField(unique=True)
    is_canceled = BooleanField(default=False)
    ends_with_period = BooleanField(default=False)
    is_ended_by_us = BooleanField(default=False)


class SimulatedCredit(BaseModel):
    """A credit of a customer's balance."""

    reference = TextField(unique=True)
    customer = TextField()
    currency = TextField()
    amount_minor = BigIntegerField()
    key = TextField()

    class Meta:
        constraints = [Check("amount_minor > 0", name="simulated_credit_amount")]
        indexes = ((("customer", "key"), True),)


class SimulatedFault(BaseModel):
    """One call that will go wrong; used up by it."""

    call = TextField()
    fault = TextField()
    used_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check(
                "fault IN ('never sent', 'answer lost', 'key forgotten', 'error', 'busy',"
                " 'refused')",
                name="simulated_fault_fault",
            )
        ]


ALL = (
    SimulatedPayment,
    SimulatedRefund,
    SimulatedKey,
    SimulatedSubscription,
    SimulatedCredit,
    SimulatedFault,
)


def capture(reference: str, currency: str, captured_minor: int) -> None:
    """Makes the gateway know a payment, or the amount that it had got wrong; again with the same
    changes nothing."""
    SimulatedPayment.insert(
        reference=reference, currency=currency, captured_minor=captured_minor
    ).on_conflict(
        conflict_target=[SimulatedPayment.reference],
        update={SimulatedPayment.captured_minor: captured_minor},
    ).execute()


def subscribe(reference: str) -> None:
    """Makes the gateway know a subscription; again changes nothing."""
    SimulatedSubscription.insert(reference=reference).on_conflict_ignore().execute()
