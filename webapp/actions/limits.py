"""Limits that protect strangers from our mails (rule I12). The organisation's own limit names
itself; those of an address only say "later", so that they tell nothing of other organisations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from webapp.models import Account, Invitation, OutboxMessage

DAY = timedelta(hours=24)
MAILS_TO_AN_ADDRESS = 3
ORGANISATIONS_TO_AN_ADDRESS = 5
MENDED_A_DAY = 3


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
    return email in resting([email], account, now)


def resting(emails: Sequence[str], account: Account, now: datetime) -> set[str]:
    """Those of a few hundred addresses that have had enough invitations for now, or reported one
    of this organisation's: it is told the same of both."""
    i, week = Invitation, timedelta(days=7)
    mailed: Any = (
        OutboxMessage.select(i.email)
        .join(i)
        .where(
            i.email.in_(emails),
            OutboxMessage.kind == "mail:invitation",
            OutboxMessage.created_at > now - DAY,
            # What went to the address before it was mended, and not to this one.
            i.mended_at.is_null() | (OutboxMessage.created_at >= i.mended_at),
            OutboxMessage.canceled_at.is_null(),
        )
        .group_by(i.email)
        .having(fn.COUNT(OutboxMessage.id) >= MAILS_TO_AN_ADDRESS)
    )
    asked: Any = (
        i.select(i.email)
        .where(i.email.in_(emails), i.account != account, i.created_at > now - week)
        .group_by(i.email)
        .having(fn.COUNT(fn.DISTINCT(i.account)) >= ORGANISATIONS_TO_AN_ADDRESS)
    )
    reported: Any = i.select(i.email).where(
        i.email.in_(emails), i.account == account, i.reported_at.is_null(False)
    )
    return {row[0] for query in (mailed, asked, reported) for row in query.tuples()}


def had_enough(email: str, now: datetime) -> bool:
    """Has this address had so many mails, reminders counted, that one more reminder is too much?"""
    mails = (
        OutboxMessage.select()
        .join(Invitation)
        .where(
            Invitation.email == email,
            OutboxMessage.kind.in_(("mail:invitation", "mail:reminder")),
            OutboxMessage.created_at > now - DAY,
            OutboxMessage.canceled_at.is_null(),
        )
    )
    return int(mails.count()) >= MAILS_TO_AN_ADDRESS


@dataclass(frozen=True, slots=True)
class Schedule:
    """How many of some invitations go out at once, and (instant, how many) of the following days.
    `never` is for an organisation that may invite nobody."""

    at_once: int
    later: tuple[tuple[datetime, int], ...] = ()
    never: bool = False

    @property
    def ends_at(self) -> datetime | None:
        return self.later[-1][0] if self.later else None


def schedule(account: Account, count: int, now: datetime) -> Schedule:
    """When `count` invitations go out, if nobody of the organisation invites anybody else."""
    at_once = min(count, left_today(account, now))
    per_day, rest = int(account.invitations_per_day), count - at_once
    if rest and not per_day:
        return Schedule(at_once, never=True)
    first, days = day_ends_at(account, now), -(-rest // max(per_day, 1))
    later = (
        (first + DAY * number, min(per_day, rest - per_day * number)) for number in range(days)
    )
    return Schedule(at_once, tuple(later))
