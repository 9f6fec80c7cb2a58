"""What became of an invitation's mail (rule I11), and the link that it carries (rule J2)."""

import hashlib
from datetime import datetime
from typing import Any

from peewee import fn

from webapp import clock
from webapp.database import locked, transaction
from webapp.models import DeliveryEvent, Invitation, InvitationLink, OutboxMessage

# The mails that carry an invitation's link.
KINDS = ("mail:invitation", "mail:reminder")


def draw_link(message: OutboxMessage) -> tuple[Invitation, str] | None:
    """The invitation, and a new token for a mail that is being written: 256 random bits, of which
    only the SHA-256 is kept. None when nobody should get this mail any more. Committed before the
    mail leaves, so that a link that arrives is always known."""
    now = clock.now()
    with transaction():
        invitation: Invitation | None = locked(
            Invitation.select().where(Invitation.id == message.invitation_id)
        ).first()
        if invitation is None or not invitation.is_live(now) or _newer(message).exists():
            return None
        token = clock.new_token()
        InvitationLink.create(
            token_hash=hashlib.sha256(token.encode()).hexdigest(),
            invitation=invitation,
            created_at=now,
        )
    return invitation, token


def note(
    message: OutboxMessage, delivery: str, words: str = "", next_try_at: datetime | None = None
) -> None:
    """What became of an invitation's mail, with the server's words. Where the invitation itself
    is concerned, an older mail says nothing about a newer one."""
    happened(message, delivery, words, next_try_at)
    show(message, delivery, words, next_try_at)


def happened(
    message: OutboxMessage, kind: str, words: str = "", next_try_at: datetime | None = None
) -> None:
    DeliveryEvent.create(
        invitation=message.invitation_id,
        message=message,
        kind=kind,
        words=words,
        at=clock.now(),
        next_try_at=next_try_at,
    )


def show(
    message: OutboxMessage, delivery: str, words: str = "", next_try_at: datetime | None = None
) -> None:
    Invitation.update(
        delivery=delivery, delivery_note=words, delivery_at=clock.now(), next_try_at=next_try_at
    ).where(Invitation.id == message.invitation_id, ~fn.EXISTS(_newer(message))).execute()


def _newer(message: OutboxMessage) -> Any:
    return OutboxMessage.select(OutboxMessage.id).where(
        OutboxMessage.invitation == message.invitation_id,
        OutboxMessage.kind.in_(KINDS),
        OutboxMessage.id > message.id,
        OutboxMessage.canceled_at.is_null(),
    )
