"""Reminding of invitations that nobody answered (rule I7), and the wish for no more reminders."""

from datetime import datetime
from typing import Any

from webapp import clock, outbox
from webapp.actions import joining, limits, signed
from webapp.actions.audit import record
from webapp.database import locked, transaction
from webapp.models import Invitation, OutboxMessage

AT_ONCE = 1000
PURPOSE = "reminders"


def collect(now: datetime) -> int:
    """Writes the reminders that are due; returns how many. Safe to run twice at once."""
    due: Any = (
        Invitation.select(Invitation.id).where(_is_due(now)).order_by(Invitation.remind_at)
    ).limit(AT_ONCE)
    return sum(_remind(row[0], now) for row in due.tuples())


def _is_due(now: datetime) -> Any:
    return (Invitation.status == "pending") & (Invitation.remind_at <= now)


def _remind(invitation_id: int, now: datetime) -> bool:
    with transaction():
        invitation: Invitation | None = locked(
            Invitation.select().where(Invitation.id == invitation_id, _is_due(now))
        ).first()
        if invitation is None:
            return False  # answered meanwhile, or another worker was faster
        # What the organisation wants by now: a reminder that it dropped is not sent.
        at = invitation.account.reminders(_sent_at(invitation), invitation.expires_at)
        Invitation.update(remind_at=next((each for each in at if each > now), None)).where(
            Invitation.id == invitation.id
        ).execute()
        is_wanted = any(invitation.remind_at <= each <= now for each in at)
        if not is_wanted or _rests(invitation, now):
            return False
        payload = {"invitation_id": invitation.id}
        outbox.write("mail:reminder", payload, invitation=invitation)
    return True


def _sent_at(invitation: Invitation) -> datetime:
    """When its days began: it was written then, or last sent again."""
    newest: datetime | None = (
        OutboxMessage.select(OutboxMessage.created_at)
        .where(OutboxMessage.invitation == invitation, OutboxMessage.kind == "mail:invitation")
        .order_by(OutboxMessage.id.desc())
        .limit(1)
        .scalar()
    )
    return newest or invitation.created_at


def _rests(invitation: Invitation, now: datetime) -> bool:
    """Is there nobody to remind, or nothing to answer, just now?"""
    return (
        not invitation.is_live(now)
        or invitation.delivery == "refused"
        or _is_muted(invitation)
        or bool(joining.why_waiting(invitation))
        or limits.had_enough(invitation.email, now)
    )


def _is_muted(invitation: Invitation) -> bool:
    """Did this person want no more reminders from this organisation?"""
    return bool(
        Invitation.select(Invitation.id)
        .where(
            Invitation.email == invitation.email,
            Invitation.account == invitation.account_id,
            Invitation.muted_at.is_null(False),
        )
        .exists()
    )


def token_of(invitation: Invitation) -> str:
    """For the address that ends the reminders."""
    return signed.sign(invitation, PURPOSE)


def find(token: str) -> Invitation:
    """The invitation that the token was made for, or NotThere."""
    return signed.find(token, PURPOSE)


def mute(token: str) -> Invitation:
    """No more reminders of this invitation; again changes nothing."""
    now = clock.now()
    with transaction():
        invitation = find(token)
        changed = (
            Invitation.update(muted_at=now, remind_at=None)
            .where(Invitation.id == invitation.id, Invitation.muted_at.is_null())
            .execute()
        )
        if changed:
            subject, account = f"invitation:{invitation.id}", invitation.account_id
            record(None, "invitation:muted", subject, account=account)
            waiting = (OutboxMessage.invitation == invitation) & (
                OutboxMessage.kind == "mail:reminder"
            )
            outbox.cancel(waiting)
    return find(token)
