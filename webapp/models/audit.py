"""Audit events: who did what, when; a trigger refuses update and delete."""

from peewee import SQL, ForeignKeyField, TextField

from webapp.database import BaseModel, InstantField, JSONTextField
from webapp.models.account import Account
from webapp.models.user import User


class AuditEvent(BaseModel):
    """`kind` is past tense, such as `invitation:revoked`; `subject` names a row, such as
    `invitation:12`. Personal data is referenced, never copied, so that it can be erased."""

    at = InstantField()
    account_id: int | None
    account = ForeignKeyField(Account, backref="+", null=True, index=False)
    actor_id: int | None
    actor = ForeignKeyField(User, backref="+", null=True, index=False)
    kind = TextField()
    subject = TextField()
    facts = JSONTextField(default=dict)


AuditEvent.add_index(SQL("CREATE INDEX audit_event_account ON audit_event (account_id, at, id)"))
AuditEvent.add_index(SQL("CREATE INDEX audit_event_subject ON audit_event (subject, id)"))
