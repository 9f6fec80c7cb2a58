"""Audit events, written in the transaction of what they tell."""

from typing import Any

from peewee import SQL, Value

from webapp import clock
from webapp.models import AuditEvent, Invitation, Membership


def record(
    by: Membership | None, kind: str, subject: str, account: int | None = None, **facts: Any
) -> None:
    """Who did what to which row: `kind` in past tense, `subject` such as `invitation:12`."""
    AuditEvent.create(
        at=clock.now(),
        account=by.account_id if by is not None else account,
        actor=by.user_id if by is not None else None,
        kind=kind,
        subject=subject,
        facts=facts,
    )


def record_sent(wanted: Any) -> None:
    """That the invitations which a condition names were sent, in the moment of their writing."""
    i, e = Invitation, AuditEvent
    rows = i.select(
        *(i.created_at, i.account, i.inviter, Value("invitation:sent")),
        *(SQL("'invitation:' || id"), SQL("'{}'")),
    )
    e.insert_from(
        rows.where(wanted).order_by(i.id), [e.at, e.account, e.actor, e.kind, e.subject, e.facts]
    ).execute()
