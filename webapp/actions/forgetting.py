"""Taking people out of invitations: the rows stay, and say nothing of anybody."""

from datetime import datetime

from peewee import Value

from webapp import outbox
from webapp.models import DeliveryEvent, Invitation, OutboxMessage
from webapp.models.user import ERASED

WRITTEN_OF_INVITEES = (
    "name", "department", "job_title", "location", "note", "folded", "decline_reason",
    "delivery_note", "report",
)  # fmt: skip


def invitations(ids: list[int], now: datetime) -> None:
    """None of them that waits for an answer waits on. Call inside a transaction."""
    these = Invitation.id.in_(ids)
    outbox.cancel(OutboxMessage.invitation.in_(ids))
    # The words of mail servers tend to repeat the address.
    DeliveryEvent.update(words="").where(DeliveryEvent.invitation.in_(ids)).execute()
    Invitation.update(status="superseded", answered_at=now).where(
        these, Invitation.status == "pending"
    ).execute()
    Invitation.update(
        email=Value("erased-").concat(Invitation.id.cast("TEXT")).concat(ERASED),
        told_at=now,
        **dict.fromkeys(WRITTEN_OF_INVITEES, ""),
    ).where(these).execute()
