"""The people of an organisation as its admins see them: members and invitations in one list,
sorted and paged by key. Rows are plain tuples of what is shown; nothing here is saved."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from webapp.database import InstantField
from webapp.models import people_queries as queries
from webapp.models.account import Account
from webapp.models.asked import FILTERS, Asked, Key
from webapp.models.invitation import Invitation
from webapp.models.people_count import numbers
from webapp.models.search import Lookup, needles
from webapp.models.user import Membership
from webapp.models.written import fetch_one

PAGE = 50


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


def page(
    account: Account, asked: Asked, now: datetime, most: int = PAGE
) -> tuple[list[Person], bool]:
    """At most `most` people between the keys, and whether there are more there."""
    found: list[Person] = []
    lookup = Lookup(account, needles(asked.q))
    if asked.status in ("", "active"):
        found += _members(lookup, asked, now, most)
    if asked.status != "active":
        if len(found) > most:
            # Whoever comes after the last of these is not shown.
            asked = replace(asked, until=found[most].key(asked.sort))
        found += _invited(lookup, asked, now, most)
    found.sort(key=lambda person: person.key(asked.sort), reverse=asked.is_descending)
    return found[:most], len(found) > most


def _rows(
    query: Any, model: Any, lookup: Lookup, asked: Asked, now: datetime, most: int
) -> Iterator[tuple[Any, ...]]:
    found = lookup.rare(model)
    if found == []:
        return iter(())
    shape = queries.shape_of(asked, lookup.wanted, found, most)
    given = queries.values_of(lookup.account, asked, lookup.wanted, found, now)
    rows: Iterator[tuple[Any, ...]] = query(shape).rows(given, shape.is_narrowed)
    return rows


def _members(lookup: Lookup, asked: Asked, now: datetime, most: int) -> Iterator[Person]:
    for row in _rows(queries.of_members, Membership, lookup, asked, now, most):
        id, name, email, is_owner, is_admin, is_finance, licence, department, title = row[:9]
        roles = ("owner",) if is_owner else _roles(is_admin, is_finance)
        yield Person(
            "member", id, name, email, roles, licence, department, title, "active", "", "",
            _instant(row[9]), row[10],
        )  # fmt: skip


_instant: Any = InstantField().python_value


def _invited(lookup: Lookup, asked: Asked, now: datetime, most: int) -> Iterator[Person]:
    for row in _rows(queries.of_invitations, Invitation, lookup, asked, now, most):
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


def has_seat(organisation: Account) -> bool:
    """Is a licence free?"""
    return seats_used(organisation) < organisation.seats
