"""How many people an organisation has of each kind: kept by the database's triggers in the
transaction that changes them, so that nobody counts a hundred thousand rows to show a number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from peewee import Case, ForeignKeyField, IntegerField, fn

from webapp.database import BaseModel, InstantField, as_instant
from webapp.models.account import Account
from webapp.models.invitation import Invitation
from webapp.models.user import ERASED, Membership
from webapp.models.written import fetch_one

INVITED = ("pending", "refused", "expired", "declined", "revoked")
KEPT = ("active", "licensed", *INVITED)
# How many columns `kept_columns` has.
WIDTH = len(KEPT) + 3


class PeopleCount(BaseModel):
    """Begins with the organisation. An invitation expires without anybody doing anything, so the
    row holds what was so `as_of` an instant; what expired since is counted from its index, and a
    worker moves the instant on now and then (`actions/people_counts.py`)."""

    account_id: int
    account = ForeignKeyField(Account, primary_key=True)
    active = IntegerField()
    licensed = IntegerField()
    pending = IntegerField()
    refused = IntegerField()
    expired = IntegerField()
    declined = IntegerField()
    revoked = IntegerField()
    as_of = InstantField()

    id = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Numbers:
    """`active` members, `licensed` ones among them; invitations by what the list shows of them."""

    active: int = 0
    licensed: int = 0
    pending: int = 0
    refused: int = 0
    expired: int = 0
    declined: int = 0
    revoked: int = 0

    @property
    def attention(self) -> int:
        return self.expired + self.refused + self.declined

    @property
    def people(self) -> int:
        """About how many rows the list has."""
        return self.active + self.pending + self.attention + self.revoked


@cache
def kept_columns() -> str:
    """What is kept in a row `c`, and how many of the pending and the refused expired since; two
    values, both of them now."""
    since = """
        (SELECT COUNT(*) FROM invitation
          WHERE account_id = c.account_id AND status = 'pending' AND delivery {} 'refused'
            AND expires_at > c.as_of AND expires_at <= ?)
    """
    columns = ", ".join(f"c.{name}" for name in KEPT)
    return f"{columns}, c.as_of, {since.format('<>')}, {since.format('=')}"  # nosec B608 # our names


def numbers(account: Account, now: datetime) -> Numbers:
    """Those of an organisation at `now`; one small query."""
    at = as_instant(now)
    statement = f"SELECT {kept_columns()} FROM people_count c WHERE c.account_id = ?"  # nosec B608 # our names
    row = fetch_one(statement, at, at, account.id)
    return counted(account, now) if row is None else numbers_of(row, account, now)


def numbers_of(row: Sequence[Any], account: Account, now: datetime) -> Numbers:
    """Those of a row that ends with `kept_columns`."""
    *kept, since, pending, refused = row[-WIDTH:]
    as_of = PeopleCount.as_of.python_value(since)
    if as_of is None or as_of > now:
        return counted(account, now)
    found = dict(zip(KEPT, kept, strict=True))
    found["pending"] -= pending
    found["refused"] -= refused
    found["expired"] += pending + refused
    return Numbers(**found)


def counted(account: Account, now: datetime) -> Numbers:
    """The same from the rows themselves."""
    m = Membership
    members: Any = m.select(fn.COUNT(m.id), fn.SUM(Case(None, [(m.licence == "licensed", 1)], 0)))
    each = [fn.SUM(Case(None, [(is_so, 1)], 0)) for is_so in states(now).values()]
    invited: Any = Invitation.select(*each).where(
        Invitation.account == account, ~Invitation.email.endswith(ERASED)
    )
    row = members.where(m.account == account, m.ended_at.is_null()).tuples().get()
    row += invited.tuples().get()
    return Numbers(*(int(number or 0) for number in row))


def states(now: datetime) -> dict[str, Any]:
    """The condition on invitations of each of INVITED."""
    i = Invitation
    is_waiting, is_over = i.status == "pending", i.expires_at <= now
    return {
        "pending": is_waiting & ~is_over & (i.delivery != "refused"),
        "refused": is_waiting & ~is_over & (i.delivery == "refused"),
        "expired": is_waiting & is_over,
        "declined": i.status == "declined",
        "revoked": i.status == "revoked",
    }
