"""Undoing an acceptance while everything is still held, or giving that up early (rule J14)."""

from collections.abc import Sequence

from invoices import ledger as transfers
from webapp import clock, outbox
from webapp.actions import charging, ledger, statements
from webapp.actions.audit import record
from webapp.database import locked, transaction
from webapp.errors import Blocked, NotThere, Stale
from webapp.models import (
    Acceptance,
    Account,
    CreditLot,
    Membership,
    Payment,
    Refund,
    Settlement,
    SettlementShare,
    Statement,
    Subscription,
    User,
)


def undo(user: User, acceptance_id: int) -> Acceptance:
    """Restores plan, membership, seat and ledger, and cancels the statements; the link stays
    spent. Again changes nothing. Who left meanwhile, or was removed, undoes from their own free
    account: no organisation keeps a credit by sending its giver away. Stale once the window has
    closed or the money has left, Blocked when the person has become the organisation's last owner
    or has gone elsewhere since."""
    with transaction():
        acceptance = _held(user, acceptance_id)
        if acceptance.undone_at is not None:
            return acceptance
        present = _require_undoable(acceptance)
        now = clock.now()
        _claim(acceptance, undone_at=now)
        present.end(now)
        if present.account.kind == "individual":
            Account.update(closed_at=now).where(Account.id == present.account_id).execute()
        _restore(acceptance)
        settlement = Settlement.get_or_none(Settlement.acceptance == acceptance)
        if settlement is not None:
            _reverse(settlement)
        charging.resume(acceptance)
        outbox.write("mail:undone", {"acceptance_id": acceptance.id})
        record(acceptance.membership, "acceptance:undone", f"acceptance:{acceptance.id}")
    return find(user, acceptance_id)


def send_now(user: User, acceptance_id: int) -> Acceptance:
    """Gives the undo up: what is held leaves at once. Again, or after the window, changes
    nothing; Stale when it was undone."""
    with transaction():
        acceptance = _held(user, acceptance_id)
        if acceptance.undone_at is not None:
            raise Stale("acceptance")
        now = clock.now()
        if not acceptance.is_held(now):
            return acceptance
        _claim(acceptance, undo_until=now)
        settlement = Settlement.get_or_none(Settlement.acceptance == acceptance)
        if settlement is not None:
            _leave(settlement)
        charging.finish(acceptance)
        record(acceptance.membership, "acceptance:confirmed", f"acceptance:{acceptance.id}")
    return find(user, acceptance_id)


def find(user: User, acceptance_id: int) -> Acceptance:
    """The person's own acceptance of that id, or NotThere."""
    found: Acceptance | None = Acceptance.get_or_none(
        (Acceptance.id == acceptance_id) & (Acceptance.user == user)
    )
    if found is None:
        raise NotThere("acceptance")
    return found


def _held(user: User, acceptance_id: int) -> Acceptance:
    """The acceptance with all that it decides on locked, in the order in which joining locks."""
    locked(User.select(User.id).where(User.id == user.id)).first()
    acceptance = find(user, acceptance_id)
    present = user.membership()
    ids = [acceptance.organisation_id, acceptance.left_membership.account_id]
    if present is not None:
        ids.append(present.account_id)
    list(locked(Account.select(Account.id).where(Account.id.in_(ids)).order_by(Account.id)))
    locked(Acceptance.select(Acceptance.id).where(Acceptance.id == acceptance_id)).first()
    return find(user, acceptance_id)


def _claim(acceptance: Acceptance, **changes: object) -> None:
    changed = (
        Acceptance.update(**changes)
        .where(
            Acceptance.id == acceptance.id,
            Acceptance.undone_at.is_null(),
            Acceptance.undo_until > clock.now(),
        )
        .execute()
    )
    if changed != 1:
        raise Stale("acceptance")


def _require_undoable(acceptance: Acceptance) -> Membership:
    """The membership that undoing ends: the one that joining began or, after leaving, that in the
    person's own free account."""
    present: Membership | None = acceptance.user.membership()
    if present is None or not _is_from(present, acceptance):
        raise Blocked("left_already")
    if present.account.is_organisation and present.is_owner and _owners(present.account) == 1:
        raise Blocked("last_owner")
    return present


def _is_from(present: Membership, acceptance: Acceptance) -> bool:
    if present.id == acceptance.membership_id:
        return True
    is_own = present.account.kind == "individual" and present.is_owner
    later = Acceptance.select().where(
        Acceptance.user == acceptance.user_id,
        Acceptance.id > acceptance.id,
        Acceptance.undone_at.is_null(),
    )
    return is_own and present.account.subscription() is None and not later.exists()


def _owners(organisation: Account) -> int:
    return int(
        Membership.select()
        .where(
            Membership.account == organisation, Membership.ended_at.is_null(), Membership.is_owner
        )
        .count()
    )


def _restore(acceptance: Acceptance) -> None:
    """What was before: the membership, the account and its plan, as they stood."""
    Membership.update(ended_at=None).where(Membership.id == acceptance.left_membership_id).execute()
    if acceptance.closed_account_id is not None:
        Account.update(closed_at=None).where(Account.id == acceptance.closed_account_id).execute()
    if acceptance.ended_subscription_id is not None:
        Subscription.update(status="active", ended_at=None).where(
            Subscription.id == acceptance.ended_subscription_id
        ).execute()


def _reverse(settlement: Settlement) -> None:
    """The settlement's opposite: nothing left, so every share goes back to where it was held."""
    shares = list(SettlementShare.select().where(SettlementShare.settlement == settlement))
    if settlement.choice == "refund":
        _cancel_refunds(shares)
    elif CreditLot.select().where(CreditLot.settlement == settlement).exists():
        raise Stale("acceptance")
    for share in shares:
        Payment.update(
            returned_minor=Payment.returned_minor - share.gross_minor,
            returned_tax_minor=Payment.returned_tax_minor - share.tax_minor,
        ).where(Payment.id == share.payment_id).execute()
    ledger.post([_reversal(settlement)])
    issued = Statement.select().where(
        Statement.settlement == settlement, Statement.corrects.is_null()
    )
    # The person's first, then the organisation's: in the order in which they were numbered.
    for statement in list(issued.order_by(Statement.id)):
        statements.cancel(statement)


def _cancel_refunds(shares: Sequence[SettlementShare]) -> None:
    """All of them are still held, or nothing is undone: a departure that was faster has won."""
    now = clock.now()
    for share in shares:
        changed = (
            Refund.update(state="canceled", changed_at=now)
            .where(Refund.share == share, Refund.state == "held")
            .execute()
        )
        if changed != 1:
            raise Stale("acceptance")


def _reversal(settlement: Settlement) -> transfers.Transfer:
    figures = (settlement.currency, settlement.gross_minor)
    if settlement.choice == "refund":
        held = transfers.refund_held(settlement.id, settlement.account_id, *figures)
    else:
        held = transfers.credit_held(
            settlement.id, settlement.account_id, settlement.organisation_id, *figures
        )
    return transfers.reversed_transfer(held, f"settlement:{settlement.id}:undone")


def _leave(settlement: Settlement) -> None:
    """Messages that are due now; the ones that wait for the window find nothing left to do."""
    if settlement.choice == "credit":
        outbox.write("credit", {"settlement_id": settlement.id})
        return
    refunds = (
        Refund.select(Refund.id)
        .join(SettlementShare)
        .where(SettlementShare.settlement == settlement, Refund.state == "held")
    )
    for refund in refunds:
        outbox.write("refund", {"refund_id": refund.id})
