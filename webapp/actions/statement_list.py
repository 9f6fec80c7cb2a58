"""The list of statements: a page at a time, or all of them from the oldest on (rule D6)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from peewee import JOIN

from webapp.actions import statements
from webapp.actions.statement_credit import left_of
from webapp.actions.statement_filter import Asked, wanted
from webapp.actions.statement_states import refunds_of, state_of, state_of_credit
from webapp.errors import NotThere
from webapp.models import Acceptance, Refund, Settlement, Statement, User
from webapp.permissions import Viewer

AT_ONCE = 50
# Rows of one query where all are read: each is done before the next, so that nothing is locked and
# no more than these is in memory, however slowly somebody downloads.
IN_A_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A statement with what the page says of it. `cancels` is the number of the one that it takes
    back, or "". `state` is one of statement_states.STATES; `until` is when a held one leaves;
    `left_minor` is what is left of an organisation's credit, None while none of it is available
    and for all other statements."""

    statement: Statement
    cancels: str
    person: User | None
    state: str
    until: datetime | None
    bank_references: tuple[str, ...]
    left_minor: int | None

    @property
    def gross_minor(self) -> int:
        """With the sign that it has in a sum: a cancelling statement takes away."""
        return self._sign * int(self.statement.gross_minor)

    @property
    def tax_minor(self) -> int:
        return self._sign * int(self.statement.tax_minor)

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.tax_minor

    @property
    def _sign(self) -> int:
        return -1 if self.cancels else 1


def page(viewer: Viewer, asked: Asked, after: str, now: datetime) -> tuple[list[Listed], str]:
    """The newest first, after the number `after`; and the number to go on after, or "".

    Raises NotThere when `after` names no statement that this person may see.
    """
    if asked.errors:
        return [], ""
    query = _joined(viewer, asked, now, *statements.LISTED)
    if after:
        at, id = _place(viewer, after)
        issued = Statement.issued_at
        # Said twice, so that either engine begins to read its index there.
        query = query.where(issued <= at, (issued < at) | (Statement.id < id))
    found = list(query.order_by(Statement.issued_at.desc(), Statement.id.desc()).limit(AT_ONCE + 1))
    rows = found[:AT_ONCE]
    return _listed(rows, now), rows[-1].number if len(found) > AT_ONCE else ""


def every(
    viewer: Viewer, asked: Asked, now: datetime, *more: Any, in_a_chunk: int = IN_A_CHUNK
) -> Iterator[Listed]:
    """All that were issued until `now`, the oldest first, read by chunks; `more` are columns beside
    those of a list, such as the document."""
    place: Any = None
    issued = Statement.issued_at
    while True:
        query = _joined(viewer, asked, now, *statements.LISTED, *more).where(issued <= now)
        if place is not None:
            at, id = place
            query = query.where(issued >= at, (issued > at) | (Statement.id > id))
        rows = list(query.order_by(issued, Statement.id).limit(in_a_chunk))
        yield from _listed(rows, now)
        if len(rows) < in_a_chunk:
            return
        place = rows[-1].issued_at, rows[-1].id
        # Only one lower bound: SQLite might begin at the other one each time.
        asked = replace(asked, first=None)


def unrendered(viewer: Viewer, asked: Asked, now: datetime) -> int:
    """How many of those asked for have no document yet."""
    query = wanted(viewer, asked, now, Statement.id)
    count: int = query.where(Statement.issued_at <= now, Statement.rendered_at.is_null()).count()
    return count


def _joined(viewer: Viewer, asked: Asked, now: datetime, *columns: Any) -> Any:
    return (
        wanted(viewer, asked, now, *columns, User, Settlement, Acceptance)
        .join(User, JOIN.LEFT_OUTER, on=(Statement.user == User.id))
        .switch(Statement)
        .join(Settlement, on=(Statement.settlement == Settlement.id))
        .join(Acceptance, on=(Settlement.acceptance == Acceptance.id))
    )


def _place(viewer: Viewer, number: str) -> tuple[datetime, int]:
    found: Any = statements.numbered(viewer, number, Statement.issued_at, Statement.id).first()
    if found is None:
        raise NotThere("statement")
    return found.issued_at, found.id


def _listed(rows: list[Statement], now: datetime) -> list[Listed]:
    refunds = refunds_of([one.settlement_id for one in rows if one.kind == "refund"])
    left = left_of([one.id for one in rows if one.kind == "account_credit"])
    cancelled = _numbers_of({one.corrects_id for one in rows if one.corrects_id})
    return [
        _one(
            row,
            cancelled.get(row.corrects_id or 0, ""),
            refunds.get(row.settlement_id, []) if row.kind == "refund" else [],
            left.get(row.id),
            now,
        )
        for row in rows
    ]


def _one(
    row: Statement, cancels: str, refunds: list[Refund], left: int | None, now: datetime
) -> Listed:
    acceptance: Acceptance = row.settlement.acceptance
    if row.kind == "account_credit":
        state = state_of_credit(acceptance, row.gross_minor, left)
    else:
        state = state_of(acceptance, [refund.state for refund in refunds], now)
    return Listed(
        row,
        cancels,
        row.user,
        state,
        acceptance.undo_until if acceptance.is_held(now) else None,
        tuple(refund.bank_reference for refund in refunds if refund.bank_reference),
        left,
    )


def _numbers_of(ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    rows: Any = Statement.select(Statement.id, Statement.number).where(Statement.id.in_(ids))
    return dict(rows.tuples())
