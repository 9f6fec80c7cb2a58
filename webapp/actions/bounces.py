"""Delivery reports: which mail of ours they are about, and what that means for its invitation."""

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from webapp import clock
from webapp.actions import deliveries
from webapp.database import locked, transaction
from webapp.errors import Invalid
from webapp.imports.delivery_reports import Fate, Report
from webapp.models import DeliveryEvent, Invitation, OutboxMessage
from webapp.policy import policy

# Servers give up after five days as a rule.
RECENT = timedelta(days=7)
KINDS = {"failed": "bounced", "delayed": "delayed"}  # the gravest first
_OURS = re.compile(r"<outbox-([0-9]{1,18})@([^<>@\s]+)>")


@dataclass(frozen=True, slots=True)
class Taken:
    """`kind` is bounced or delayed; "" where the report tells nothing that concerns us."""

    message: OutboxMessage
    kind: str
    words: str
    is_new: bool


def take_in(report: Report) -> Taken:
    """Notes what the report tells of an invitation's mail; the same again changes nothing.

    Raises Invalid when it is about no mail of ours ("report_unknown"), or about one that is not an
    invitation's ("report_other")."""
    message = _message(report)
    if message.invitation_id is None:
        raise Invalid("report_other", kind=message.kind)
    fate = _fate(report)
    kind = KINDS.get(fate.action, "")
    return Taken(message, kind, fate.words, bool(kind) and _note(message, kind, fate.words))


def _note(message: OutboxMessage, kind: str, words: str) -> bool:
    with transaction():
        # Whoever holds the invitation sees whether the same was told before.
        locked(Invitation.select(Invitation.id).where(Invitation.id == message.invitation_id)).get()
        told = (DeliveryEvent.message == message) & (DeliveryEvent.kind == kind)
        if DeliveryEvent.select().where(told).exists():
            return False
        deliveries.happened(message, kind, words)
        if kind == "bounced":
            deliveries.show(message, "refused", words)
    return True


def _fate(report: Report) -> Fate:
    """Each of our mails has one recipient; where it is passed on to several, a failure counts."""
    by_action = {fate.action: fate for fate in reversed(report.fates)}
    return next((by_action[each] for each in KINDS if each in by_action), report.fates[0])


def _message(report: Report) -> OutboxMessage:
    """By the id of the mail that came back; else the latest mail to that address."""
    for id in report.message_ids:
        ours = _OURS.fullmatch(id)
        if ours and ours[2].lower() == urlsplit(policy().base_url).hostname:
            known: OutboxMessage | None = OutboxMessage.get_or_none(
                OutboxMessage.id == int(ours[1]), OutboxMessage.kind.startswith("mail:")
            )
            if known is not None:
                return known
    addresses = {address for fate in report.fates for address in fate.addresses if address}
    recent: OutboxMessage | None = (
        OutboxMessage.select()
        .join(Invitation)
        .where(
            Invitation.email.in_(addresses),
            OutboxMessage.kind.in_(deliveries.KINDS),
            OutboxMessage.left_at > clock.now() - RECENT,
        )
        .order_by(OutboxMessage.left_at.desc(), OutboxMessage.id.desc())
        .first()
    )
    if recent is None:
        raise Invalid("report_unknown")
    return recent
