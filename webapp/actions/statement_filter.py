"""What of the statements is asked for, read from words, and as a query (rule D6)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from webapp.actions import statements
from webapp.actions.days import EARLIEST, begin, day
from webapp.actions.statement_states import STATES, is_in
from webapp.models import Statement, User
from webapp.models.statement import KINDS
from webapp.permissions import SEE_BILLING, Viewer
from webapp.texts import cleaned, folded

MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Asked:
    """`first` and `last` are days of the seller's zone, both included. `errors` says what is
    wrong with which field: kind, state, month, from or to."""

    kind: str
    state: str
    first: date | None
    last: date | None
    q: str
    errors: dict[str, str]


def asked_for(words: Mapping[str, str]) -> Asked:
    """Reads the filter; what cannot be read is an error of its field and filters nothing. Days
    narrow a month further."""
    errors: dict[str, str] = {}
    kind, state = words.get("kind", ""), words.get("state", "")
    if kind and kind not in KINDS:
        errors["kind"] = "kind"
    if state and state not in STATES:
        errors["state"] = "state"
    first, last = month(words.get("month", ""), errors)
    begins, ends = (day(words.get(name, ""), name, errors) for name in ("from", "to"))
    first = max(filter(None, (first, begins)), default=None)
    last = min(filter(None, (last, ends)), default=None)
    if first and last and first > last:
        errors["to"] = "order"
    return Asked(kind, state, first, last, cleaned(words.get("q", ""), 100), errors)


def month(text: str, errors: dict[str, str]) -> tuple[date | None, date | None]:
    """The first and last day of "2026-11"; an error of the field `month` when it is none."""
    if not text.strip():
        return None, None
    found = MONTH.fullmatch(text.strip())
    if found is None or int(found[1]) < EARLIEST.year or int(found[1]) > 2998:
        errors["month"] = "month"
        return None, None
    return month_of(date(int(found[1]), int(found[2]), 1))


def month_of(on: date) -> tuple[date, date]:
    """The first and the last day of the month of a day."""
    first = on.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def kinds_for(viewer: Viewer) -> tuple[str, ...]:
    """The kinds that a person could ever see."""
    return KINDS if viewer.may(SEE_BILLING) else KINDS[:2]


def wanted(viewer: Viewer, asked: Asked, now: datetime, *columns: Any) -> Any:
    """The statements that a person may see and asked for."""
    query = statements.visible_to(viewer, *columns)
    if asked.kind:
        query = query.where(Statement.kind == asked.kind)
    if asked.state:
        query = query.where(is_in(asked.state, now))
    if asked.first:
        query = query.where(Statement.issued_at >= begin(asked.first))
    if asked.last:
        query = query.where(Statement.issued_at < begin(asked.last + timedelta(days=1)))
    if asked.q:
        query = query.where(_found_by(asked.q))
    return query


def _found_by(q: str) -> Any:
    number = q.upper()
    if statements.NUMBER.fullmatch(number):
        return Statement.number == number
    people = User.select(User.id).where(User.folded.contains(folded(q)))
    named = Statement.user.in_(people) | Statement.customer_name.contains(q)
    return Statement.number.startswith(number) | named
