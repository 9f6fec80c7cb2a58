"""Accepting an invitation as one writes it with peewee at first: a query for each thing that is
asked and a statement for each row, built by the query builder. The checks, the locks and the rows
are those of webapp/actions/joining.py, for a person who leaves a paid plan and wants a refund; the
money is worked out by the same core."""

from datetime import datetime, timedelta
from typing import Any

from invoices import ledger as transfers
from invoices import settlement as core
from invoices import statement as documents
from invoices.ledger import NORMAL, Transfer
from invoices.periods import local_day
from invoices.proration import Quote
from webapp import clock
from webapp.actions import quotes, series, statements
from webapp.database import locked, transaction
from webapp.models import (
    Acceptance,
    Account,
    AuditEvent,
    Invitation,
    Invoice,
    LedgerAccount,
    LedgerTransfer,
    Membership,
    OutboxMessage,
    Payment,
    Refund,
    Session,
    Settlement,
    SettlementShare,
    Statement,
    StatementSeries,
    Subscription,
    User,
)
from webapp.policy import policy


def accept(invitation_id: int, session: Session, choice: str, quote_token: str) -> None:
    with transaction():
        now = clock.now()
        user = locked(User.select().where(User.id == session.user_id)).get()
        present = user.membership()
        invitation = Invitation.get_by_id(invitation_id)
        if present is None or invitation.email != user.email:
            raise RuntimeError("another person's")
        inviting = Invitation.select(Invitation.account).where(Invitation.email == user.email)
        ids = {present.account_id, *(one.account_id for one in inviting)}
        list(locked(Account.select().where(Account.id.in_(ids)).order_by(Account.id)))
        invitation = Invitation.get_by_id(invitation_id)
        _require_open(invitation, present, now)
        quote = quotes.current(present.account, now)
        if quote is None or choice != "refund":
            raise RuntimeError("only a paid plan's refund is compared")
        quotes.same_offer(quotes.shown(quote_token), quote, invitation)
        acceptance = _move(invitation, user, present, now)
        _settle(acceptance, present.account, quote, now)
        _close(acceptance, session, now)


def _require_open(invitation: Invitation, present: Membership, now: datetime) -> None:
    plan = invitation.account.subscription()
    inviter = Membership.get(
        Membership.user == invitation.inviter_id,
        Membership.account == invitation.account_id,
        Membership.ended_at.is_null(),
    )
    account = present.account
    owed = Invoice.select().where(
        Invoice.account == account,
        Invoice.voided_at.is_null(),
        Invoice.paid_minor < Invoice.total_minor,
    )
    underway = (
        Refund.select()
        .join(Payment)
        .where(
            Payment.account == account,
            Payment.gateway != "none",
            Refund.state.in_(("requested", "pending", "requires_action")),
        )
    )
    others = Membership.select().where(
        Membership.account == account,
        Membership.ended_at.is_null(),
        Membership.user != present.user_id,
    )
    if not (invitation.is_live(now) and plan.status == "active" and inviter.is_inviting):
        raise RuntimeError("not open")
    if any(one.is_disputed or one.returning_minor for one in quotes.query(account.subscription())):
        raise RuntimeError("the bank has it")
    if owed.exists() or underway.exists() or others.exists():
        raise RuntimeError("something is to be settled first")


def _move(invitation: Invitation, user: User, present: Membership, now: datetime) -> Acceptance:
    Invitation.update(status="accepted", answered_at=now).where(
        Invitation.id == invitation.id, Invitation.status == "pending", Invitation.expires_at > now
    ).execute()
    _cancel(OutboxMessage.invitation == invitation, now)
    Membership.update(ended_at=now).where(Membership.id == present.id).execute()
    plan = present.account.subscription()
    Account.update(closed_at=now).where(Account.id == present.account_id).execute()
    Subscription.update(status="ended", ended_at=now).where(Subscription.id == plan.id).execute()
    names = ("account", "is_admin", "is_finance", "licence", "department", "job_title", "location")
    offered = {name: getattr(invitation, name) for name in names}
    membership = Membership.insert(
        user=user, folded=user.folded, joined_at=now, **offered
    ).execute()  # fmt: skip
    accepted: Any = Acceptance.insert(
        invitation=invitation, user=user, organisation=invitation.account, membership=membership,
        left_membership=present, closed_account=present.account, ended_subscription=plan,
        accepted_at=now, undo_until=now + timedelta(hours=policy().undo_hours),
    ).execute()  # fmt: skip
    return Acceptance.get_by_id(accepted)  # type: ignore[no-any-return]


def _settle(acceptance: Acceptance, account: Account, quote: Quote, now: datetime) -> None:
    payments = list(locked(quotes.query(acceptance.ended_subscription)))
    taken = [quotes.captured(payment) for payment in payments]
    decided = core.settle(quote, "refund", taken)
    figures = [
        {"reference": one.reference, "gross_minor": one.gross_minor, "tax_minor": one.tax_minor}
        for one in decided.routes
    ]
    settlement = Settlement.insert(
        acceptance=acceptance, account=account, organisation=acceptance.organisation,
        choice="refund", currency=quote.currency, settled_on=quote.on,
        gross_minor=quote.gross_minor, tax_minor=quote.tax_minor,
        derivation={**quote.figures(), "routes": figures},
    ).execute()  # fmt: skip
    _post(transfers.refund_held(settlement, account.id, quote.currency, quote.gross_minor), now)
    by_reference = {payment.reference: payment for payment in payments}
    for route in decided.routes:
        _give_back(settlement, by_reference[route.reference], route, acceptance, now)
    _issue(Settlement.get_by_id(settlement), decided, taken)


def _give_back(
    settlement: int, payment: Payment, route: Any, acceptance: Acceptance, now: datetime
) -> None:
    Payment.update(
        returned_minor=Payment.returned_minor + route.gross_minor,
        returned_tax_minor=Payment.returned_tax_minor + route.tax_minor,
    ).where(
        Payment.id == payment.id,
        Payment.captured_minor - Payment.returned_minor >= route.gross_minor,
    ).execute()
    share = SettlementShare.insert(
        settlement=settlement, payment=payment, gross_minor=route.gross_minor,
        tax_minor=route.tax_minor,
    ).execute()  # fmt: skip
    refund = Refund.insert(
        share=share, payment=payment, currency=payment.currency, amount_minor=route.gross_minor,
        idempotency_key=f"refund-{clock.new_public_id()}", created_at=now, changed_at=now,
    ).execute()  # fmt: skip
    _write("refund", {"refund_id": refund}, now, acceptance.undo_until)


def _post(transfer: Transfer, now: datetime) -> None:
    sides = []
    for side in (transfer.debit, transfer.credit):
        found, _is_new = LedgerAccount.get_or_create(
            account=side.account_id, kind=side.kind, currency=side.currency,
            defaults={"normal": NORMAL[side.kind]},
        )  # fmt: skip
        sides.append(found.id)
    list(locked(LedgerAccount.select().where(LedgerAccount.id.in_(sides)).order_by("id")))
    LedgerTransfer.insert(
        key=transfer.key, kind=transfer.kind, debit=sides[0], credit=sides[1],
        amount_minor=transfer.amount_minor, at=now,
    ).execute()  # fmt: skip


def _issue(settlement: Settlement, decided: core.Settlement, taken: Any) -> None:
    acceptance = settlement.acceptance
    person = acceptance.user
    now, zone = clock.now(), policy().billing_zone
    day = local_day(now, zone)
    s = StatementSeries
    taken_number = (
        s.insert(seller=series.SELLER, kind="refund", year=day.year, last=1)
        .on_conflict(conflict_target=[s.seller, s.kind, s.year], update={s.last: s.last + 1})
        .returning(s.last)
        .execute()
    )
    sequence = int(next(iter(taken_number)).last)
    number = f"R-{day.year}-{sequence:06d}"
    document = documents.refund_statement(
        decided, taken, number=number, issued_on=day, locale=person.locale,
        seller=statements.seller(), customer=statements.party(settlement.account, person),
        organisation=settlement.organisation.name, individual=person.shown_name, zone=zone,
        held_until=acceptance.undo_until,
    )  # fmt: skip
    statement = Statement.insert(
        number=number, seller=series.SELLER, kind="refund", year=day.year, sequence=sequence,
        customer_name=document.customer.name, currency=document.currency,
        gross_minor=document.gross_minor, tax_minor=document.tax_minor, locale=document.locale,
        issued_on=day, issued_at=now, inputs=document.to_json(), account=settlement.account,
        user=person, settlement=settlement,
    ).execute()  # fmt: skip
    _write("render", {"statement_id": statement}, now, now)


def _close(acceptance: Acceptance, session: Session, now: datetime) -> None:
    i = Invitation
    others = (i.email == acceptance.user.email) & (i.status == "pending")
    superseded = [one.id for one in i.select(i.id).where(others)]
    if superseded:
        i.update(status="superseded", answered_at=now).where(i.id.in_(superseded)).execute()
        _cancel(OutboxMessage.invitation.in_(superseded), now)
    Session.update(ended_at=now).where(
        Session.user == acceptance.user, Session.ended_at.is_null(), Session.id != session.id
    ).execute()
    _write("mail:accepted", {"acceptance_id": acceptance.id}, now, now)
    AuditEvent.insert(
        at=now, account=acceptance.organisation, actor=acceptance.user,
        kind="invitation:accepted", subject=f"invitation:{acceptance.invitation_id}", facts={},
    ).execute()  # fmt: skip


def _write(kind: str, payload: dict[str, Any], now: datetime, leaves_at: datetime) -> None:
    OutboxMessage.insert(
        kind=kind, payload=payload, created_at=now, leaves_at=leaves_at
    ).execute()  # fmt: skip


def _cancel(condition: Any, now: datetime) -> None:
    m = OutboxMessage
    waiting = m.left_at.is_null() & m.quarantined_at.is_null() & m.canceled_at.is_null()
    free = m.claimed_until.is_null() | (m.claimed_until < now)
    m.update(canceled_at=now).where(waiting & free & condition).execute()
