"""Audit events, written in the transaction of what they tell."""

from collections.abc import Sequence
from typing import Any

from webapp import clock
from webapp.models import AuditEvent, Membership


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


def record_all(by: Membership, kind: str, subjects: Sequence[str]) -> None:
    """The same done by one person to many rows."""
    event = {"at": clock.now(), "account": by.account_id, "actor": by.user_id, "kind": kind}
    AuditEvent.insert_many([{**event, "subject": each, "facts": {}} for each in subjects]).execute()
