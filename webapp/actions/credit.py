"""An organisation's credit, lot by lot: where each came from, and which invoices took it, the
oldest first (rule M8)."""

from typing import Any

from peewee import JOIN, fn

from invoices import ledger as transfers
from webapp import clock
from webapp.actions import ledger
from webapp.models import CreditLot, CreditUse, Invoice, Settlement, SettlementShare


def open_lot(
    settlement: Settlement, amount_minor: int, share: SettlementShare | None = None
) -> CreditLot:
    """Credit that has become available; the caller posts its transfer beside it."""
    lot: CreditLot = CreditLot.create(
        organisation=settlement.organisation_id,
        settlement=settlement,
        share=share,
        currency=settlement.currency,
        amount_minor=amount_minor,
        available_at=clock.now(),
    )
    return lot


def left_in_lots(account_id: int, currency: str) -> list[tuple[int, int]]:
    """The ids of the lots that are not used up, the oldest first, with what is left of each."""
    used = fn.COALESCE(fn.SUM(CreditUse.amount_minor), 0)
    still = (CreditUse.lot == CreditLot.id) & CreditUse.given_back_at.is_null()
    rows: Any = (
        CreditLot.select(CreditLot.id, CreditLot.amount_minor - used)
        .join(CreditUse, JOIN.LEFT_OUTER, on=still)
        .where(CreditLot.organisation == account_id, CreditLot.currency == currency)
        .group_by(CreditLot.id, CreditLot.amount_minor, CreditLot.available_at)
        .having(CreditLot.amount_minor > used)
        .order_by(CreditLot.available_at, CreditLot.id)
        .tuples()
    )
    return [(lot_id, int(left)) for lot_id, left in rows]


def pay(invoice: Invoice) -> int:
    """Pays what the invoice owes, as far as the credit reaches; returns how much. The caller holds
    the account's lock, so that whoever comes first takes the oldest."""
    owed = invoice.owed_minor
    for lot_id, left in left_in_lots(invoice.account_id, invoice.currency):
        if owed == 0:
            break
        taken = min(owed, left)
        CreditUse.create(invoice=invoice, lot=lot_id, amount_minor=taken, used_at=clock.now())
        ledger.post([_transfer(invoice, lot_id, taken)])
        owed -= taken
    paid = invoice.owed_minor - owed
    if paid:
        Invoice.update(paid_minor=Invoice.paid_minor + paid).where(
            Invoice.id == invoice.id
        ).execute()
    return paid


def give_back(invoice: Invoice) -> int:
    """Returns to the account what the invoice took of its credit; returns how much."""
    uses = list(uses_of(invoice))
    for use in uses:
        taken = _transfer(invoice, use.lot_id, use.amount_minor)
        ledger.post([transfers.reversed_transfer(taken, f"{taken.key}:given-back")])
        CreditUse.update(given_back_at=clock.now()).where(CreditUse.id == use.id).execute()
    total = sum(int(use.amount_minor) for use in uses)
    if total:
        Invoice.update(paid_minor=Invoice.paid_minor - total).where(
            Invoice.id == invoice.id
        ).execute()
    return total


def uses_of(invoice: Invoice) -> Any:
    """What the invoice took and still holds."""
    return (
        CreditUse.select()
        .where(CreditUse.invoice == invoice, CreditUse.given_back_at.is_null())
        .order_by(CreditUse.id)
    )


def _transfer(invoice: Invoice, lot_id: int, amount_minor: int) -> transfers.Transfer:
    return transfers.credit_used(
        invoice.id, lot_id, invoice.account_id, invoice.currency, amount_minor
    )
