"""Effects that wait to leave, and in development the mails that did."""

from peewee import (
    SQL,
    BlobField,
    Check,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from webapp.database import BaseModel, InstantField, JSONTextField
from webapp.models.invitation import Invitation


class OutboxMessage(BaseModel):
    """One effect, written in the action's transaction. The row is the truth: it is claimed with a
    lease, tried again with growing pauses, and quarantined after the last try. `sent_at` is when
    the mail server took it, of a mail among many: with it a message that has not left yet needs
    but to be told of."""

    kind = TextField()
    payload = JSONTextField()
    invitation_id: int | None
    invitation = ForeignKeyField(Invitation, backref="messages", null=True)
    created_at = InstantField()
    leaves_at = InstantField()
    attempts = IntegerField(default=0)
    claimed_until = InstantField(null=True)
    claim = TextField(null=True)
    sent_at = InstantField(null=True)
    left_at = InstantField(null=True)
    quarantined_at = InstantField(null=True)
    canceled_at = InstantField(null=True)
    error = TextField(default="")

    class Meta:
        constraints = [
            Check("attempts >= 0", name="outbox_message_attempts"),
            Check(
                "(CASE WHEN left_at IS NULL THEN 0 ELSE 1 END)"
                " + (CASE WHEN quarantined_at IS NULL THEN 0 ELSE 1 END)"
                " + (CASE WHEN canceled_at IS NULL THEN 0 ELSE 1 END) <= 1",
                name="outbox_message_end",
            ),
        ]


OutboxMessage.add_index(
    SQL(
        "CREATE INDEX outbox_message_waiting ON outbox_message (leaves_at, id)"
        " WHERE left_at IS NULL AND quarantined_at IS NULL AND canceled_at IS NULL"
    )
)
OutboxMessage.add_index(
    SQL("CREATE INDEX outbox_message_left ON outbox_message (left_at) WHERE left_at IS NOT NULL")
)
OutboxMessage.add_index(
    SQL(
        "CREATE INDEX outbox_message_kind ON outbox_message (kind, leaves_at, id)"
        " WHERE left_at IS NULL AND quarantined_at IS NULL AND canceled_at IS NULL"
    )
)
OutboxMessage.add_index(
    SQL(
        "CREATE INDEX outbox_message_quarantined ON outbox_message (quarantined_at)"
        " WHERE quarantined_at IS NOT NULL"
    )
)


class KeptMail(BaseModel):
    """A mail kept instead of sent, in development without a mail server. Repeating a message
    keeps one copy."""

    message_id = TextField(unique=True)
    recipient = TextField(index=True)
    subject = TextField()
    content = BlobField()
    kept_at = InstantField()
