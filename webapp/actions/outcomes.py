"""What came of an acceptance, for its result page and its mail. Reading only."""

from webapp.models import Acceptance, CreditLot, Refund, Settlement, SettlementShare


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
