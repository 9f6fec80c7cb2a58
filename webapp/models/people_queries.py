"""The queries of the list of people. They are built once for each shape that the list is asked for
in, and sent with the values of the day: building one takes longer than its rows."""

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from peewee import SQL, Value

from webapp.database import as_instant, is_postgresql
from webapp.models import search
from webapp.models.acceptance import Acceptance
from webapp.models.account import Account
from webapp.models.asked import Asked
from webapp.models.invitation import Invitation
from webapp.models.people_count import states
from webapp.models.user import ERASED, Membership, User
from webapp.models.written import Statement, ids_given, place, written


class Shape(NamedTuple):
    """What changes a query's words. `begins`: for each word that is searched for, whether it must
    begin a word; `by_index` is whether the index says who has them all. `after` and `until` are the
    kinds of row in those keys."""

    on_postgresql: bool
    begins: tuple[bool, ...]
    by_index: bool
    status: str
    role: str
    licence: str
    is_of_department: bool
    is_of_inviter: bool
    sort: str
    after: str
    until: str
    most: int

    @property
    def is_narrowed(self) -> bool:
        """May another index than the list's own be the better one, for some and not for others?"""
        narrowing = (self.role, self.licence, self.is_of_department, self.is_of_inviter)
        return any(narrowing) or self.status not in ("", "active")

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")


def shape_of(asked: Asked, wanted: list[str], found: list[int] | None, most: int) -> Shape:
    return Shape(
        is_postgresql(), tuple(each.startswith(" ") for each in wanted), found is not None,
        asked.status, asked.role, asked.licence, bool(asked.department), bool(asked.inviter),
        asked.sort, asked.after[1] if asked.after else "", asked.until[1] if asked.until else "",
        most,
    )  # fmt: skip


def values_of(
    account: Account, asked: Asked, wanted: list[str], found: list[int] | None, now: datetime
) -> dict[str, Any]:
    """What stands in the places of the queries below."""
    given = {"account": account.id, "now": as_instant(now)}
    given |= {"department": asked.department, "inviter": asked.inviter}
    given |= {f"word {at}": search.pattern(needle) for at, needle in enumerate(wanted)}
    given["found"] = ids_given(found or [])
    for name, key in (("after", asked.after), ("until", asked.until)):
        if key is not None:
            value = as_instant(key[0]) if isinstance(key[0], datetime) else key[0]
            given |= {f"{name} value": value, f"{name} id": key[2]}
    return given


@lru_cache(512)
def of_members(shape: Shape) -> Statement:
    m, u = Membership, User
    query = (
        m.select(
            m.id, u.name, u.email, m.is_owner, m.is_admin, m.is_finance, m.licence,
            m.department, m.job_title, m.joined_at, m.folded,
        )
        .join(u)
    )  # fmt: skip
    conditions = [_here(m, shape), m.ended_at.is_null()]
    if shape.is_of_inviter:
        conditions.append(m.id.in_(_invited_by()))
    return _shown(query, m, m.joined_at, "member", shape, conditions)


def _invited_by() -> Any:
    """The memberships that began with an invitation of this person."""
    return (
        Acceptance.select(Acceptance.membership)
        .join(Invitation)
        .where(Invitation.account == place("account"), Invitation.inviter == place("inviter"))
    )


@lru_cache(512)
def of_invitations(shape: Shape) -> Statement:
    i, u = Invitation, User
    query = (
        i.select(
            i.id, i.name, i.email, i.is_admin, i.is_finance, i.licence, i.department,
            i.job_title, i.status, i.delivery, i.delivery_note, i.decline_reason,
            i.created_at, i.folded, i.expires_at, i.next_try_at, u.id, u.name, u.email,
        )
        .join(u)
    )  # fmt: skip
    conditions = [_here(i, shape), _LISTED]
    if shape.status:
        conditions.append(in_status(shape.status, place("now")))
    if not shape.begins:
        # Of what was erased no word is left to be searched for.
        conditions.append(~i.email.endswith(ERASED))
    if shape.is_of_inviter:
        conditions.append(i.inviter == place("inviter"))
    return _shown(query, i, i.created_at, "invitation", shape, conditions)


# Word for word as the indexes of the list have it.
_LISTED = Invitation.status != SQL("'accepted'")


def _shown(
    query: Any, model: Any, at: Any, kind: str, shape: Shape, conditions: list[Any]
) -> Statement:
    """What is searched for is found before its columns are: PostgreSQL would fetch each row that it
    walks past, although the index has the words, and what the index finds would be joined whole
    before it is sorted. SQLite walks past a row without fetching it."""
    order = _order(model, at, shape)
    if shape.begins and (shape.on_postgresql or shape.by_index):
        ids = _narrowed(model.select(model.id).where(*conditions), model, shape)
        ids = _spanned(ids, model, at, kind, shape)
        return written(query.where(model.id.in_(ids)).order_by(*order))
    query = _narrowed(query.where(*conditions), model, shape)
    return written(_spanned(query, model, at, kind, shape))


def _here(model: Any, shape: Shape) -> Any:
    return search.by_index(model) if shape.by_index else model.account == place("account")


def _narrowed(query: Any, model: Any, shape: Shape) -> Any:
    for at, begins in enumerate(shape.begins):
        query = query.where(search.holds(model, place(f"word {at}"), begins))
    if shape.is_of_department:
        query = query.where(model.department == place("department"))
    return _held_as(query, model, shape.role, shape.licence)


def holding(query: Any, model: Any, asked: Asked) -> Any:
    """Those of the query whom the search and the filters find; states and inviters apart."""
    for needle in search.needles(asked.q):
        wanted = Value(search.pattern(needle), converter=False)
        query = query.where(search.holds(model, wanted, needle.startswith(" ")))
    if asked.department:
        query = query.where(model.department == asked.department)
    return _held_as(query, model, asked.role, asked.licence)


def _held_as(query: Any, model: Any, role: str, licence: str) -> Any:
    if licence:
        query = query.where(model.licence == licence)
    if role == "owner":
        return query.where(model.is_owner if model is Membership else SQL("1 = 0"))
    if role == "admin":
        return query.where(model.is_admin)
    if role == "finance":
        return query.where(model.is_finance)
    if role == "member":
        query = query.where(~model.is_admin, ~model.is_finance)
        return query.where(~model.is_owner) if model is Membership else query
    return query


def _spanned(query: Any, model: Any, at: Any, kind: str, shape: Shape) -> Any:
    """Sorted, between the keys, and one more than `most`: an index range, never an OFFSET."""
    column, down = model.folded if shape.sort.endswith("name") else at, shape.is_descending
    if shape.after:
        after = (place("after value"), shape.after, place("after id"))
        query = query.where(_beyond(after, column, model.id, kind, down))
    if shape.until:
        until = (place("until value"), shape.until, place("until id"))
        query = query.where(_beyond(until, column, model.id, kind, not down, itself=True))
    return query.order_by(*_order(model, at, shape)).limit(shape.most + 1)


def _order(model: Any, at: Any, shape: Shape) -> tuple[Any, Any]:
    column = model.folded if shape.sort.endswith("name") else at
    if shape.is_descending:
        return column.desc(), model.id.desc()
    return column.asc(), model.id.asc()


def _beyond(key: Any, column: Any, id: Any, kind: str, down: bool, itself: bool = False) -> Any:
    """Rows of `kind` that come after `key` in (column, kind, id), going down or up."""
    value, other, number = key
    reached = column <= value if down else column >= value
    passed = column < value if down else column > value
    if kind != other:
        return reached if (kind < other) == down else passed
    further = id < number if down else id > number
    return reached & (passed | further | (id == number if itself else SQL("1 = 0")))


def in_status(status: str, now: Any) -> Any:
    """The condition on invitations of a filter of the list; accepted ones are members."""
    i = Invitation
    each = states(now)
    conditions = {
        "": (i.status != "accepted") & ~i.email.endswith(ERASED),
        "attention": each["expired"] | each["refused"] | each["declined"],
        **each,
    }
    return conditions.get(status, i.status == status)
