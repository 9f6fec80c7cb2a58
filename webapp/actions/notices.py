"""Telling inviters who answered: one digest an hour at most (rule I13)."""

from datetime import datetime, timedelta
from typing import Any

from webapp import outbox
from webapp.database import locked, transaction
from webapp.models import Invitation, Membership, User

REST = timedelta(hours=1)


def collect(now: datetime) -> int:
    """Writes a digest to each inviter who has answers to learn of and had none within the hour;
    returns how many. Safe to run twice at once."""
    return sum(_tell(account_id, inviter_id, now) for account_id, inviter_id in _waiting())


def _waiting() -> list[tuple[int, int]]:
    """The accounts and inviters with answers that nobody told yet."""
    found: Any = Invitation.select(Invitation.account, Invitation.inviter).where(_untold())
    return list(found.distinct().tuples())


def _untold() -> object:
    return Invitation.told_at.is_null() & Invitation.status.in_(("accepted", "declined"))


def _tell(account_id: int, inviter_id: int, now: datetime) -> bool:
    theirs = (Invitation.account == account_id) & (Invitation.inviter == inviter_id)
    with transaction():
        # Whoever holds the inviter's row sees whether somebody else has just written a digest.
        locked(User.select(User.id).where(User.id == inviter_id)).first()
        if Invitation.select().where(theirs, Invitation.told_at > now - REST).exists():
            return False
        found: Any = Invitation.select(Invitation.id).where(theirs, _untold())
        found = found.order_by(Invitation.answered_at, Invitation.id).tuples()
        answered = [row[0] for row in found]
        if not answered:
            return False
        Invitation.update(told_at=now).where(Invitation.id.in_(answered)).execute()
        if not _is_inviting(account_id, inviter_id):
            return False  # who no longer invites here learns no more of its people
        outbox.write(
            "mail:answers",
            {"user_id": inviter_id, "account_id": account_id, "invitation_ids": answered},
        )
    return True


def _is_inviting(account_id: int, user_id: int) -> bool:
    membership = Membership.get_or_none(
        (Membership.account == account_id)
        & (Membership.user == user_id)
        & Membership.ended_at.is_null()
    )
    return membership is not None and membership.is_inviting
