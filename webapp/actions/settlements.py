"""Settling what leaving is worth: back to the payments, or credit to the organisation (rules M4,
M5, J10, J14)."""

from collections.abc import Sequence
from typing import Any, cast

from invoices import ledger as transfers
from invoices import settlement as core
from invoices import statement as documents
from invoices.proration import Captured, Quote
from webapp import clock, outbox
from webapp.actions import credit, ledger, quotes, statements
from webapp.database import locked, transaction
from webapp.errors import Invalid, Stale
from webapp.models import Acceptance, Account, Payment, Refund, Settlement, SettlementShare, written


def settle(
    acceptance: Acceptance,
    account: Account,
    offered: Quote,
    choice: str,
    payments: Sequence[Payment] | None = None,
) -> Settlement:
    """Settles exactly what was offered, inside the acceptance's transaction: the settlement, what
    each payment gives back, the refunds (held), the ledger, the statements and the effects.

    `account` is the individual's, `acceptance.ended_subscription` the plan that ends, `payments`
    are its payments where the caller has locked them. Raises
    Invalid for a choice that is not one (or credit in a currency that the organisation does not
    have, M1), and Stale when the payments are no longer those that the offer was made from.
    """
    _require_choice(acceptance, offered, choice)
    payments = _decided(acceptance) if payments is None else payments
    taken = [quotes.captured(payment) for payment in payments]
    try:
        decided = core.settle(offered, cast(core.Choice, choice), taken)
    except ValueError as error:
        raise Stale("quote") from error
    settlement = _write(acceptance, account, decided)
    shares = _give_back(settlement, decided, payments)
    if choice == "refund":
        _hold_refunds(settlement, shares, acceptance)
    else:
        _hold_credit(settlement, acceptance)
    _issue(settlement, decided, taken, acceptance)
    return settlement


def release(settlement_id: int) -> None:
    """The undo window closed: invoices may take the credit. Again, or once undone, changes
    nothing, nor while a bank looks into one of the payments."""
    with transaction():
        settlement = Settlement.get_by_id(settlement_id)
        # In the order in which joining and undoing lock; invoices take credit under the first.
        organisation_id = settlement.organisation_id
        locked(Account.select(Account.id).where(Account.id == organisation_id)).first()
        acceptance = locked(Acceptance.select().where(Acceptance.id == settlement.acceptance)).get()
        transfer = transfers.credit_available(
            settlement.id,
            settlement.organisation.id,
            settlement.currency,
            settlement.gross_minor,
        )
        if settlement.choice != "credit" or acceptance.undone_at or ledger.is_posted(transfer.key):
            return
        if acceptance.is_held(clock.now()):
            raise outbox.Deferred("the acceptance can still be undone")
        if _is_disputed(settlement):
            return  # the end of the dispute asks again
        ledger.post([transfer])
        credit.open_lot(settlement, settlement.gross_minor)


def _is_disputed(settlement: Settlement) -> bool:
    disputed = (SettlementShare.settlement == settlement) & Payment.is_disputed
    return bool(SettlementShare.select().join(Payment).where(disputed).exists())


def _require_choice(acceptance: Acceptance, offered: Quote, choice: str) -> None:
    if choice not in ("refund", "credit"):
        raise Invalid("choice", field="choice")
    if choice == "credit" and acceptance.organisation.currency != offered.currency:
        raise Invalid("choice", field="choice")


def _decided(acceptance: Acceptance) -> list[Payment]:
    """The payments of the plan that ends, locked in the order of their ids."""
    if acceptance.ended_subscription is None:
        raise Stale("quote")
    return quotes.lock_payments(acceptance.ended_subscription)


def _write(acceptance: Acceptance, account: Account, decided: core.Settlement) -> Settlement:
    quote = decided.quote
    routes = [
        {"reference": one.reference, "gross_minor": one.gross_minor, "tax_minor": one.tax_minor}
        for one in decided.routes
    ]
    settlement: Settlement = Settlement.create(
        acceptance=acceptance,
        account=account,
        organisation=acceptance.organisation,
        choice=decided.choice,
        currency=quote.currency,
        settled_on=quote.on,
        gross_minor=quote.gross_minor,
        tax_minor=quote.tax_minor,
        derivation={**quote.figures(), "routes": routes},
    )
    return settlement


def _give_back(
    settlement: Settlement, decided: core.Settlement, payments: Sequence[Payment]
) -> list[SettlementShare]:
    """The shares, and what each payment has given back with them. A share's tax is what that
    payment still held of it: the whole tax is the settlement's."""
    by_reference = {payment.reference: payment for payment in payments}
    shares = []
    for route in decided.routes:
        payment = by_reference[route.reference]
        tax = min(route.tax_minor, payment.tax_minor - payment.returned_tax_minor)
        changed = written.change(
            """
            UPDATE payment SET returned_minor = returned_minor + ?,
                               returned_tax_minor = returned_tax_minor + ?
             WHERE id = ? AND returned_minor = ? AND captured_minor - returned_minor >= ?
            """,
            route.gross_minor,
            tax,
            payment.id,
            payment.returned_minor,
            route.gross_minor,
        )
        if changed != 1:
            raise Stale("quote")
        shares.append(
            SettlementShare.create(
                settlement=settlement,
                payment=payment,
                gross_minor=route.gross_minor,
                tax_minor=tax,
            )
        )
    return shares


def _hold_refunds(
    settlement: Settlement, shares: Sequence[SettlementShare], acceptance: Acceptance
) -> None:
    """One refund for each payment. One that no gateway took is held in the same way, and becomes
    a payout to make by hand."""
    ledger.post(
        [
            transfers.refund_held(
                settlement.id, settlement.account.id, settlement.currency, settlement.gross_minor
            )
        ]
    )
    now = clock.now()
    for share in shares:
        refund = Refund.create(
            share=share,
            payment=share.payment,
            currency=settlement.currency,
            amount_minor=share.gross_minor,
            # The row's own, kept for ever: a database restored or begun anew never repeats it.
            idempotency_key=f"refund-{clock.new_public_id()}",
            created_at=now,
            changed_at=now,
        )
        outbox.write("refund", {"refund_id": refund.id}, leaves_at=acceptance.undo_until)


def _hold_credit(settlement: Settlement, acceptance: Acceptance) -> None:
    ledger.post(
        [
            transfers.credit_held(
                settlement.id,
                settlement.account.id,
                settlement.organisation.id,
                settlement.currency,
                settlement.gross_minor,
            )
        ]
    )
    outbox.write("credit", {"settlement_id": settlement.id}, leaves_at=acceptance.undo_until)


def _issue(
    settlement: Settlement,
    decided: core.Settlement,
    taken: Sequence[Captured],
    acceptance: Acceptance,
) -> None:
    """The person's statement, and for credit the organisation's, always in this order: whoever
    waits for a number never holds the other one's."""
    person, organisation = acceptance.user, acceptance.organisation
    write: Any = {"refund": documents.refund_statement, "credit": documents.credit_statement}
    statements.issue(
        decided.choice,
        settlement,
        settlement.account,
        person,
        person.locale,
        lambda heading: write[decided.choice](decided, taken, **heading),
    )
    if decided.choice == "credit":
        statements.issue(
            "account_credit",
            settlement,
            organisation,
            person,
            organisation.locale,
            lambda heading: documents.account_credit_statement(decided, **heading),
        )
