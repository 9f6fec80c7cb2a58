"""Limits that protect strangers from our mails (rule I12). The organisation's own limit names
itself; those of an address only say "later", so that they tell nothing of other organisations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.database import as_instant
from webapp.models import Account, Invitation, OutboxMessage
from webapp.models.invitation import invited_among
from webapp.models.written import fetch_planned, given_texts, texts_given

DAY = timedelta(hours=24)
MAILS_TO_AN_ADDRESS = 3
ORGANISATIONS_TO_AN_ADDRESS = 5
MENDED_A_DAY = 3

# What went out before an address was mended went to another one. The account is hidden as in
# `pending_from`.
_RESTING = """
SELECT given.value FROM {}
WHERE (SELECT SUM((SELECT COUNT(*) FROM outbox_message m
                    WHERE m.invitation_id = i.id AND m.kind = 'mail:invitation' AND m.created_at > ?
                      AND (i.mended_at IS NULL OR m.created_at >= i.mended_at)
                      AND m.canceled_at IS NULL))
         FROM invitation i WHERE i.email = given.value) >= ?
   OR (SELECT COUNT(DISTINCT i.account_id) FROM invitation i
        WHERE i.email = given.value AND i.account_id <> ? AND i.created_at > ?) >= ?
   OR (SELECT COUNT(*) FROM invitation i
        WHERE i.email = given.value AND i.account_id + 0 = ? AND i.reported_at IS NOT NULL) > 0
"""


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
    """Those of the addresses that have had enough invitations for now, or reported one
    of this organisation's: it is told the same of both."""
    day, week = as_instant(now - DAY), as_instant(now - timedelta(days=7))
    rows = fetch_planned(
        _RESTING.format(given_texts()),
        *(texts_given(invited_among(emails)), day, MAILS_TO_AN_ADDRESS),
        *(account.id, week, ORGANISATIONS_TO_AN_ADDRESS, account.id),
    )
    return {row[0] for row in rows}


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
