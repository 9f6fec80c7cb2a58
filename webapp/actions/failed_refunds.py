"""The three ways on from a refund that failed: try again, turn it into credit with the person's
consent, pay by hand (rule M7); and payouts that are made by hand from the start (rule M4)."""

from datetime import date
from typing import Any

from invoices import ledger as transfers
from invoices.statement import Heading
from invoices.statement import Statement as Document
from webapp import clock, outbox
from webapp.actions import credit, ledger, refunds, sessions, statements
from webapp.actions.audit import record
from webapp.database import locked, transaction
from webapp.errors import Invalid, NotAllowed, NotThere, Stale
from webapp.models import (
    Acceptance,
    Account,
    Membership,
    Refund,
    Session,
    Settlement,
    SettlementShare,
    User,
)
from webapp.policy import policy
from webapp.texts import cleaned


def try_again(by: Membership, refund_id: int) -> Refund:
    """A new refund of the same share, with a key of its own, leaves at once. Stale when the refund
    is no failed one any more, or another was faster."""
    with transaction():
        failed = _failed(refund_id)
        again = _another(failed)
        outbox.write("refund", {"refund_id": again.id})
        record(by, "refund:retried", f"refund:{failed.id}")
    return again


def pay_by_hand(by: Membership, refund_id: int, reference: str, paid_on: date) -> Refund:
    """Notes that a failed refund, or a payout, was paid by bank transfer, and tells the person:
    with the bank's reference and the day. Invalid without a reference or for a day to come; Stale
    as above."""
    reference = cleaned(reference, 100)
    if not reference:
        raise Invalid("reference", field="reference")
    if paid_on > clock.today(policy().billing_zone):
        raise Invalid("paid_on", field="paid_on")
    with transaction():
        refund = _payout(refund_id) or _requested_again(_failed(refund_id))
        Refund.update(
            state="succeeded",
            is_by_hand=True,
            bank_reference=reference,
            paid_on=paid_on,
            changed_at=clock.now(),
        ).where(Refund.id == refund.id).execute()
        ledger.post([transfers.refund_succeeded(*refunds.figures(refund))])
        outbox.write("mail:refund-paid", {"refund_id": refund.id})
        record(by, "refund:paid-by-hand", f"refund:{refund.id}", reference=reference)
    paid: Refund = Refund.get_by_id(refund.id)
    return paid


def ask_for_consent(by: Membership, refund_id: int) -> None:
    """Asks the person by mail whether the organisation may have it as credit; nothing moves."""
    with transaction():
        failed = _failed(refund_id)
        outbox.write("mail:refund-failed", {"refund_id": failed.id})
        record(by, "refund:consent-asked", f"refund:{failed.id}")


def hand_over(user: User, session: Session, refund_id: int) -> Refund:
    """The person turns their own failed refund into credit of the organisation. NotAllowed("proof")
    without a fresh proof, as for every credit (rule J9); NotThere for somebody else's."""
    with transaction():
        settlement = _settlement_of(user, refund_id)
        # The locks of joining, in its order; invoices take credit under the second.
        locked(User.select(User.id).where(User.id == user.id)).first()
        locked(Account.select(Account.id).where(Account.id == settlement.organisation_id)).first()
        failed = _failed(refund_id)
        if settlement.organisation.currency != failed.currency:
            raise Invalid("currency", field="choice")
        if not sessions.is_fresh(session):
            raise NotAllowed("proof")
        Refund.update(state="canceled", changed_at=clock.now()).where(
            Refund.id == failed.id
        ).execute()
        lot = credit.open_lot(settlement, failed.amount_minor, failed.share)
        ledger.post([transfers.refund_to_credit(failed.share_id, *_parties(settlement, failed))])
        _state_credit(settlement, failed)
        record(None, "refund:handed-over", f"refund:{failed.id}", lot=lot.id, user=user.id)
    handed: Refund = Refund.get_by_id(failed.id)
    return handed


def _settlement_of(user: User, refund_id: int) -> Settlement:
    """What the refund is part of; somebody else's is not there, whatever became of it."""
    found: Settlement | None = (
        Settlement.select()
        .join(SettlementShare)
        .join(Refund)
        .switch(Settlement)
        .join(Acceptance)
        .where(Refund.id == refund_id, Acceptance.user == user)
        .first()
    )
    if found is None:
        raise NotThere("refund")
    return found


def _parties(settlement: Settlement, refund: Refund) -> tuple[int, int, str, int]:
    return (
        settlement.account_id,
        settlement.organisation_id,
        refund.currency,
        refund.amount_minor,
    )


def _state_credit(settlement: Settlement, refund: Refund) -> None:
    """The organisation's document. The person's own stays: what it corrects is the same."""
    organisation = settlement.organisation

    def draft(heading: Heading) -> Document:
        now_available: Heading = {**heading, "held_until": None}
        return Document(
            kind="account_credit",
            currency=refund.currency,
            gross_minor=refund.amount_minor,
            tax_minor=0,
            **now_available,
        )

    person = settlement.acceptance.user
    statements.issue("account_credit", settlement, organisation, person, organisation.locale, draft)


def _failed(refund_id: int) -> Refund:
    """The refund, locked with its share, if it failed and nothing took its place."""
    refund: Refund | None = locked(Refund.select().where(Refund.id == refund_id)).first()
    if refund is None:
        raise NotThere("refund")
    locked(SettlementShare.select().where(SettlementShare.id == refund.share_id)).first()
    if not refunds.failed().where(Refund.id == refund_id).exists():
        raise Stale("refund", refund_id=refund_id)
    return refund


def _payout(refund_id: int) -> Refund | None:
    """The refund if it waits to be paid by hand because no gateway took its payment."""
    query: Any = refunds.payouts().where(Refund.id == refund_id)
    found: Refund | None = query.first()
    if found is None:
        return None
    held: Refund = locked(Refund.select().where(Refund.id == refund_id)).get()
    if held.state != "requested":
        raise Stale("refund", refund_id=refund_id)
    return held


def _another(failed: Refund) -> Refund:
    now = clock.now()
    another: Refund = Refund.create(
        share=failed.share_id,
        payment=failed.payment_id,
        currency=failed.currency,
        amount_minor=failed.amount_minor,
        idempotency_key=f"refund-{clock.new_public_id()}",
        created_at=now,
        changed_at=now,
    )
    return another


def _requested_again(failed: Refund) -> Refund:
    """A new refund of the share that no gateway is asked for."""
    another = _another(failed)
    Refund.update(state="requested", requested_at=clock.now(), is_by_hand=True).where(
        Refund.id == another.id
    ).execute()
    ledger.post([transfers.refund_requested(*refunds.figures(another))])
    fresh: Refund = Refund.get_by_id(another.id)
    return fresh
