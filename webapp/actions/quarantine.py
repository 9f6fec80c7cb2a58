"""Effects that were given up after their last attempt: what each is about, and the two ways on."""

from dataclasses import dataclass
from typing import Any

from webapp import clock, outbox
from webapp.actions.audit import record
from webapp.database import transaction
from webapp.errors import Invalid, NotThere, Stale
from webapp.models import (
    Acceptance,
    CreditPush,
    Invitation,
    InvoiceCopy,
    Membership,
    OutboxMessage,
    Payment,
    Refund,
    Settlement,
    Statement,
    Subscription,
    Upload,
    User,
)
from webapp.texts import cleaned

# What may be let go: no money, no document and no plan waits for it.
DISPENSABLE = ("follow", "sync", "sync:changes", "upload:forget", "reconcile")


@dataclass(frozen=True, slots=True)
class About:
    """Whom and what a message is about, as far as the operator's finance may know: a person or an
    organisation, and an amount where money hangs on it."""

    name: str = ""
    email: str = ""
    amount_minor: int = 0
    currency: str = ""


def find(message_id: int) -> OutboxMessage:
    """One that was given up, or NotThere."""
    found: OutboxMessage | None = OutboxMessage.get_or_none(
        OutboxMessage.id == message_id, OutboxMessage.quarantined_at.is_null(False)
    )
    if found is None:
        raise NotThere("message")
    return found


def about(message: OutboxMessage) -> About:
    for name, id in message.payload.items():
        model, tell = TOLD.get(name, (None, None))
        row = model.get_or_none(model.id == id) if model and isinstance(id, int) else None
        if row is not None and tell is not None:
            told: About = tell(row)
            return told
    return About()


def may_be_discarded(message: OutboxMessage) -> bool:
    """Nothing that moves money, or freezes a document, is ever dropped (rule M7)."""
    return bool(message.kind.startswith("mail:") or message.kind in DISPENSABLE)


def retry(by: Membership, message_id: int) -> None:
    """Due at once, with all its tries anew. Stale when it is not there any more."""
    with transaction():
        if not outbox.retry(message_id):
            raise _stale_or_none(message_id)
        record(by, "message:retried", f"message:{message_id}")


def discard(by: Membership, message_id: int, reason: str) -> None:
    """Lets it go for good, and keeps why. Invalid without a reason, or for what may not be let
    go; Stale as above."""
    reason = cleaned(reason, 300)
    if not reason:
        raise Invalid("reason", field="reason")
    with transaction():
        changed = (
            OutboxMessage.update(quarantined_at=None, canceled_at=clock.now())
            .where(OutboxMessage.id == message_id, OutboxMessage.quarantined_at.is_null(False))
            .execute()
        )
        if not changed:
            raise _stale_or_none(message_id)
        if not may_be_discarded(OutboxMessage.get_by_id(message_id)):
            raise Invalid("needed", field="reason")
        record(by, "message:discarded", f"message:{message_id}", reason=reason)


def _stale_or_none(message_id: int) -> Exception:
    is_there = OutboxMessage.select().where(OutboxMessage.id == message_id).exists()
    return Stale("message", message_id=message_id) if is_there else NotThere("message")


def _of_user(user: User) -> About:
    return About(user.shown_name, user.known_email)


def _of_settlement(settlement: Settlement) -> About:
    person = settlement.acceptance.user
    return About(person.shown_name, person.known_email, settlement.gross_minor, settlement.currency)


def _of_acceptance(acceptance: Acceptance) -> About:
    settlement: Settlement | None = Settlement.get_or_none(Settlement.acceptance == acceptance)
    return _of_user(acceptance.user) if settlement is None else _of_settlement(settlement)


def _of_refund(refund: Refund) -> About:
    person = refund.share.settlement.acceptance.user
    return About(person.shown_name, person.known_email, refund.amount_minor, refund.currency)


def _of_statement(statement: Statement) -> About:
    return About(statement.customer_name, "", statement.gross_minor, statement.currency)


def _of_payment(payment: Payment) -> About:
    return About(payment.account.name, "", payment.captured_minor, payment.currency)


def _of_push(push: CreditPush) -> About:
    return About(push.organisation.name, "", push.amount_minor, push.currency)


def _of_copy(copy: InvoiceCopy) -> About:
    invoice = copy.invoice
    return About(invoice.account.name, "", invoice.total_minor, invoice.currency)


# The payload's key → the rows that it names, and what is told of one. Of invitations only whose
# they are: who is invited is the organisation's.
TOLD: dict[str, tuple[Any, Any]] = {
    "refund_id": (Refund, _of_refund),
    "statement_id": (Statement, _of_statement),
    "settlement_id": (Settlement, _of_settlement),
    "acceptance_id": (Acceptance, _of_acceptance),
    "payment_id": (Payment, _of_payment),
    "push_id": (CreditPush, _of_push),
    "copy_id": (InvoiceCopy, _of_copy),
    "subscription_id": (Subscription, lambda one: About(one.account.name)),
    "invitation_id": (Invitation, lambda one: About(one.account.name)),
    "upload_id": (Upload, lambda one: About(one.account.name)),
    "membership_id": (Membership, lambda one: _of_user(one.user)),
    "user_id": (User, _of_user),
}
