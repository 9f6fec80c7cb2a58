"""Users (people who sign in), their memberships in accounts, and their sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import SQL, BooleanField, Check, ForeignKeyField, IntegerField, TextField

from webapp.database import BaseModel, FoldedField, InstantField, as_instant
from webapp.models import written
from webapp.models.account import Account
from webapp.texts import folded

# The end of what stands in the place of an address that was erased: nobody's, by RFC 2606.
ERASED = "@erased.invalid"


def is_erased(name: str) -> bool:
    """Is that, as `shown_name` tells it, of whom nothing is left to tell?"""
    return name.endswith(ERASED)


class User(BaseModel):
    """`email` is the address as mailed: ASCII letters in lower case, the domain in IDNA form.
    `folded` is name and address without accents and case, for searching. Of a person who was
    erased the row stays, so that documents and events keep whose they are, and tells nothing.
    `wants_digest`: the monthly mail to whoever looks after an account's money."""

    email = TextField(unique=True)
    name = TextField(default="")
    password_hash = TextField(null=True)
    locale = TextField()
    folded = TextField(default="")
    created_at = InstantField()
    verified_at = InstantField(null=True)
    erased_at = InstantField(null=True)
    wants_digest = BooleanField(default=True)

    class Meta:
        table_name = "user_"  # `user` is a reserved word in SQL
        constraints = [
            Check("email = lower(email)", name="user_email"),
            Check("locale IN ('fr', 'en')", name="user_locale"),
        ]

    @property
    def shown_name(self) -> str:
        return str(self.name or self.email)

    @property
    def known_email(self) -> str:
        return "" if is_erased(self.email) else str(self.email)

    def membership(self) -> "Membership | None":
        found: Membership | None = (
            Membership.select(Membership, Account)
            .join(Account)
            .where(Membership.user == self, Membership.ended_at.is_null())
            .first()
        )
        return found


class Membership(BaseModel):
    """A user in an account. No flag set is a plain member; an owner has every right there.
    `folded` is name, address and department, by which the users list searches and sorts."""

    user_id: int
    user = ForeignKeyField(User, backref="memberships", index=False)
    account_id: int
    account = ForeignKeyField(Account, backref="memberships", index=False)
    is_owner = BooleanField(default=False)
    is_admin = BooleanField(default=False)
    is_finance = BooleanField(default=False)
    licence = TextField(default="basic")
    department = TextField(default="")
    job_title = TextField(default="")
    location = TextField(default="")
    folded = FoldedField(default="")
    joined_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check("licence IN ('basic', 'licensed')", name="membership_licence"),
            Check("ended_at IS NULL OR ended_at >= joined_at", name="membership_ended"),
        ]

    def save(self, *args: Any, **options: Any) -> Any:
        if not self.folded:
            self.folded = folded(self.user.name, self.user.email, self.department)
        return super().save(*args, **options)

    @property
    def roles(self) -> tuple[str, ...]:
        if self.is_owner:
            return ("owner",)
        held = (("admin", self.is_admin), ("finance", self.is_finance))
        return tuple(name for name, has in held if has) or ("member",)

    @property
    def is_inviting(self) -> bool:
        """May this person, as things stand, invite into the account (rule I1)?"""
        return bool(self.ended_at is None and (self.is_owner or self.is_admin))

    def end(self, at: datetime) -> bool:
        statement, values = self.ending(at)
        return bool(written.change(statement, *values))

    def ending(self, at: datetime) -> written.Change:
        # A clock that went back, or another machine's, must keep nobody from leaving.
        statement = """
            UPDATE membership SET ended_at = CASE WHEN joined_at > ? THEN joined_at ELSE ? END
             WHERE id = ? AND ended_at IS NULL
        """
        return statement, (as_instant(at), as_instant(at), self.id)


Membership.add_index(
    SQL("CREATE UNIQUE INDEX membership_one_active ON membership (user_id) WHERE ended_at IS NULL")
)
Membership.add_index(
    SQL(
        "CREATE INDEX membership_newest ON membership (account_id, joined_at, id, folded)"
        " WHERE ended_at IS NULL"
    )
)
Membership.add_index(
    SQL(
        "CREATE INDEX membership_named ON membership (account_id, folded, id)"
        " WHERE ended_at IS NULL"
    )
)
Membership.add_index(
    SQL(
        "CREATE INDEX membership_department ON membership (account_id, department)"
        " WHERE ended_at IS NULL"
    )
)
Membership.add_index(
    SQL(
        "CREATE INDEX membership_licensed ON membership (account_id)"
        " WHERE ended_at IS NULL AND licence = 'licensed'"
    )
)
# Where a person was before.
Membership.add_index(SQL("CREATE INDEX membership_of_user ON membership (user_id, ended_at)"))


def members_among(account: Account, emails: Sequence[str]) -> set[str]:
    """Those of the addresses that are a member's here."""
    statement = f"""
        SELECT given.value FROM {written.given_texts()}
         WHERE (SELECT account_id FROM membership
                 WHERE user_id = (SELECT id FROM user_ WHERE email = given.value)
                   AND ended_at IS NULL) = ?
    """  # nosec B608 # our names
    rows = written.fetch_planned(statement, written.texts_given(emails), account.id)
    return {row[0] for row in rows}


class Session(BaseModel):
    """A signed-in browser. The cookie holds the token, the row only its SHA-256. `needs_factor`:
    it began without the second factor that is asked of this person, who sets one up first."""

    token_hash = TextField(unique=True)
    user_id: int
    user = ForeignKeyField(User, backref="sessions")
    agent = TextField(default="")
    needs_factor = BooleanField(default=False)
    created_at = InstantField()
    last_seen_at = InstantField()
    proven_at = InstantField()
    expires_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        table_name = "session_"


class SignInCode(BaseModel):
    """A mailed code of six digits, for one address in one browser: ten minutes, five tries. The
    code is drawn when its mail is written, and kept nowhere; until then `code_hash` is empty."""

    email = TextField(index=True)
    browser_hash = TextField()
    code_hash = TextField(default="")
    purpose = TextField(default="sign-in")
    created_at = InstantField()
    expires_at = InstantField()
    tries = IntegerField(default=0)
    used_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check("tries BETWEEN 0 AND 5", name="sign_in_code_tries"),
            Check("purpose IN ('sign-in', 'password')", name="sign_in_code_purpose"),
        ]


class Guess(BaseModel):
    """How often `key` was tried wrongly in a row, and when last; see actions/guesses.py."""

    key = TextField(unique=True)
    count = IntegerField()
    last_at = InstantField()

    class Meta:
        constraints = [Check("count >= 0", name="guess_count")]


class Throttle(BaseModel):
    """How often something was tried by `key` in the window that began at `window_at`."""

    key = TextField()
    window_at = InstantField()
    count = IntegerField()

    class Meta:
        indexes = ((("key", "window_at"), True),)
