"""What an accepted invitation did: the move itself, and how the unused part was settled."""

from datetime import datetime

from peewee import SQL, BigIntegerField, BooleanField, Check, DateField, ForeignKeyField, TextField

from webapp.database import BaseModel, InstantField, JSONTextField
from webapp.models.account import Account, Subscription
from webapp.models.gateway import CreditPush
from webapp.models.invitation import Invitation
from webapp.models.payment import Invoice, Payment
from webapp.models.user import Membership, User


class Acceptance(BaseModel):
    """The move of one user, with all that undoing it needs. `undo_until` ends the hold."""

    user_id: int
    invitation_id: int
    invitation = ForeignKeyField(Invitation, backref="+", unique=True)
    user = ForeignKeyField(User, backref="acceptances")
    organisation_id: int
    organisation = ForeignKeyField(Account, backref="+")
    membership_id: int
    membership = ForeignKeyField(Membership, backref="+")
    left_membership_id: int
    left_membership = ForeignKeyField(Membership, backref="+")
    closed_account_id: int | None
    closed_account = ForeignKeyField(Account, backref="+", null=True)
    ended_subscription_id: int | None
    ended_subscription = ForeignKeyField(Subscription, backref="+", null=True)
    accepted_at = InstantField()
    undo_until = InstantField()
    undone_at = InstantField(null=True)

    def is_held(self, now: datetime) -> bool:
        return bool(self.undone_at is None and now < self.undo_until)


# A plan is left, and settled, once: its payments never give back the same tax or money twice.
Acceptance.add_index(
    SQL(
        "CREATE UNIQUE INDEX acceptance_one_of_plan ON acceptance (ended_subscription_id)"
        " WHERE undone_at IS NULL"
    )
)
# What can still be undone, and what was.
Acceptance.add_index(
    SQL("CREATE INDEX acceptance_held ON acceptance (undo_until) WHERE undone_at IS NULL")
)
Acceptance.add_index(
    SQL("CREATE INDEX acceptance_undone ON acceptance (undone_at) WHERE undone_at IS NOT NULL")
)


class Settlement(BaseModel):
    """The invitee's choice and the frozen derivation (rule M2); gross = net + tax."""

    acceptance_id: int
    acceptance = ForeignKeyField(Acceptance, backref="settlements", unique=True)
    account_id: int
    account = ForeignKeyField(Account, backref="settlements")
    organisation_id: int
    organisation = ForeignKeyField(Account, backref="+")
    choice = TextField()
    currency = TextField()
    settled_on = DateField()
    gross_minor = BigIntegerField()
    tax_minor = BigIntegerField()
    derivation = JSONTextField()

    class Meta:
        constraints = [
            Check("choice IN ('refund', 'credit')", name="settlement_choice"),
            Check("gross_minor > 0", name="settlement_gross"),
            Check("tax_minor >= 0 AND tax_minor <= gross_minor", name="settlement_tax"),
        ]


class SettlementShare(BaseModel):
    """The part of a settlement that one payment gives back (rule M4)."""

    settlement_id: int
    settlement = ForeignKeyField(Settlement, backref="shares", index=False)
    payment_id: int
    payment = ForeignKeyField(Payment, backref="shares")
    gross_minor = BigIntegerField()
    tax_minor = BigIntegerField()

    class Meta:
        constraints = [
            Check("gross_minor > 0", name="settlement_share_gross"),
            Check("tax_minor >= 0 AND tax_minor <= gross_minor", name="settlement_share_tax"),
        ]
        indexes = ((("settlement", "payment"), True),)


class CreditLot(BaseModel):
    """Credit that an organisation may use, and the settlement that it came from: all of it, or the
    one share whose refund failed and that the person handed over instead (rule M7). `told_at` is
    when the organisation's finance was told of it."""

    organisation_id: int
    organisation = ForeignKeyField(Account, backref="credit_lots", index=False)
    settlement_id: int
    settlement = ForeignKeyField(Settlement, backref="credit_lots")
    share_id: int | None
    share = ForeignKeyField(SettlementShare, backref="+", null=True, unique=True)
    currency = TextField()
    amount_minor = BigIntegerField()
    available_at = InstantField()
    told_at = InstantField(null=True)

    class Meta:
        constraints = [Check("amount_minor > 0", name="credit_lot_amount")]
        indexes = ((("organisation", "currency", "available_at", "id"), False),)


CreditLot.add_index(
    SQL("CREATE UNIQUE INDEX credit_lot_whole ON credit_lot (settlement_id) WHERE share_id IS NULL")
)
CreditLot.add_index(
    SQL("CREATE INDEX credit_lot_untold ON credit_lot (organisation_id) WHERE told_at IS NULL")
)


class CreditUse(BaseModel):
    """What one invoice took of one lot, as a payment below its total (rule M8), or what one push
    moved of it to the customer's balance at the gateway."""

    invoice_id: int | None
    invoice = ForeignKeyField(Invoice, backref="credit_uses", index=False, null=True)
    push_id: int | None
    push = ForeignKeyField(CreditPush, backref="credit_uses", index=False, null=True)
    lot_id: int
    lot = ForeignKeyField(CreditLot, backref="uses")
    amount_minor = BigIntegerField()
    used_at = InstantField()
    given_back_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check("amount_minor > 0", name="credit_use_amount"),
            Check("(invoice_id IS NULL) <> (push_id IS NULL)", name="credit_use_one"),
        ]
        indexes = ((("invoice", "lot"), True), (("push", "lot"), True))


REFUND_STATES = (
    "held",
    "requested",
    "pending",
    "requires_action",
    "succeeded",
    "failed",
    "canceled",
)


class Refund(BaseModel):
    """Money on its way out, one row for each try of a share; committed before the gateway is
    called, with an idempotency key of its own (rule M6). `is_by_hand` is paid by bank transfer,
    on `paid_on`, with the bank's reference. `followed_at` is when the gateway was last asked about
    it without a hint, `told_at` when the seller's finance was told that it failed."""

    share_id: int
    share = ForeignKeyField(SettlementShare, backref="refunds", index=False)
    payment_id: int
    payment = ForeignKeyField(Payment, backref="refunds")
    currency = TextField()
    amount_minor = BigIntegerField()
    state = TextField(default="held")
    idempotency_key = TextField(unique=True)
    gateway_reference = TextField(null=True, unique=True)
    bank_reference = TextField(default="")
    reason = TextField(default="")
    is_by_hand = BooleanField(default=False)
    paid_on = DateField(null=True)
    created_at = InstantField()
    requested_at = InstantField(null=True)
    changed_at = InstantField()
    followed_at = InstantField(null=True)
    told_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check(
                "state IN ('held', 'requested', 'pending', 'requires_action', 'succeeded',"
                " 'failed', 'canceled')",
                name="refund_state",
            ),
            Check("amount_minor > 0", name="refund_amount"),
            Check("state <> 'held' OR requested_at IS NULL", name="refund_requested"),
            Check("paid_on IS NULL OR (is_by_hand AND state = 'succeeded')", name="refund_paid_on"),
        ]
        # The tries of a share, of which the last one counts.
        indexes = ((("share", "id"), False),)


Refund.add_index(
    SQL(
        "CREATE UNIQUE INDEX refund_one_alive ON refund (share_id)"
        " WHERE state NOT IN ('failed', 'canceled')"
    )
)
Refund.add_index(
    SQL(
        "CREATE INDEX refund_underway ON refund (changed_at)"
        " WHERE state IN ('requested', 'pending', 'requires_action', 'failed')"
    )
)
Refund.add_index(
    SQL("CREATE INDEX refund_arrived ON refund (changed_at) WHERE state = 'succeeded'")
)
# What was canceled without being asked for was undone, and is no news to anybody.
Refund.add_index(
    SQL(
        "CREATE INDEX refund_untold ON refund (state)"
        " WHERE told_at IS NULL AND requested_at IS NOT NULL"
    )
)
