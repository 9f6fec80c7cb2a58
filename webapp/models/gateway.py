"""What passes between us and the payment gateway besides payments and refunds."""

from peewee import SQL, BigIntegerField, Check, ForeignKeyField, TextField

from webapp.database import BaseModel, InstantField
from webapp.models.account import Account


class WebhookEvent(BaseModel):
    """A webhook that was taken in. The gateway may send it again; its id tells."""

    reference = TextField(unique=True)
    kind = TextField()
    received_at = InstantField(index=True)


class SyncState(BaseModel):
    """How far a source was read: everything before `through_at`, and, while a reading of the whole
    is under way since `began_at`, the customers up to `after`."""

    source = TextField(unique=True)
    through_at = InstantField(null=True)
    began_at = InstantField(null=True)
    after = TextField(default="")


class CreditPush(BaseModel):
    """An organisation's credit, moved to its customer's balance at the gateway. Committed before
    the gateway is called, with a key of its own."""

    organisation_id: int
    organisation = ForeignKeyField(Account, backref="credit_pushes", index=False)
    currency = TextField()
    amount_minor = BigIntegerField()
    state = TextField(default="requested")
    key = TextField(unique=True)
    gateway_reference = TextField(null=True, unique=True)
    reason = TextField(default="")
    created_at = InstantField()

    class Meta:
        constraints = [
            Check("state IN ('requested', 'succeeded', 'failed')", name="credit_push_state"),
            Check("amount_minor > 0", name="credit_push_amount"),
        ]


CreditPush.add_index(
    SQL(
        "CREATE UNIQUE INDEX credit_push_one_under_way ON credit_push (organisation_id, currency)"
        " WHERE state = 'requested'"
    )
)
