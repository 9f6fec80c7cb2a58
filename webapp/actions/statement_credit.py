"""What is left of the credit that an organisation's statement tells of (rule M8)."""

from typing import Any

from peewee import JOIN, OP, Expression, fn

from webapp.models import CreditLot, CreditUse, Statement

ISSUED = (Statement.kind == "account_credit") & Statement.corrects.is_null()


def left_of(ids: list[int]) -> dict[int, int | None]:
    """In minor units by the statement's id; None while none of it may be taken."""
    if not ids:
        return {}
    rows: Any = Statement.select(Statement.id, left()).where(Statement.id.in_(ids)).tuples()
    # A sum comes as a Decimal from one engine and as an integer from the other.
    return {id: None if minor is None else int(minor) for id, minor in rows}


def left() -> Any:
    """For a statement of account credit of the query around it: in minor units what no invoice
    and no push to the gateway took; NULL while none of it may be taken, and for all others."""
    lot, use = CreditLot.alias(), CreditUse.alias()
    still = (use.lot == lot.id) & use.given_back_at.is_null()
    return (
        lot.select(lot.amount_minor - fn.COALESCE(fn.SUM(use.amount_minor), 0))
        .join(use, JOIN.LEFT_OUTER, on=still)
        .where(ISSUED, lot.settlement == Statement.settlement, _is_its_lot(lot))
        .group_by(lot.id, lot.amount_minor)
    )


def _is_its_lot(lot: Any) -> Any:
    """Of one settlement, documents and lots are numbered in the same order: there are several
    where refunds failed and became credit, each by itself."""
    earlier_lot, earlier = CreditLot.alias(), Statement.alias()
    lots_before = earlier_lot.select(fn.COUNT(earlier_lot.id)).where(
        earlier_lot.settlement == lot.settlement, earlier_lot.id < lot.id
    )
    documents_before = earlier.select(fn.COUNT(earlier.id)).where(
        earlier.settlement == Statement.settlement,
        earlier.kind == "account_credit",
        earlier.corrects.is_null(),
        earlier.id < Statement.id,
    )
    # Two queries compared by == are compared by Python.
    return Expression(lots_before, OP.EQ, documents_before)
