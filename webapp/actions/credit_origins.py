"""Where an organisation's credit came from: which statement of account credit, which person; and
what each invoice took of it (rule M8). Nothing here tells that a refund was tried before."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.models import CreditLot, CreditUse, Statement, User


@dataclass(frozen=True, slots=True)
class Origin:
    """`number` is the statement's; `is_ready` once its PDF is there."""

    person: str
    number: str
    is_ready: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What an invoice took of one lot; `given_back_at` once it was voided."""

    origin: Origin
    amount_minor: int
    used_at: datetime
    given_back_at: datetime | None


def of_lots(ids: Collection[int]) -> dict[int, Origin]:
    """By the lot's id. Of one settlement, documents and lots are numbered in the same order."""
    named = CreditLot.select(CreditLot.settlement).where(CreditLot.id.in_(list(ids)))
    lots: dict[int, list[int]] = {}
    query: Any = CreditLot.select(CreditLot.id, CreditLot.settlement)
    for id, settlement_id in (
        query.where(CreditLot.settlement.in_(named)).order_by(CreditLot.id).tuples()
    ):
        lots.setdefault(settlement_id, []).append(id)
    issued = of_settlements(lots.keys())
    return {
        id: origin
        for settlement_id, own in lots.items()
        for id, origin in zip(own, issued.get(settlement_id, ()), strict=False)
        if id in ids
    }


def of_shares(ids: Collection[int]) -> dict[int, Origin]:
    """By the id of a settlement's share that became credit by itself."""
    rows: Any = CreditLot.select(CreditLot.id, CreditLot.share).where(
        CreditLot.share.in_(list(ids))
    )
    lots = dict(rows.tuples())
    return {lots[id]: origin for id, origin in of_lots(lots.keys()).items()}


def of_settlements(ids: Collection[int], cancelling: bool = False) -> dict[int, list[Origin]]:
    """The statements of account credit by their settlement's id, in their order; or those that
    cancel them."""
    query = (
        Statement.select(Statement.settlement, Statement.number, Statement.rendered_at, User)
        .join(User)
        .where(
            Statement.settlement.in_(list(ids)),
            Statement.kind == "account_credit",
            Statement.corrects.is_null(not cancelling),
        )
        .order_by(Statement.id)
    )
    found: dict[int, list[Origin]] = {}
    for one in query:
        person: Any = one.user
        origin = Origin(person.shown_name, one.number, one.rendered_at is not None)
        found.setdefault(one.settlement_id, []).append(origin)
    return found


def taken_by(invoice_ids: Collection[int]) -> dict[int, list[Taken]]:
    """By the invoice's id, the oldest first; what was given back included."""
    uses = list(
        CreditUse.select().where(CreditUse.invoice.in_(list(invoice_ids))).order_by(CreditUse.id)
    )
    origins = of_lots({use.lot_id for use in uses})
    found: dict[int, list[Taken]] = {}
    for use in uses:
        taken = Taken(origins[use.lot_id], use.amount_minor, use.used_at, use.given_back_at)
        found.setdefault(int(use.invoice_id or 0), []).append(taken)
    return found
