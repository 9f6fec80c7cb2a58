"""Money and documents: what leaves once an acceptance can no longer be undone, and PDFs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from invoices import printing
from webapp import outbox
from webapp.actions import (
    charging,
    credit_pushes,
    following,
    invoice_copies,
    month_end,
    refunds,
    settlements,
    statements,
    stripe_sync,
)
from webapp.handlers import Errand
from webapp.outbox import Deferred, claiming
from webapp.payments.choose import gateway_in_use, source_in_use
from webapp.payments.gateway import Gateway, GatewayAway, GatewayRefusal
from webapp.payments.source import Unmappable
from webapp.policy import policy

log = logging.getLogger("affluent.worker")

# So many refunds in a row without an answer: the gateway is away, and it isn't only one of them.
ENOUGH = 3


def gateway() -> Gateway:
    """The gateway that the settings name. Raises GatewayAway."""
    return gateway_in_use(policy())


def render(errand: Errand) -> bool:
    with _printed():
        statements.render(errand.message.payload["statement_id"])
    return True


def render_copy(errand: Errand) -> bool:
    with _printed():
        invoice_copies.render(errand.message.payload["copy_id"])
    return True


@contextmanager
def _printed() -> Iterator[None]:
    try:
        yield
    except printing.Lost as error:
        raise Deferred(str(error)) from error


def reconcile(errand: Errand) -> bool:
    """A month's documents, refunds and ledger, side by side."""
    with _or_later():
        return month_end.carry_out(
            errand.message.payload["reconciliation_id"],
            gateway(),
            lambda: claiming.renew(errand.claim),
        )


def refund(errand: Errand) -> bool:
    with _or_later():
        refunds.request(errand.message.payload["refund_id"], gateway())
    return True


def follow(errand: Errand) -> bool:
    """A hint that something became of a refund."""
    with _or_later():
        refunds.follow(errand.message.payload["refund_id"], gateway())
    return True


def charge(errand: Errand) -> bool:
    """The plan's charging at the gateway, as it is wanted by now (rule M10)."""
    with _or_later():
        is_wanted = charging.settle(errand.message.payload["subscription_id"], gateway())
    return is_wanted


def credit(errand: Errand) -> bool:
    settlements.release(errand.message.payload["settlement_id"])
    return True


def push_credit(errand: Errand) -> bool:
    with _or_later():
        credit_pushes.send(errand.message.payload["push_id"], gateway())
    return True


def sync(errand: Errand) -> bool:
    """A hint that something changed of a customer of the gateway."""
    reference = errand.message.payload["customer"]
    _require_alone(errand)
    with _or_later():
        source = source_in_use(policy())
        if source is None:
            return False
        try:
            outcome, left_out = stripe_sync.bring(reference, source, stripe_sync.defaults())
        except Unmappable as error:
            outcome, left_out = "refused", [str(error)]
    for reason in left_out:
        _left_out(reference, reason)
    return outcome != "unchanged"


def sync_changes(errand: Errand) -> bool:
    """The customers of whom something changed and no hint came."""
    _require_alone(errand)
    with _or_later():
        source = source_in_use(policy())
        if source is None:
            return False
        job = stripe_sync.Sync(
            source, stripe_sync.defaults(), _left_out, lambda: claiming.renew(errand.claim)
        )
        counts = job.keep_up()
    return bool(counts.imported or counts.updated)


def ask_for_changes() -> None:
    """Once an hour, in case hints were lost."""
    if policy().payments != "simulated" and not outbox.is_asked_for("sync:changes", {}):
        outbox.write("sync:changes", {})


def _require_alone(errand: Errand) -> None:
    """Whoever reads later must write later too, or old records would replace new ones."""
    message = errand.message
    if outbox.is_claimed(message.kind, message.payload, besides=message.id):
        raise Deferred("another worker is reading the same just now")


def _left_out(reference: str, reason: str) -> None:
    log.warning("customer %s: %s", reference, reason)


@contextmanager
def _or_later() -> Iterator[None]:
    try:
        yield
    except GatewayAway as error:
        raise Deferred(str(error) or "the payment gateway is away") from error


def follow_refunds() -> None:
    """Asks what became of the refunds that have left, each by itself."""
    silences = 0
    for each in following.due():
        if silences == ENOUGH:
            return  # nothing will be answered for the others either
        if not following.take_up(each):
            continue
        try:
            refunds.follow(each.id, gateway())
            silences = 0
        except (GatewayAway, Deferred) as error:
            log.warning("refund %s: %s", each.id, error)
            silences += 1
        except (GatewayRefusal, ValueError) as error:
            log.error("refund %s: %s", each.id, error)
