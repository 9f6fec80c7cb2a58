"""Keeping what the triggers count near to now: an invitation expires without a change of itself."""

from datetime import datetime
from typing import Any

from peewee import fn

from webapp.database import locked, transaction
from webapp.models import Invitation, PeopleCount
from webapp.models.people_count import states


def move_on(now: datetime) -> int:
    """Moves the counts of those organisations on whose invitations expired since; how many. Their
    numbers are right without it, only dearer the more expired."""
    due = [row[0] for row in _expired(now).tuples()]
    for account_id in due:
        with transaction():
            _move_on(account_id, now)
    return len(due)


def _expired(now: datetime) -> Any:
    c, i = PeopleCount, Invitation
    since = (
        (i.account == c.account)
        & (i.status == "pending")
        & (i.expires_at > c.as_of)
        & (i.expires_at <= now)
    )
    return c.select(c.account).where(c.as_of < now, fn.EXISTS(i.select(i.id).where(since)))


def _move_on(account_id: int, now: datetime) -> None:
    """The row first, which every change of an invitation updates: what is read after that holds
    all that is in the row, and nothing that is not."""
    row: PeopleCount = locked(PeopleCount.select().where(PeopleCount.account == account_id)).get()
    if row.as_of >= now:
        return
    i = Invitation
    since = i.select().where(
        i.account == account_id, states(now)["expired"], i.expires_at > row.as_of
    )
    refused = since.where(i.delivery == "refused").count()
    expired = since.count()
    PeopleCount.update(
        as_of=now,
        pending=row.pending - (expired - refused),
        refused=row.refused - refused,
        expired=row.expired + expired,
    ).where(PeopleCount.account == account_id).execute()
