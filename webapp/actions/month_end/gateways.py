"""The refunds that left in a month, ours beside the gateway's."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from peewee import chunked

from webapp.actions.month_end.documents import AT_ONCE
from webapp.actions.month_end.found import Found
from webapp.actions.months import Month
from webapp.actions.refunds import NEXT, UNDERWAY
from webapp.models import Payment, Refund
from webapp.payments.gateway import Gateway, GatewayRefund, ListedRefund

# The gateway's clock is another one, and a lost request is repeated for a day.
BEFORE, AFTER = timedelta(hours=1), timedelta(days=1)
GONE = ("failed", "canceled")
OFTEN = 50


def left_in(month: Month) -> list[Refund]:
    """Those that were asked for, or noted as paid, from the month's first moment to its last."""
    return list(
        Refund.select(Refund, Payment)
        .join(Payment)
        .where(Refund.requested_at >= month.begins_at, Refund.requested_at < month.ends_at)
        .order_by(Refund.id)
    )


def compare(
    month: Month, ours: Sequence[Refund], gateway: Gateway, found: Found, keep: Callable[[], Any]
) -> None:
    listed = _listed(month, gateway, keep)
    by_key = {one.refund_key: one for one in listed if one.refund_key}
    for at, refund in enumerate(ours):
        if at % OFTEN == 0:
            keep()
        _compare_one(refund, by_key, gateway, found)
    of_month = [one for one in listed if month.begins_at <= one.created_at < month.ends_at]
    _name_strangers(of_month, gateway, found)


def _listed(month: Month, gateway: Gateway, keep: Callable[[], Any]) -> list[ListedRefund]:
    found: list[ListedRefund] = []
    for one in gateway.list_refunds(month.begins_at - BEFORE, month.ends_at + AFTER):
        if len(found) % OFTEN == 0:
            keep()
        found.append(one)
    return found


def _compare_one(
    refund: Refund, by_key: dict[str, ListedRefund], gateway: Gateway, found: Found
) -> None:
    minor = int(refund.amount_minor)
    if refund.is_by_hand or refund.payment.gateway == "none":
        group = "by hand" if refund.state == "succeeded" else "to pay by hand"
        found.count(refund.currency, f"ours {group}", minor)
        return
    is_refused = refund.state in GONE and refund.gateway_reference is None
    group = "refused" if is_refused else _group(refund.state)
    found.count(refund.currency, f"ours {group}", minor)
    if refund.payment.gateway != gateway.name:
        found.unasked += 1
        return
    listed = by_key.get(refund.idempotency_key)
    known = listed.refund if listed else _ask(refund, gateway)
    if known is not None:
        found.count(known.currency, f"gateway {_group(known.state)}", known.amount_minor)
    name = _difference(refund, known)
    if name:
        theirs = 0 if known is None else known.amount_minor
        found.note(
            name,
            f"refund:{refund.id}",
            refund.currency,
            minor,
            theirs,
            payment=refund.payment.reference,
        )


def _ask(refund: Refund, gateway: Gateway) -> GatewayRefund | None:
    return gateway.find_refund(refund.payment.reference, refund.idempotency_key)


def _difference(refund: Refund, known: GatewayRefund | None) -> str:
    """The name of what is different, or ""."""
    if known is None:
        if refund.state in GONE:
            return ""  # refused at once: nothing was made there
        return "not asked yet" if refund.state == "requested" else "unknown there"
    if (known.amount_minor, known.currency) != (refund.amount_minor, refund.currency):
        return "another amount"
    if _group(known.state) == _group(refund.state):
        return ""
    return "gateway ahead" if known.state in NEXT.get(refund.state, ()) else "another state"


def _group(state: str) -> str:
    if state in UNDERWAY:
        return "under way"
    return "failed" if state in GONE else "arrived"


def _name_strangers(listed: Sequence[ListedRefund], gateway: Gateway, found: Found) -> None:
    """What the gateway gave back of payments known here without a refund of ours."""
    alive = [one for one in listed if one.refund.state not in GONE]
    ours: set[str] = set()
    for batch in chunked([one.refund_key for one in alive if one.refund_key], AT_ONCE):
        rows = Refund.select(Refund.idempotency_key).where(Refund.idempotency_key.in_(batch))
        ours |= {str(row.idempotency_key) for row in rows}
    strange = [one for one in alive if one.refund_key not in ours]
    payments = _payments(strange, gateway)
    for one in strange:
        payment = next((payments[n] for n in one.payment_references if n in payments), None)
        if payment is None:
            found.outside += 1
            continue
        name = "given back elsewhere" if payment.returned_elsewhere_minor else "not ours"
        found.note(
            name,
            one.refund.reference,
            one.refund.currency,
            0,
            one.refund.amount_minor,
            payment=payment.reference,
        )


def _payments(listed: Sequence[ListedRefund], gateway: Gateway) -> dict[str, Payment]:
    names = sorted({name for one in listed for name in one.payment_references})
    found: dict[str, Payment] = {}
    for batch in chunked(names, AT_ONCE):
        rows = Payment.select().where(Payment.gateway == gateway.name, Payment.reference.in_(batch))
        found.update({str(row.reference): row for row in rows})
    return found
