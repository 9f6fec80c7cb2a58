"""What happened to one invitation, in order (rule I11): what people did, from the audit events, and
what became of its mails, from the delivery events. Whether a link was opened is not kept."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peewee import JOIN

from webapp import outbox
from webapp.actions.deliveries import KINDS
from webapp.models import AuditEvent, DeliveryEvent, Invitation, OutboxMessage, User


@dataclass(frozen=True, slots=True)
class Happening:
    """`kind` is an audit event's, or `delivery:` and a delivery event's, `reminder:` if the mail
    was a reminder. `words` are those of a mail server or of the invitee."""

    at: datetime
    kind: str
    actor: User | None = None
    words: str = ""
    next_try_at: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def of(invitation: Invitation, now: datetime) -> list[Happening]:
    """The newest first."""
    found = [*_done(invitation), *_delivered(invitation), *_ended(invitation, now)]
    # Of one instant, what was done comes before what became of it.
    return sorted(found, key=lambda each: each.at)[::-1]


def leaves_at(invitation: Invitation) -> datetime | None:
    """When the mail that waits in the outbox is tried, for the first time or again."""
    waiting: OutboxMessage | None = (
        OutboxMessage.select()
        .where(
            OutboxMessage.invitation == invitation,
            OutboxMessage.kind.in_(KINDS),
            outbox.is_waiting(),
        )
        .order_by(OutboxMessage.id.desc())
        .first()
    )
    return None if waiting is None else waiting.leaves_at


def _done(invitation: Invitation) -> list[Happening]:
    events = (
        AuditEvent.select(AuditEvent, User)
        .join(User, JOIN.LEFT_OUTER, on=(AuditEvent.actor == User.id))
        .where(AuditEvent.subject == f"invitation:{invitation.id}")
        .order_by(AuditEvent.id)
    )
    reasons = {"invitation:declined": invitation.decline_reason}
    return [
        Happening(each.at, each.kind, each.actor, reasons.get(each.kind, ""), facts=each.facts)
        for each in events
    ]


def _delivered(invitation: Invitation) -> list[Happening]:
    events = (
        DeliveryEvent.select(DeliveryEvent, OutboxMessage)
        .join(OutboxMessage)
        .where(DeliveryEvent.invitation == invitation)
        .order_by(DeliveryEvent.id)
    )
    return [
        Happening(
            each.at,
            ("reminder:" if each.message.kind == "mail:reminder" else "delivery:") + each.kind,
            words=each.words,
            next_try_at=each.next_try_at,
        )
        for each in events
    ]


def _ended(invitation: Invitation, now: datetime) -> list[Happening]:
    """What no event tells: the end that time brought, or an answer to another invitation."""
    if invitation.is_expired(now):
        return [Happening(invitation.expires_at, "invitation:expired")]
    if invitation.status == "superseded":
        return [Happening(invitation.answered_at, "invitation:superseded")]
    return []
