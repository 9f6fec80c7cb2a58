"""The people of an organisation as its admins see them: members and invitations in one list,
newest first, paged by key. Rows are plain tuples of what is shown; nothing here is saved."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import SQL, fn

from webapp.models.account import Account
from webapp.models.invitation import Invitation
from webapp.models.user import Membership, User
from webapp.texts import folded

PAGE = 50
FILTERS = ("active", "pending", "attention", "expired", "refused", "declined", "revoked")


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the list. `kind` is "member" or "invitation"; `since` is when the person joined,
    or was invited last."""

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
    expires_at: datetime | None = None
    next_try_at: datetime | None = None

    @property
    def key(self) -> tuple[datetime, str, int]:
        return (self.since, self.kind, self.id)

    @property
    def cursor(self) -> str:
        return f"{self.since.timestamp():.6f}~{self.kind}~{self.id}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is asked for. Empty means any."""

    q: str = ""
    status: str = ""
    role: str = ""
    licence: str = ""
    after: tuple[datetime, str, int] | None = None


def page(account: Account, asked: Asked, now: datetime) -> tuple[list[Person], bool]:
    """At most PAGE people after `asked.after`, and whether there are more."""
    found: list[Person] = []
    if asked.status in ("", "active"):
        found += _members(account, asked)
    if asked.status != "active":
        found += _invited(account, asked, now)
    found.sort(key=lambda person: person.key, reverse=True)
    return found[:PAGE], len(found) > PAGE


def _words(query: Any, column: Any, q: str) -> Any:
    for word in folded(q).split():
        query = query.where(column.contains(word))
    return query


def _before(query: Any, at: Any, id: Any, kind: str, asked: Asked) -> Any:
    """Keyset paging: rows that sort after the cursor in (since, kind, id), newest first."""
    if asked.after is None:
        return query
    since, after_kind, after_id = asked.after
    if kind == after_kind:
        later = (at < since) | ((at == since) & (id < after_id))
    else:
        later = at <= since if kind < after_kind else at < since
    return query.where((at <= since) & later)


def _members(account: Account, asked: Asked) -> Iterator[Person]:
    m, u = Membership, User
    query = (
        m.select(
            m.id, u.name, u.email, m.is_owner, m.is_admin, m.is_finance, m.licence,
            m.department, m.job_title, m.joined_at,
        )
        .join(u)
        .where(m.account == account, m.ended_at.is_null())
        .order_by(m.joined_at.desc(), m.id.desc())
        .limit(PAGE + 1)
    )  # fmt: skip
    query = _words(query, u.folded.concat(" ").concat(fn.LOWER(m.department)), asked.q)
    query = _holding(query, m, asked)
    for row in _before(query, m.joined_at, m.id, "member", asked).tuples():
        id, name, email, is_owner, is_admin, is_finance, licence, department, title, since = row
        roles = ("owner",) if is_owner else _roles(is_admin, is_finance)
        yield Person(
            "member", id, name, email, roles, licence, department, title, "active", "", "", since
        )


def _invited(account: Account, asked: Asked, now: datetime) -> Iterator[Person]:
    i = Invitation
    query = (
        i.select(
            i.id, i.name, i.email, i.is_admin, i.is_finance, i.licence, i.department,
            i.job_title, i.status, i.delivery, i.delivery_note, i.decline_reason,
            i.created_at, i.expires_at, i.next_try_at,
        )
        .where(i.account == account, in_status(asked.status, now))
        .order_by(i.created_at.desc(), i.id.desc())
        .limit(PAGE + 1)
    )  # fmt: skip
    query = _holding(_words(query, i.folded, asked.q), i, asked)
    for row in _before(query, i.created_at, i.id, "invitation", asked).tuples():
        id, name, email, is_admin, is_finance, licence, department, title = row[:8]
        status, delivery, server_note, reason, since, expires_at, next_try_at = row[8:]
        if status == "pending":
            status = _shown(expires_at, delivery, now)
        note = reason if status == "declined" else server_note
        yield Person(
            "invitation", id, name, email, _roles(is_admin, is_finance), licence, department,
            title, status, delivery, note, since, expires_at, next_try_at,
        )  # fmt: skip


def of_invitation(invitation: Invitation, now: datetime) -> Person:
    """The row of one invitation."""
    i = invitation
    note = i.decline_reason if i.status == "declined" else i.delivery_note
    return Person(
        "invitation", i.id, i.name, i.email, i.roles, i.licence, i.department, i.job_title,
        i.shown_status(now), i.delivery, note, i.created_at, i.expires_at, i.next_try_at,
    )  # fmt: skip


def _shown(expires_at: datetime, delivery: str, now: datetime) -> str:
    if expires_at <= now:
        return "expired"
    return "refused" if delivery == "refused" else "pending"


def _roles(is_admin: bool, is_finance: bool) -> tuple[str, ...]:
    held = (("admin", is_admin), ("finance", is_finance))
    return tuple(name for name, has in held if has) or ("member",)


def _holding(query: Any, model: Any, asked: Asked) -> Any:
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


def in_status(status: str, now: datetime) -> Any:
    """The condition on invitations of a filter of the list; accepted ones are members."""
    i = Invitation
    waiting = i.status == "pending"
    conditions = {
        "": i.status != "accepted",
        "pending": waiting & (i.expires_at > now) & (i.delivery != "refused"),
        "expired": waiting & (i.expires_at <= now),
        "refused": waiting & (i.expires_at > now) & (i.delivery == "refused"),
        "attention": (waiting & ((i.expires_at <= now) | (i.delivery == "refused")))
        | (i.status == "declined"),
    }
    return conditions.get(status, i.status == status)


def pending_count(account: Account, now: datetime) -> int:
    """The number of the badge: invitations that wait for an answer."""
    return int(
        Invitation.select().where(Invitation.account == account, in_status("pending", now)).count()
    )


def counts(account: Account, now: datetime) -> dict[str, int]:
    """How many are behind each tab."""
    active = Membership.select().where(Membership.account == account, Membership.ended_at.is_null())
    attention = Invitation.select().where(
        Invitation.account == account, in_status("attention", now)
    )
    return {
        "active": active.count(),
        "pending": pending_count(account, now),
        "attention": attention.count(),
    }


def seats_used(account: Account) -> int:
    return int(
        Membership.select()
        .where(
            Membership.account == account,
            Membership.ended_at.is_null(),
            Membership.licence == "licensed",
        )
        .count()
    )
