"""Where the money of a statement is: in words for a page, and as a condition for a filter. The two
agree (rule D6)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from peewee import fn

from webapp.actions.statement_credit import left
from webapp.models import Acceptance, CreditLot, Refund, Settlement, SettlementShare, Statement

# held: until the undo window closes; requested: under way; credited: failed, and then given to the
# organisation as credit by the person; failed: somebody has to see to it; cancelled: undone.
# Credit has left the person, and is "succeeded", once it can no longer be undone. The statement of
# the organisation goes on from there: held until invoices may take it (a dispute puts that off),
# succeeded while all of it is available, then part_used, and used.
STATES = (
    *("held", "requested", "succeeded", "part_used", "used"),
    *("failed", "credited", "cancelled"),
)

LOST = ("failed", "canceled")
# One that still says "held" after its window leaves with the worker's next round.
UNDERWAY = ("held", "requested", "pending", "requires_action")


def state_of(acceptance: Acceptance, refunds: Iterable[str], now: datetime) -> str:
    """One of STATES; `refunds` is the state of each share of a refund, as `refunds_of` says it."""
    if acceptance.undone_at is not None:
        return "cancelled"
    if acceptance.is_held(now):
        return "held"
    states = set(refunds)
    for state, known in (("failed", LOST), ("requested", UNDERWAY), ("credited", ("credited",))):
        if states & set(known):
            return state
    return "succeeded"


def state_of_credit(acceptance: Acceptance, gross_minor: int, left_minor: int | None) -> str:
    """The same for an organisation's statement; `left_minor` is what is left of it, None while none
    of it may be taken."""
    if acceptance.undone_at is not None:
        return "cancelled"
    if left_minor is None:
        return "held"
    if left_minor == 0:
        return "used"
    return "part_used" if left_minor < gross_minor else "succeeded"


def is_in(state: str, now: datetime) -> Any:
    """The statements in this state, as a condition; only a refund's own statement tells of it."""
    undone = _of_acceptances(Acceptance.undone_at.is_null(False))
    if state == "cancelled":
        return Statement.settlement.in_(undone)
    is_credit = Statement.kind == "account_credit"
    of_credit = is_credit & Statement.settlement.not_in(undone) & _is_credit_in(state)
    if state in ("part_used", "used"):
        return of_credit
    of_person = (Statement.kind != "account_credit") & _is_person_in(state, undone, now)
    return of_person | of_credit if state in ("held", "succeeded") else of_person


def _is_credit_in(state: str) -> Any:
    # Less than nothing is left where none of it is available yet.
    minor, whole = fn.COALESCE(left(), -1), Statement.gross_minor
    if state == "part_used":
        return minor.between(1, whole - 1)
    return minor < 0 if state == "held" else minor == (0 if state == "used" else whole)


def _is_person_in(state: str, undone: Any, now: datetime) -> Any:
    """A person's own statement: of a refund, or of credit that left with the undo window."""
    held = _of_acceptances(Acceptance.undone_at.is_null() & (Acceptance.undo_until > now))
    if state == "held":
        return Statement.settlement.in_(held)
    settled = Statement.settlement.not_in(undone) & Statement.settlement.not_in(held)
    is_refund = Statement.kind == "refund"
    groups = {"failed": _lost(), "requested": _underway(), "credited": _credited()}
    if state == "succeeded":
        arrived = [Statement.settlement.not_in(group) for group in groups.values()]
        return settled & ((Statement.kind != "refund") | (arrived[0] & arrived[1] & arrived[2]))
    earlier = {"failed": (), "requested": ("failed",), "credited": ("failed", "requested")}
    condition = settled & is_refund & Statement.settlement.in_(groups[state])
    for name in earlier[state]:
        condition &= Statement.settlement.not_in(groups[name])
    return condition


def refunds_of(settlements: list[int]) -> dict[int, list[Refund]]:
    """The refunds of settlements, by settlement: the last one of each share. The state of one that
    was given to the organisation instead is "credited"."""
    found: dict[int, list[Refund]] = {}
    if not settlements:
        return found
    query: Any = (
        Refund.select(Refund, SettlementShare)
        .join(SettlementShare)
        .where(SettlementShare.settlement.in_(settlements), Refund.id.in_(_latest(settlements)))
        .order_by(Refund.id)
    )
    lots: Any = CreditLot.select(CreditLot.share).where(CreditLot.settlement.in_(settlements))
    handed_over = {share for (share,) in lots.tuples() if share}
    for refund in query:
        if refund.share_id in handed_over:
            refund.state = "credited"
        found.setdefault(refund.share.settlement_id, []).append(refund)
    return found


def _latest(settlements: list[int]) -> Any:
    return (
        Refund.select(fn.MAX(Refund.id))
        .join(SettlementShare)
        .where(SettlementShare.settlement.in_(settlements))
        .group_by(Refund.share)
    )


def _of_acceptances(condition: Any) -> Any:
    return Settlement.select(Settlement.id).join(Acceptance).where(condition)


def _lost() -> Any:
    lots = CreditLot.select(CreditLot.share).where(CreditLot.share.is_null(False))
    return _last_refund_in(LOST).where(SettlementShare.id.not_in(lots))


def _underway() -> Any:
    return _last_refund_in(UNDERWAY)


def _credited() -> Any:
    return CreditLot.select(CreditLot.settlement).where(CreditLot.share.is_null(False))


def _last_refund_in(states: tuple[str, ...]) -> Any:
    """The settlements with a share whose last refund is in one of these states."""
    later = Refund.alias()
    is_last = ~fn.EXISTS(
        later.select(later.id).where(later.share == Refund.share, later.id > Refund.id)
    )
    return (
        SettlementShare.select(SettlementShare.settlement)
        .join(Refund)
        .where(Refund.state.in_(states), is_last)
    )
