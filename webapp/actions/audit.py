"""Audit events, written in the transaction of what they tell."""

from typing import Any

from peewee import SQL, Value

from webapp import clock
from webapp.database import as_instant
from webapp.models import AuditEvent, Invitation, Membership, written

_RECORD = """
INSERT INTO audit_event (at, account_id, actor_id, kind, subject, facts)
VALUES (?, ?, ?, ?, ?, ?)"""
_as_kept: Any = AuditEvent.facts.db_value


def record(
    by: Membership | None, kind: str, subject: str, account: int | None = None, **facts: Any
) -> None:
    """Who did what to which row: `kind` in past tense, `subject` such as `invitation:12`."""
    at, actor = (account, None) if by is None else (by.account_id, by.user_id)
    statement, values = recording(at, actor, kind, subject, **facts)
    written.change(statement, *values)


def recording(
    account: int | None, actor: int | None, kind: str, subject: str, **facts: Any
) -> written.Change:
    """The same, for whoever changes more with it."""
    values = (as_instant(clock.now()), account, actor, kind, subject, _as_kept(facts))
    return _RECORD, values


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
