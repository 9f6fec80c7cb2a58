"""Money on its way out: asked of the gateway once, and followed until it arrives (rule M6).

A refund is committed as requested before the gateway hears of it, with a key of its own that
stays. Whatever happens then, the next try asks or repeats with that key, and ends the same way.
Transitions go one way, so that an answer that comes late or twice changes nothing."""

from datetime import timedelta
from typing import Any

from peewee import fn

from invoices import ledger as transfers
from webapp import clock, outbox
from webapp.actions import ledger
from webapp.database import locked, transaction
from webapp.models import (
    Acceptance,
    Account,
    CreditLot,
    Payment,
    Refund,
    Settlement,
    SettlementShare,
    User,
)
from webapp.payments.gateway import Gateway, GatewayRefund, GatewayRefusal

UNDERWAY = ("requested", "pending", "requires_action")
# Less than any gateway remembers an idempotency key.
KEYS_LIVE = timedelta(hours=23)
# state → what it may become. What the bank sends back had succeeded before.
NEXT = {
    "requested": {"pending", "requires_action", "succeeded", "failed", "canceled"},
    "pending": {"requires_action", "succeeded", "failed", "canceled"},
    "requires_action": {"pending", "succeeded", "failed", "canceled"},
    "succeeded": {"failed"},
}


def request(refund_id: int, gateway: Gateway) -> None:
    """Asks the gateway for a refund whose time has come, or finishes an earlier try.

    Money that no gateway took is only marked: a payout to make by hand (M4). A refund that was
    answered is left alone. Raises GatewayAway when there is no answer (the refund stays requested,
    the next try asks first), and outbox.Deferred while it may not leave.
    """
    refund = _refund(refund_id)
    is_held = refund.state == "held"
    if is_held and not _begin(refund, gateway):
        return
    # A database that was put back from a copy holds what has left since, and gateways forget keys.
    repeated = not is_held or refund.created_at < clock.now() - KEYS_LIVE
    refund = _refund(refund_id)
    if refund.state != "requested" or refund.payment.gateway == "none":
        return
    _record(refund, _ask(refund, gateway, repeated))


def follow(refund_id: int, gateway: Gateway) -> None:
    """Fetches afresh what became of a refund; one of another gateway is left alone. One that the
    gateway does not know yet is asked for by its message. Raises GatewayAway, and GatewayRefusal
    when the gateway has lost it."""
    refund = _refund(refund_id)
    if refund.payment.gateway != gateway.name:
        return
    if refund.gateway_reference is not None:
        _record(refund, gateway.fetch_refund(refund.gateway_reference))
    elif refund.state == "requested":
        known = gateway.find_refund(refund.payment.reference, refund.idempotency_key)
        if known is not None:
            _record(refund, known)
        else:
            _see_to_asking(refund)


def underway() -> Any:
    """Refunds that a gateway has yet to finish, the longest unchanged first."""
    return _refunds().where(Refund.state.in_(UNDERWAY), Payment.gateway != "none")


def payouts() -> Any:
    """Refunds to pay by bank transfer, the oldest first."""
    return _refunds().where(Refund.state == "requested", Payment.gateway == "none")


def failed() -> Any:
    """Refunds that the gateway refused or gave up, and that neither a newer one nor credit
    replaced (M7); one that was cancelled because its acceptance was undone is no failure."""
    other = Refund.alias()
    newer = other.select(other.id).where(other.share == Refund.share, other.id > Refund.id)
    handed_over = CreditLot.select(CreditLot.id).where(CreditLot.share == Refund.share)
    return _refunds().where(
        Refund.state.in_(("failed", "canceled")),
        Acceptance.undone_at.is_null(),
        ~fn.EXISTS(newer),
        ~fn.EXISTS(handed_over),
    )


def _refund(refund_id: int) -> Refund:
    refund: Refund = _refunds().where(Refund.id == refund_id).get()
    return refund


def _refunds() -> Any:
    """Each with its payment, and with the person whom it goes to."""
    return (
        Refund.select(Refund, Payment, SettlementShare, Settlement, Acceptance, User)
        .join(Payment)
        .switch(Refund)
        .join(SettlementShare)
        .join(Settlement)
        .join(Acceptance)
        .join(User)
        .order_by(Refund.changed_at, Refund.id)
    )


def _begin(refund: Refund, gateway: Gateway) -> bool:
    """Held → requested, committed before anything is sent. False when somebody else was first, or
    a bank looks into the payment."""
    now = clock.now()
    if refund.share.settlement.acceptance.is_held(now):
        raise outbox.Deferred("the acceptance can still be undone")
    if refund.payment.is_disputed:
        return False  # the end of the dispute asks again
    if refund.payment.gateway != "none":
        _expect(refund, gateway)
    with transaction():
        # The account's lock first, as undoing takes it: whoever is first wins, and the two never
        # wait for each other.
        account_id = refund.share.settlement.account_id
        locked(Account.select(Account.id).where(Account.id == account_id)).first()
        changed = (
            Refund.update(state="requested", requested_at=now, changed_at=now)
            .where(Refund.id == refund.id, Refund.state == "held")
            .execute()
        )
        if changed:
            ledger.post([transfers.refund_requested(*figures(refund))])
    return bool(changed)


def _ask(refund: Refund, gateway: Gateway, repeated: bool) -> GatewayRefund:
    """The gateway's answer, a definite no included.

    A repeat asks first, however young the key is, and so does a first try of an old one: gateways
    forget keys after a day, and nothing may then be sent again unseen. With the same key, two tries
    at once are still one refund.
    """
    _expect(refund, gateway)
    payment = refund.payment
    if repeated:
        known = gateway.find_refund(payment.reference, refund.idempotency_key)
        if known is not None:
            return known
    try:
        return gateway.create_refund(
            payment.reference,
            refund.amount_minor,
            refund.currency,
            refund.idempotency_key,
            {"refund_key": refund.idempotency_key},
        )
    except GatewayRefusal as no:
        return GatewayRefund("", "failed", refund.amount_minor, refund.currency, reason=str(no))


def _see_to_asking(refund: Refund) -> None:
    """Whoever holds the message asks, and nobody else: of two that ask at once one could be refused
    and the other not, and then the refusal would be believed. One whose message has ended without
    an answer gets a new one."""
    asking = {"refund_id": refund.id}
    with transaction():
        locked(Refund.select(Refund.id).where(Refund.id == refund.id)).first()
        if not outbox.waits("refund", asking):
            outbox.write("refund", asking)


def _record(refund: Refund, answer: GatewayRefund) -> None:
    """Takes the refund to the state that the gateway tells, if that is a way forward."""
    if (answer.amount_minor, answer.currency) != (refund.amount_minor, refund.currency):
        raise ValueError(f"refund {refund.id}: the gateway answered another amount")
    with transaction():
        before = locked(Refund.select(Refund.state).where(Refund.id == refund.id)).scalar()
        if answer.state == before and answer.bank_reference:
            # Banks tell their reference days after the money arrived.
            Refund.update(bank_reference=answer.bank_reference).where(
                Refund.id == refund.id, Refund.bank_reference != answer.bank_reference
            ).execute()
        if answer.state not in NEXT.get(before, ()):
            return
        Refund.update(
            state=answer.state,
            gateway_reference=answer.reference or refund.gateway_reference,
            bank_reference=answer.bank_reference or refund.bank_reference,
            reason=answer.reason[:500],
            changed_at=clock.now(),
        ).where(Refund.id == refund.id).execute()
        ledger.post(_transfers(refund, before, answer.state))
        if answer.state in ("failed", "canceled"):
            outbox.write("mail:refund-failed", {"refund_id": refund.id})
        elif answer.state == "succeeded" and _is_another_try(refund):
            outbox.write("mail:refund-paid", {"refund_id": refund.id})


def _is_another_try(refund: Refund) -> bool:
    """Was the person told that an earlier one failed? Then they hear of this one too."""
    earlier = Refund.select(Refund.id).where(Refund.share == refund.share, Refund.id < refund.id)
    return bool(earlier.exists())


def _transfers(refund: Refund, before: str, after: str) -> list[transfers.Transfer]:
    parts = figures(refund)
    if after == "succeeded":
        return [transfers.refund_succeeded(*parts)]
    if after not in ("failed", "canceled"):
        return []
    back = [transfers.refund_failed(*parts)]
    if before == "succeeded":
        return [transfers.refund_returned_after_success(*parts), *back]
    return back


def figures(refund: Refund) -> tuple[int, int, str, int]:
    """What the ledger's refund transfers are made of."""
    account_id = refund.share.settlement.account.id
    return refund.id, account_id, refund.currency, refund.amount_minor


def _expect(refund: Refund, gateway: Gateway) -> None:
    """A payment's money goes back by the gateway that took it, and by no other."""
    if refund.payment.gateway != gateway.name:
        raise outbox.Deferred(
            f"the payment is with {refund.payment.gateway}, the gateway in use is {gateway.name}"
        )
