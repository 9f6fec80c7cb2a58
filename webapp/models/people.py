"""The people of an organisation as its admins see them: members and invitations in one list,
sorted and paged by key. Rows are plain tuples of what is shown; nothing here is saved."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from peewee import SQL

from webapp.database import InstantField
from webapp.models import search
from webapp.models.acceptance import Acceptance
from webapp.models.account import Account
from webapp.models.invitation import Invitation
from webapp.models.people_count import numbers, states
from webapp.models.user import ERASED, Membership, User
from webapp.models.written import fetch_one, rows_of

PAGE = 50
FILTERS = ("active", "pending", "attention", "expired", "refused", "declined", "revoked")
SORTS = ("-since", "since", "name", "-name")

Key = tuple[datetime | str, str, int]


class Person(NamedTuple):
    """A row of the list. `kind` is "member" or "invitation"; `since` is when the person joined,
    or was invited last; `folded` is what names sort by."""

    kind: str
    id: int
    name: str
    email: str
    roles: tuple[str, ...]
    licence: str
    department: str
    job_title: str
    status: str
    delivery: str
    note: str
    since: datetime
    folded: str
    expires_at: datetime | None = None
    next_try_at: datetime | None = None
    inviter_id: int | None = None
    inviter: str = ""

    def key(self, sort: str) -> Key:
        return (self.folded if sort.endswith("name") else self.since, self.kind, self.id)

    @property
    def is_waiting(self) -> bool:
        """Could it be resent, changed or cancelled?"""
        return self.status in ("pending", "expired", "refused")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is asked for. Empty means any; `after` and `until` are the keys between which
    people are shown, the latter one included."""

    q: str = ""
    status: str = ""
    role: str = ""
    licence: str = ""
    department: str = ""
    inviter: int | None = None
    sort: str = "-since"
    after: Key | None = None
    until: Key | None = None

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def narrowed(self) -> dict[str, Any]:
        """The filters in force, by the name that they have in the address bar."""
        names = ("role", "licence", "department", "inviter")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    @property
    def shown(self) -> dict[str, Any]:
        """All that the address bar says of the list."""
        said = {"status": self.status, "q": self.q, **self.narrowed}
        said["sort"] = "" if self.sort == SORTS[0] else self.sort
        return {name: value for name, value in said.items() if value}


def page(
    account: Account, asked: Asked, now: datetime, most: int = PAGE
) -> tuple[list[Person], bool]:
    """At most `most` people between the keys, and whether there are more there."""
    found: list[Person] = []
    if asked.status in ("", "active"):
        found += _members(account, asked, most)
    if asked.status != "active":
        found += _invited(account, asked, now, most)
    found.sort(key=lambda person: person.key(asked.sort), reverse=asked.is_descending)
    return found[:most], len(found) > most


def _members(account: Account, asked: Asked, most: int) -> Iterator[Person]:
    m, u = Membership, User
    here = search.among(m, account, asked.q)
    if here is None:
        return
    query = (
        m.select(
            m.id, u.name, u.email, m.is_owner, m.is_admin, m.is_finance, m.licence,
            m.department, m.job_title, m.joined_at, m.folded,
        )
        .join(u)
        .where(here, m.ended_at.is_null())
    )  # fmt: skip
    if asked.inviter:
        query = query.where(m.id.in_(_invited_by(account, asked.inviter)))
    query = _spanned(holding(query, m, asked), m, m.joined_at, "member", asked, most)
    for row in rows_of(query):
        id, name, email, is_owner, is_admin, is_finance, licence, department, title = row[:9]
        roles = ("owner",) if is_owner else _roles(is_admin, is_finance)
        yield Person(
            "member", id, name, email, roles, licence, department, title, "active", "", "",
            _instant(row[9]), row[10],
        )  # fmt: skip


_instant: Any = InstantField().python_value


def _invited_by(account: Account, inviter: int) -> Any:
    """The memberships that began with an invitation of this person."""
    return (
        Acceptance.select(Acceptance.membership)
        .join(Invitation)
        .where(Invitation.account == account, Invitation.inviter == inviter)
    )


def _invited(account: Account, asked: Asked, now: datetime, most: int) -> Iterator[Person]:
    i, u = Invitation, User
    here = search.among(i, account, asked.q)
    if here is None:
        return
    query = (
        i.select(
            i.id, i.name, i.email, i.is_admin, i.is_finance, i.licence, i.department,
            i.job_title, i.status, i.delivery, i.delivery_note, i.decline_reason,
            i.created_at, i.folded, i.expires_at, i.next_try_at, u.id, u.name, u.email,
        )
        .join(u)
        .where(here, in_status("", now))
        .where(in_status(asked.status, now))
    )  # fmt: skip
    if asked.inviter:
        query = query.where(i.inviter == asked.inviter)
    query = _spanned(holding(query, i, asked), i, i.created_at, "invitation", asked, most)
    for row in rows_of(query):
        id, name, email, is_admin, is_finance, licence, department, title = row[:8]
        status, delivery, server_note, reason, since, key = row[8:14]
        expires_at, next_try_at = map(_instant, row[14:16])
        if status == "pending":
            status = _shown(expires_at, delivery, now)
        note = reason if status == "declined" else server_note
        yield Person(
            "invitation", id, name, email, _roles(is_admin, is_finance), licence, department, title,
            status, delivery, note, _instant(since), key, expires_at, next_try_at, row[16],
            row[17] or row[18],
        )  # fmt: skip


def of_invitation(invitation: Invitation, now: datetime) -> Person:
    """The row of one invitation."""
    i = invitation
    note = i.decline_reason if i.status == "declined" else i.delivery_note
    return Person(
        "invitation", i.id, i.name, i.email, i.roles, i.licence, i.department, i.job_title,
        i.shown_status(now), i.delivery, note, i.created_at, i.folded, i.expires_at, i.next_try_at,
        i.inviter_id, i.inviter.shown_name,
    )  # fmt: skip


def _shown(expires_at: datetime, delivery: str, now: datetime) -> str:
    if expires_at <= now:
        return "expired"
    return "refused" if delivery == "refused" else "pending"


def _roles(is_admin: bool, is_finance: bool) -> tuple[str, ...]:
    held = (("admin", is_admin), ("finance", is_finance))
    return tuple(name for name, has in held if has) or ("member",)


def holding(query: Any, model: Any, asked: Asked) -> Any:
    """Those of the query whom the search and the filters find; states and inviters apart."""
    for needle in search.needles(asked.q):
        query = query.where(search.holds(model, needle))
    if asked.department:
        query = query.where(model.department == asked.department)
    if asked.licence:
        query = query.where(model.licence == asked.licence)
    if asked.role == "owner":
        return query.where(model.is_owner if model is Membership else SQL("1 = 0"))
    if asked.role == "admin":
        return query.where(model.is_admin)
    if asked.role == "finance":
        return query.where(model.is_finance)
    if asked.role == "member":
        query = query.where(~model.is_admin, ~model.is_finance)
        return query.where(~model.is_owner) if model is Membership else query
    return query


def _spanned(query: Any, model: Any, at: Any, kind: str, asked: Asked, most: int) -> Any:
    """Sorted, between the keys, and one more than `most`: an index range, never an OFFSET."""
    column, down = model.folded if asked.sort.endswith("name") else at, asked.is_descending
    if asked.after is not None:
        query = query.where(_beyond(asked.after, column, model.id, kind, down))
    if asked.until is not None:
        query = query.where(_beyond(asked.until, column, model.id, kind, not down, itself=True))
    order = (column.desc(), model.id.desc()) if down else (column.asc(), model.id.asc())
    return query.order_by(*order).limit(most + 1)


def _beyond(key: Key, column: Any, id: Any, kind: str, down: bool, itself: bool = False) -> Any:
    """Rows of `kind` that come after `key` in (column, kind, id), going down or up."""
    value, other, number = key
    reached = column <= value if down else column >= value
    passed = column < value if down else column > value
    if kind != other:
        return reached if (kind < other) == down else passed
    further = id < number if down else id > number
    return reached & (passed | further | (id == number if itself else SQL("1 = 0")))


def in_status(status: str, now: datetime) -> Any:
    """The condition on invitations of a filter of the list; accepted ones are members."""
    i = Invitation
    each = states(now)
    conditions = {
        "": (i.status != "accepted") & ~i.email.endswith(ERASED),
        "attention": each["expired"] | each["refused"] | each["declined"],
        **each,
    }
    return conditions.get(status, i.status == status)


def pending_count(account: Account, now: datetime) -> int:
    """The number of the badge: invitations that wait for an answer."""
    return numbers(account, now).pending


def counts(account: Account, now: datetime) -> dict[str, int]:
    """How many are behind each tab, whatever is searched for."""
    found = numbers(account, now)
    return {name: getattr(found, name) for name in FILTERS}


def seats_used(account: Account) -> int:
    kept = fetch_one("SELECT licensed FROM people_count WHERE account_id = ?", account.id)
    return int(kept[0]) if kept else 0
