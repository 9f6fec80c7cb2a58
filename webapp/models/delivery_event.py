"""What became of each mail of an invitation (rule I11)."""

from peewee import SQL, Check, ForeignKeyField, TextField

from webapp.database import BaseModel, InstantField
from webapp.models.invitation import Invitation
from webapp.models.outbox_message import OutboxMessage


class DeliveryEvent(BaseModel):
    """`kind` is sent (a mail server took it), deferred (tried again at `next_try_at`) or refused,
    as the mail server answered; delayed or bounced, as a delivery report told later. `words` are
    theirs."""

    invitation_id: int
    invitation = ForeignKeyField(Invitation, backref="delivery_events", index=False)
    message_id: int
    message = ForeignKeyField(OutboxMessage, backref="+", index=False)
    kind = TextField()
    words = TextField(default="")
    at = InstantField()
    next_try_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check(
                "kind IN ('sent', 'deferred', 'refused', 'delayed', 'bounced')",
                name="delivery_event_kind",
            ),
        ]


DeliveryEvent.add_index(
    SQL("CREATE INDEX delivery_event_invitation ON delivery_event (invitation_id, id)")
)
# A report that comes twice is told once.
DeliveryEvent.add_index(
    SQL(
        "CREATE UNIQUE INDEX delivery_event_reported ON delivery_event (message_id, kind)"
        " WHERE kind IN ('delayed', 'bounced')"
    )
)
