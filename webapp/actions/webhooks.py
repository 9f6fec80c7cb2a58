"""Webhooks: each is taken in once, and none is believed. What one hints at is asked for afresh, so
that it does no harm whether it comes late, twice, in disorder or never (rule M6)."""

from datetime import timedelta

from peewee import IntegrityError

from webapp import clock, outbox
from webapp.database import database, transaction
from webapp.models import Account, Payment, Refund, WebhookEvent
from webapp.payments.webhooks import Event

# Gateways give up after three days.
REMEMBERED = timedelta(days=30)
# What any of our records is made from; of everything else only the id is kept.
CONCERNING = ("charge.", "customer.", "invoice.", "payment_intent.", "refund.")


def receive(event: Event) -> bool:
    """Remembers the event and writes what has to be asked. False for one that came before."""
    with transaction():
        if not _is_new(event):
            return False
        now = clock.now()
        WebhookEvent.delete().where(WebhookEvent.received_at < now - REMEMBERED).execute()
        if event.kind.startswith(CONCERNING):
            _ask(event)
    return True


def _ask(event: Event) -> None:
    refund = _refund(event)
    if refund is not None:
        outbox.write("follow", {"refund_id": refund.id})
        return
    customer = event.customer or _customer(event)
    # A renewal tells of itself in many events; one that still waits asks for all of them.
    if customer and not outbox.is_asked_for("sync", {"customer": customer}):
        outbox.write("sync", {"customer": customer})


def _is_new(event: Event) -> bool:
    try:
        with database.savepoint():
            WebhookEvent.create(reference=event.id, kind=event.kind, received_at=clock.now())
    except IntegrityError:
        return False
    return True


def _refund(event: Event) -> Refund | None:
    """One of ours, by the gateway's reference, or by our own key when the answer that would have
    told us the reference was lost."""
    if not event.refund:
        return None
    found: Refund | None = Refund.get_or_none(Refund.gateway_reference == event.refund)
    if found is None and event.refund_key:
        found = Refund.get_or_none(Refund.idempotency_key == event.refund_key)
    return found


def _customer(event: Event) -> str:
    """Whose payment it is that somebody else refunded, or that is disputed."""
    found = (
        Account.select(Account.gateway_customer)
        .join(Payment)
        .where(Payment.reference.in_(event.payments), Payment.gateway != "none")
        .first()
    )
    return str(found.gateway_customer or "") if found else ""
