"""Files of people to invite: the file, and each of its rows with what became of it."""

from typing import Any

from peewee import (
    SQL,
    BlobField,
    BooleanField,
    Check,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from webapp.database import BaseModel, InstantField, JSONTextField
from webapp.models.account import Account
from webapp.models.invitation import Invitation
from webapp.models.user import User


class Upload(BaseModel):
    """`status` is draft (nothing was sent), sending, waiting (its inviter may not invite just
    now), done or canceled. `columns` says which column of the file holds what; empty while nobody
    knows. `content` is the compressed file, kept only as long as its columns can be chosen anew.
    Of the `confirmed` rows, `sent` went out and `unsent` could not after all; `sent_to` is the
    last line that was dealt with."""

    account_id: int
    account = ForeignKeyField(Account, backref="uploads", index=False)
    inviter_id: int
    inviter = ForeignKeyField(User, backref="+", index=False)
    name = TextField()
    status = TextField(default="draft")
    headings = JSONTextField(default=list)
    columns = JSONTextField(default=dict)
    content = BlobField(null=True)
    licence = TextField()
    role = TextField()
    locale = TextField()
    note = TextField(default="")
    total = IntegerField(default=0)
    confirmed = IntegerField(default=0)
    sent = IntegerField(default=0)
    unsent = IntegerField(default=0)
    sent_to = IntegerField(default=0)
    created_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check(
                "status IN ('draft', 'sending', 'waiting', 'done', 'canceled')",
                name="upload_status",
            ),
            Check("(status IN ('done', 'canceled')) = (ended_at IS NOT NULL)", name="upload_ended"),
            Check("licence IN ('basic', 'licensed')", name="upload_licence"),
            Check("role IN ('member', 'finance', 'admin')", name="upload_role"),
            Check("locale IN ('fr', 'en')", name="upload_locale"),
            Check(
                "0 <= sent AND 0 <= unsent AND sent + unsent <= confirmed AND confirmed <= total",
                name="upload_counts",
            ),
        ]

    @classmethod
    def light(cls) -> Any:
        """A query for all but the content, which is large and seldom wanted."""
        return cls.select(*(each for each in cls._meta.sorted_fields if each.name != "content"))

    @property
    def is_draft(self) -> bool:
        return bool(self.status == "draft")

    @property
    def left(self) -> int:
        """How many confirmed rows still have to go out."""
        return int(self.confirmed - self.sent - self.unsent)

    @property
    def is_under_way(self) -> bool:
        return bool(self.status in ("sending", "waiting"))


Upload.add_index(SQL("CREATE INDEX upload_newest ON upload (account_id, id)"))


class UploadRow(BaseModel):
    """One line of the file. `verdict` is ready, or why it is not: repeated, malformed, member,
    invited, later, admin (only an owner invites one); sent once its invitation is written. Empty
    licence, role and locale are the upload's."""

    upload_id: int
    upload = ForeignKeyField(Upload, backref="rows", index=False, on_delete="CASCADE")
    line = IntegerField()
    email = TextField()
    name = TextField()
    department = TextField()
    job_title = TextField()
    location = TextField()
    licence = TextField()
    role = TextField()
    locale = TextField()
    verdict = TextField()
    is_mended = BooleanField(default=False)
    invitation_id: int | None
    invitation = ForeignKeyField(Invitation, backref="+", null=True, index=False)

    class Meta:
        indexes = ((("upload", "line"), True), (("upload", "verdict", "line"), False))
        constraints = [
            Check(
                "verdict IN ('ready', 'repeated', 'malformed', 'member', 'invited', 'later',"
                " 'admin', 'sent')",
                name="upload_row_verdict",
            ),
            Check("(verdict = 'sent') = (invitation_id IS NOT NULL)", name="upload_row_sent"),
        ]
