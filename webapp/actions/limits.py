"""Limits that protect strangers from our mails (rule I12). The organisation's own limit names
itself; those of an address only say "later", so that they tell nothing of other organisations."""

from datetime import datetime, timedelta

from peewee import fn

from webapp.models import Account, Invitation, OutboxMessage

DAY = timedelta(hours=24)
MAILS_TO_AN_ADDRESS = 3
ORGANISATIONS_TO_AN_ADDRESS = 5


def left_today(account: Account, now: datetime) -> int:
    """How many more invitations the organisation may send in these 24 hours."""
    sent = (
        Invitation.select()
        .where(Invitation.account == account, Invitation.created_at > now - DAY)
        .count()
    )
    return max(0, int(account.invitations_per_day) - int(sent))


def day_ends_at(account: Account, now: datetime) -> datetime:
    """When the oldest invitation of these 24 hours stops counting."""
    oldest: datetime | None = (
        Invitation.select(Invitation.created_at)
        .where(Invitation.account == account, Invitation.created_at > now - DAY)
        .order_by(Invitation.created_at)
        .limit(1)
        .scalar()
    )
    return (oldest or now) + DAY


def wants_rest(email: str, account: Account, now: datetime) -> bool:
    """Has this address had enough invitations for now, from here or from anywhere?"""
    mails = (
        OutboxMessage.select()
        .join(Invitation)
        .where(
            Invitation.email == email,
            OutboxMessage.kind == "mail:invitation",
            OutboxMessage.created_at > now - DAY,
            OutboxMessage.canceled_at.is_null(),
        )
        .count()
    )
    if mails >= MAILS_TO_AN_ADDRESS:
        return True
    others = (
        Invitation.select(fn.COUNT(fn.DISTINCT(Invitation.account)))
        .where(
            Invitation.email == email,
            Invitation.account != account,
            Invitation.created_at > now - timedelta(days=7),
        )
        .scalar()
    )
    return int(others) >= ORGANISATIONS_TO_AN_ADDRESS
