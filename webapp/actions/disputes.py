"""Payments that their owner's bank takes back, or looks into, after the owner has joined: what is
still held of them stays held until that is decided, and the operator is told (threat T24)."""

from typing import Any

from webapp import outbox
from webapp.actions import operators
from webapp.database import locked, transaction
from webapp.models import (
    Acceptance,
    Account,
    Payment,
    Refund,
    Settlement,
    SettlementShare,
    User,
)
from webapp.payments.gateway import GatewayRefusal
from webapp.payments.source import Source


def look(customer: str, source: Source) -> bool:
    """Asks about each payment of this customer of the gateway that a settlement was made from;
    says whether anything has changed. Raises GatewayAway."""
    changes = []
    for payment in _settled(customer, source.name):
        try:
            is_disputed = source.is_disputed(payment.reference)
        except GatewayRefusal:
            continue  # the gateway has lost it
        changes.append(note(payment, is_disputed))
    return any(changes)


def note(payment: Payment, is_disputed: bool) -> bool:
    """Once the dispute is over, what waited for it leaves. False when that was noted already."""
    with transaction():
        fresh = locked(Payment.select().where(Payment.id == payment.id)).get()
        if fresh.is_disputed == is_disputed:
            return False
        Payment.update(is_disputed=is_disputed).where(Payment.id == payment.id).execute()
        if is_disputed:
            operators.tell("mail:disputed", payment_id=payment.id)
        else:
            _let_go(payment)
    return True


def of_settled() -> list[SettlementShare]:
    """The parts of settlements whose payment is disputed or was taken back, the oldest first."""
    query: Any = (
        SettlementShare.select(SettlementShare, Payment, Settlement, Acceptance, User, Account)
        .join_from(SettlementShare, Payment)
        .join_from(SettlementShare, Settlement)
        .join_from(Settlement, Acceptance)
        .join_from(Acceptance, User)
        .join_from(Settlement, Account, on=(Settlement.organisation == Account.id))
        .where(Payment.is_disputed, Acceptance.undone_at.is_null())
        .order_by(SettlementShare.id)
    )
    return list(query)


def _settled(customer: str, gateway: str) -> list[Payment]:
    return list(
        Payment.select()
        .join_from(Payment, Account)
        .join_from(Payment, SettlementShare)
        .join_from(SettlementShare, Settlement)
        .join_from(Settlement, Acceptance)
        .where(
            Account.gateway_customer == customer,
            Payment.gateway == gateway,
            Acceptance.undone_at.is_null(),
        )
        .distinct()
        .order_by(Payment.id)
    )


def _let_go(payment: Payment) -> None:
    """As at acceptance: what can still be undone leaves when it no longer can."""
    for share in _settlements_of(payment):
        settlement: Settlement = share.settlement
        leaves_at = settlement.acceptance.undo_until
        if settlement.choice == "credit":
            outbox.write("credit", {"settlement_id": settlement.id}, leaves_at=leaves_at)
        for refund in Refund.select().where(Refund.share == share, Refund.state == "held"):
            outbox.write("refund", {"refund_id": refund.id}, leaves_at=leaves_at)


def _settlements_of(payment: Payment) -> list[SettlementShare]:
    return list(
        SettlementShare.select(SettlementShare, Settlement, Acceptance)
        .join_from(SettlementShare, Settlement)
        .join_from(Settlement, Acceptance)
        .where(SettlementShare.payment == payment, Acceptance.undone_at.is_null())
    )
