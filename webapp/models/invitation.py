"""Invitations, and the links that were mailed for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import SQL, BooleanField, Check, ForeignKeyField, TextField

from webapp.database import BaseModel, FoldedField, InstantField, is_postgresql
from webapp.models.account import Account
from webapp.models.user import User
from webapp.models.written import fetch_all, fetch_planned, given_texts, texts_given

STATUSES = ("pending", "accepted", "declined", "revoked", "superseded")
DELIVERIES = ("queued", "sent", "deferred", "refused")


class Invitation(BaseModel):
    """`status` is what people did; *expired* is computed from `expires_at`. `delivery` is where
    the latest mail is, `delivery_note` the mail server's words about it. `told_at` is when the
    inviter was told of the answer; `remind_at` when the person is reminded next, unless they
    wanted no more reminders (`muted_at`); `mended_at` when the address was last corrected.
    `renewal_asked_at` and `seat_wanted_at` are what the invitee asked for last: a new link, and to
    be told of a free licence. `reported_at` is when the person reported it as unwanted, with
    `report` in their own words; `report_seen_at` when the operator had seen to that."""

    account_id: int
    account = ForeignKeyField(Account, backref="invitations", index=False)
    email = TextField()
    name = TextField(default="")
    department = TextField(default="")
    job_title = TextField(default="")
    location = TextField(default="")
    note = TextField(default="")
    locale = TextField()
    licence = TextField(default="basic")
    is_admin = BooleanField(default=False)
    is_finance = BooleanField(default=False)
    folded = FoldedField(default="")
    inviter_id: int
    inviter = ForeignKeyField(User, backref="+", index=False)
    created_at = InstantField()
    expires_at = InstantField()
    status = TextField(default="pending")
    answered_at = InstantField(null=True)
    decline_reason = TextField(default="")
    delivery = TextField(default="queued")
    delivery_note = TextField(default="")
    delivery_at = InstantField()
    next_try_at = InstantField(null=True)
    told_at = InstantField(null=True)
    remind_at = InstantField(null=True)
    muted_at = InstantField(null=True)
    mended_at = InstantField(null=True)
    renewal_asked_at = InstantField(null=True)
    seat_wanted_at = InstantField(null=True)
    reported_at = InstantField(null=True)
    report = TextField(default="")
    report_seen_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check(
                "status IN ('pending', 'accepted', 'declined', 'revoked', 'superseded')",
                name="invitation_status",
            ),
            Check("(status = 'pending') = (answered_at IS NULL)", name="invitation_answered"),
            Check("licence IN ('basic', 'licensed')", name="invitation_licence"),
            Check("locale IN ('fr', 'en')", name="invitation_locale"),
            Check(
                "delivery IN ('queued', 'sent', 'deferred', 'refused')",
                name="invitation_delivery",
            ),
            Check("email = lower(email)", name="invitation_email"),
        ]

    @property
    def roles(self) -> tuple[str, ...]:
        held = (("admin", self.is_admin), ("finance", self.is_finance))
        return tuple(name for name, has in held if has) or ("member",)

    @property
    def shown_name(self) -> str:
        return str(self.name or self.email)

    def is_expired(self, now: datetime) -> bool:
        return bool(self.status == "pending" and self.expires_at <= now)

    def is_live(self, now: datetime) -> bool:
        """Could it still be answered?"""
        return bool(self.status == "pending" and self.expires_at > now)

    def shown_status(self, now: datetime) -> str:
        """The word of the users list: a refused mail and an expired link need attention, and so
        come before the plain *pending*."""
        if self.status != "pending":
            return str(self.status)
        if self.is_expired(now):
            return "expired"
        return "refused" if self.delivery == "refused" else "pending"


Invitation.add_index(
    SQL(
        "CREATE UNIQUE INDEX invitation_one_pending ON invitation (account_id, email)"
        " WHERE status = 'pending'"
    )
)
Invitation.add_index(
    SQL(
        "CREATE INDEX invitation_pending ON invitation (account_id, expires_at)"
        " WHERE status = 'pending'"
    )
)
Invitation.add_index(
    SQL(
        "CREATE INDEX invitation_newest ON invitation"
        " (account_id, created_at, id, status, expires_at)"
    )
)
Invitation.add_index(
    SQL(
        "CREATE INDEX invitation_listed ON invitation (account_id, created_at, id, folded)"
        " WHERE status <> 'accepted'"
    )
)
Invitation.add_index(
    SQL(
        "CREATE INDEX invitation_named ON invitation (account_id, folded, id)"
        " WHERE status <> 'accepted'"
    )
)
Invitation.add_index(
    SQL("CREATE INDEX invitation_department ON invitation (account_id, department)")
)
Invitation.add_index(SQL("CREATE INDEX invitation_inviter ON invitation (account_id, inviter_id)"))
Invitation.add_index(
    SQL(
        "CREATE INDEX invitation_of_admin ON invitation (account_id, inviter_id)"
        " WHERE is_admin AND status = 'pending'"
    )
)
Invitation.add_index(
    SQL("CREATE INDEX invitation_pending_email ON invitation (email) WHERE status = 'pending'")
)
Invitation.add_index(SQL("CREATE INDEX invitation_recent ON invitation (email, created_at)"))
Invitation.add_index(
    SQL(
        "CREATE INDEX invitation_untold ON invitation (account_id, inviter_id)"
        " WHERE told_at IS NULL AND status IN ('accepted', 'declined')"
    )
)
Invitation.add_index(
    SQL(
        "CREATE INDEX invitation_remind ON invitation (remind_at)"
        " WHERE status = 'pending' AND remind_at IS NOT NULL"
    )
)
Invitation.add_index(
    SQL(
        "CREATE INDEX invitation_seat_wanted ON invitation (account_id)"
        " WHERE seat_wanted_at IS NOT NULL AND status = 'pending'"
    )
)
Invitation.add_index(
    SQL(
        "CREATE INDEX invitation_reported ON invitation (reported_at) WHERE reported_at IS NOT NULL"
    )
)


class InvitationLink(BaseModel):
    """A mailed link. The token is drawn when the mail is written and kept nowhere; the row holds
    its SHA-256. A link that a resend replaced stays, to say that a newer one was mailed."""

    token_hash = TextField(unique=True)
    invitation_id: int
    invitation = ForeignKeyField(Invitation, backref="links")
    created_at = InstantField()
    replaced_at = InstantField(null=True)


def pending_from(account: Account) -> Any:
    """The condition on invitations whose addresses are named besides. The account is hidden: while
    PostgreSQL has no statistics, it would as soon read all of the account's for each address."""
    return (Invitation.account + SQL("0") == account.id) & (Invitation.status == "pending")


def pending_among(account: Account, emails: Sequence[str]) -> dict[str, int]:
    """Those of the addresses that have a pending invitation from here, with its id. The account is
    hidden as in `pending_from`."""
    statement = f"""
        SELECT given.value, (SELECT id FROM invitation WHERE email = given.value
                                AND account_id + 0 = ? AND status = 'pending')
          FROM {given_texts()}
    """  # nosec B608 # our names
    rows = fetch_planned(statement, account.id, texts_given(emails))
    return {email: id for email, id in rows if id is not None}


def invited_among(emails: Sequence[str]) -> list[str]:
    """Those of the addresses that were ever invited, from anywhere. Most of a file's were not, and
    without statistics PostgreSQL takes what is asked of the others for so much work that it
    compiles it first, which takes longer."""
    statement = f"""
        SELECT given.value FROM {given_texts()}
         WHERE (SELECT MAX(created_at) FROM invitation WHERE email = given.value) IS NOT NULL
    """  # nosec B608 # our names
    return [row[0] for row in fetch_planned(statement, texts_given(emails))]


def pending_of_admins(account: Account) -> list[tuple[int, int, datetime]]:
    """Those that would make administrators: id, inviter and end. They are few, and SQLite does not
    believe that of an index which its statistics have never seen a row in."""
    index = "" if is_postgresql() else "INDEXED BY invitation_of_admin"
    rows = fetch_all(
        f"SELECT id, inviter_id, expires_at FROM invitation {index}"  # nosec B608 # a name of ours
        " WHERE account_id = ? AND is_admin AND status = 'pending'",
        account.id,
    )
    instant: Any = Invitation.expires_at.python_value
    return [(id, inviter, instant(ends_at)) for id, inviter, ends_at in rows]
