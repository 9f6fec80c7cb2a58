"""The list of statements: asked for in words, answered a page at a time (rule D6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import JOIN

from webapp.actions import statements
from webapp.actions.days import begin, day
from webapp.errors import NotThere
from webapp.models import Acceptance, Refund, Settlement, SettlementShare, Statement, User
from webapp.models.statement import KINDS
from webapp.permissions import SEE_BILLING, Viewer
from webapp.texts import cleaned, folded

AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """`first` and `last` are days of the seller's zone, both included. `errors` says what is
    wrong with which field: kind, from or to."""

    kind: str
    first: date | None
    last: date | None
    q: str
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A statement with what the page says of it. `state` is held, requested, succeeded, failed or
    cancelled; `until` is when a held one leaves."""

    statement: Statement
    person: User | None
    state: str
    until: datetime | None
    bank_references: tuple[str, ...]


def asked_for(words: Mapping[str, str]) -> Asked:
    """Reads the filter; what cannot be read is an error of its field and filters nothing."""
    errors: dict[str, str] = {}
    kind = words.get("kind", "")
    if kind and kind not in KINDS:
        errors["kind"] = "kind"
    first, last = (day(words.get(name, ""), name, errors) for name in ("from", "to"))
    if first and last and first > last:
        errors["to"] = "order"
    return Asked(kind, first, last, cleaned(words.get("q", ""), 100), errors)


def kinds_for(viewer: Viewer) -> tuple[str, ...]:
    """The kinds that a person could ever see."""
    return KINDS if viewer.may(SEE_BILLING) else KINDS[:2]


def page(viewer: Viewer, asked: Asked, after: str, now: datetime) -> tuple[list[Listed], str]:
    """The newest first, after the number `after`; and the number to go on after, or "".

    Raises NotThere when `after` names no statement that this person may see.
    """
    if asked.errors:
        return [], ""
    query = _wanted(viewer, asked)
    if after:
        query = query.where(_older_than(_place(viewer, after)))
    found = list(query.order_by(Statement.issued_at.desc(), Statement.id.desc()).limit(AT_ONCE + 1))
    rows = found[:AT_ONCE]
    return _listed(rows, now), rows[-1].number if len(found) > AT_ONCE else ""


def _wanted(viewer: Viewer, asked: Asked) -> Any:
    query = (
        statements.visible_to(viewer, *statements.LISTED, User, Settlement, Acceptance)
        .join(User, JOIN.LEFT_OUTER, on=(Statement.user == User.id))
        .switch(Statement)
        .join(Settlement, on=(Statement.settlement == Settlement.id))
        .join(Acceptance, on=(Settlement.acceptance == Acceptance.id))
    )
    if asked.kind:
        query = query.where(Statement.kind == asked.kind)
    if asked.first:
        query = query.where(Statement.issued_at >= begin(asked.first))
    if asked.last:
        query = query.where(Statement.issued_at < begin(asked.last + timedelta(days=1)))
    if asked.q:
        named = User.folded.contains(folded(asked.q)) | Statement.customer_name.contains(asked.q)
        query = query.where(Statement.number.startswith(asked.q.upper()) | named)
    return query


def _place(viewer: Viewer, number: str) -> tuple[datetime, int]:
    found: Any = statements.numbered(viewer, number, Statement.issued_at, Statement.id).first()
    if found is None:
        raise NotThere("statement")
    return found.issued_at, found.id


def _older_than(place: tuple[datetime, int]) -> Any:
    at, id = place
    return (Statement.issued_at < at) | ((Statement.issued_at == at) & (Statement.id < id))


def _listed(rows: list[Statement], now: datetime) -> list[Listed]:
    refunds = _refunds_of([one.settlement for one in rows if one.kind == "refund"])
    listed = []
    for one in rows:
        acceptance = one.settlement.acceptance
        mine = refunds.get(one.settlement.id, []) if one.kind == "refund" else []
        listed.append(
            Listed(
                one,
                one.user,
                _state(acceptance, mine, now),
                acceptance.undo_until if acceptance.is_held(now) else None,
                tuple(refund.bank_reference for refund in mine if refund.bank_reference),
            )
        )
    return listed


def _state(acceptance: Acceptance, refunds: list[Refund], now: datetime) -> str:
    """Where the money is; credit has arrived once it can no longer be undone."""
    if acceptance.undone_at is not None:
        return "cancelled"
    if acceptance.is_held(now):
        return "held"
    states = {refund.state for refund in refunds}
    if states <= {"succeeded"}:
        return "succeeded"
    return "failed" if states & {"failed", "canceled"} else "requested"


def _refunds_of(settlements: list[Settlement]) -> dict[int, list[Refund]]:
    """The refunds of settlements, the last one for each share."""
    latest: dict[int, tuple[int, Refund]] = {}
    query = (
        Refund.select(Refund, SettlementShare)
        .join(SettlementShare)
        .where(SettlementShare.settlement.in_([one.id for one in settlements]))
        .order_by(Refund.id)
    )
    for refund in query:
        share: Any = refund.share
        latest[share.id] = (share.settlement_id, refund)
    found: dict[int, list[Refund]] = {}
    for settlement_id, refund in latest.values():
        found.setdefault(settlement_id, []).append(refund)
    return found
