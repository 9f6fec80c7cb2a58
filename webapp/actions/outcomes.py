"""What came of an acceptance, for its result page and its mail. Reading only."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from invoices.periods import local_day
from webapp.models import Acceptance, CreditLot, Refund, Settlement, SettlementShare, Statement
from webapp.policy import policy

# Working days until a bank shows a refund, usually.
SOONEST, LATEST = 5, 10


def settlement_of(acceptance: Acceptance) -> Settlement | None:
    """None when there was nothing to give back (rule M9)."""
    found: Settlement | None = Settlement.get_or_none(Settlement.acceptance == acceptance)
    return found


def refunds_of(settlement: Settlement | None) -> list[Refund]:
    """The latest try of each part, in the order of the payments that they go back to."""
    if settlement is None:
        return []
    latest: dict[int, Refund] = {}
    for refund in (
        Refund.select()
        .join(SettlementShare)
        .where(SettlementShare.settlement == settlement)
        .order_by(Refund.id)
    ):
        latest[refund.share_id] = refund
    return list(latest.values())


def handed_over(settlement: Settlement | None) -> set[int | None]:
    """The ids of the shares whose refund failed and that became the organisation's credit."""
    lots = CreditLot.select().where(
        CreditLot.settlement == settlement, CreditLot.share.is_null(False)
    )
    return set() if settlement is None else {lot.share_id for lot in lots}


def arrival(acceptance: Acceptance, refunds: Sequence[Refund] = ()) -> tuple[date, date]:
    """Between which days the money usually arrives: counted from the day on which it leaves, or
    its last part did."""
    tries = [refund.requested_at for refund in refunds if refund.requested_at is not None]
    left_at: datetime = max([acceptance.undo_until, *tries])
    left_on = local_day(left_at, policy().billing_zone)
    return working_days_after(left_on, SOONEST), working_days_after(left_on, LATEST)


def working_days_after(day: date, count: int) -> date:
    """Saturdays and Sundays are not counted; public holidays, which differ by bank, are."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def looks_again_in(
    acceptance: Acceptance,
    refunds: Sequence[Refund],
    statements: Sequence[Statement],
    now: datetime,
) -> int:
    """In how many seconds it is worth looking again; 0 when nothing changes by itself any more."""
    states = {one.state for one in refunds if not (one.state == "held" and one.payment.is_disputed)}
    is_held = acceptance.is_held(now)
    is_leaving = "requested" in states or ("held" in states and not is_held)
    if is_leaving or any(one.sha256 is None for one in statements):
        return 4
    if states & {"pending", "requires_action"}:
        return 10
    return 30 if is_held else 0
