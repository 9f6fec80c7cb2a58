"""What leaving is worth, and the offer that travels with the form (rules M2 and J8)."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from invoices.periods import BillingPeriod, local_day
from invoices.proration import Captured, Quote, quote
from webapp.errors import Invalid, Stale
from webapp.models import Account, Invitation, Payment, Subscription
from webapp.models.written import columns_of, fetch_all, instances, locking
from webapp.policy import policy

# What the form's token says: the invitation, what it promises, and the figures.
Shown = dict[str, Any]


def current(account: Account, at: datetime) -> Quote | None:
    """What an individual's account would get back at this instant; None for a free account.

    A quote of nothing is a quote too: the page then says that there is nothing to give back (M9).
    """
    subscription = account.subscription()
    if subscription is None or subscription.period_start_on is None:
        return None
    return of(subscription, payments_of(subscription), at)


def of(subscription: Subscription, payments: list[Payment], at: datetime) -> Quote:
    """The unused share of these payments; days are those of the subscription's own zone."""
    days: tuple[Any, ...] = (
        subscription.period_start_on,
        subscription.period_end_on,
        subscription.trial_end_on,
    )
    day = local_day(at, subscription.billing_zone)
    return quote(
        subscription.currency, BillingPeriod(*days), day, [captured(one) for one in payments]
    )


def payments_of(subscription: Subscription) -> list[Payment]:
    """The payments of the billing period in force, which are the ones tied to the subscription;
    always in the same order. Nothing is converted: only those in its currency count (M1)."""
    found = list(query(subscription))
    for payment in found:
        payment.subscription = subscription
    return found


def lock_payments(subscription: Subscription) -> list[Payment]:
    """The same, locked in the order of their ids, for whoever decides on them."""
    statement = f"""
        SELECT {columns_of(Payment)} FROM payment
         WHERE subscription_id = ? AND currency = ? ORDER BY id
    """  # nosec B608 # names of columns, all of them ours
    found = []
    for row in fetch_all(locking(statement), subscription.id, subscription.currency):
        (payment,) = instances(row, Payment)
        payment.subscription = subscription
        found.append(payment)
    return found


def query(subscription: Subscription) -> Any:
    """`payments_of` as a query, for whoever locks the rows before deciding on them."""
    return (
        Payment.select()
        .where(Payment.subscription == subscription, Payment.currency == subscription.currency)
        .order_by(Payment.id)
    )


def disputed(account: Account) -> list[Payment]:
    """The payments of the present period that the bank looks into: nobody knows yet whose they
    are (threat T24)."""
    subscription = account.subscription()
    payments = [] if subscription is None else payments_of(subscription)
    return [payment for payment in payments if payment.is_disputed]


def captured(payment: Payment) -> Captured:
    """A payment as the money core sees it; its day is that of the subscription's zone."""
    zone = payment.subscription.billing_zone if payment.subscription else policy().billing_zone
    return Captured(
        reference=payment.reference,
        captured_minor=payment.captured_minor,
        tax_minor=payment.tax_minor,
        tax_rate=payment.tax_rate,
        returned_minor=payment.returned_minor,
        returned_tax_minor=payment.returned_tax_minor,
        method=payment.method,
        gateway=payment.gateway,
        captured_on=local_day(payment.captured_at, zone),
        invoice_number=payment.invoice_number or None,
        invoice_on=payment.invoice_on,
    )


def sign(offered: Quote | None, invitation: Invitation) -> str:
    """The offer as a text for the form: it needs no row, and nobody can alter it. Of a free
    account it says what the invitation promises, and no figures."""
    token: str = _signer(policy().secret_key).dumps(_offer(offered, invitation))
    return token


def shown(token: str) -> Shown | None:
    """What `sign` signed; None for no token. It asks no database, so that nobody has to wait
    under a lock for it. A token that was altered shows nothing."""
    if not token:
        return None
    try:
        found = _signer(policy().secret_key).loads(token)
    except BadSignature:
        return {}
    return found if isinstance(found, dict) else {}


def same_offer(shown: Shown | None, offered: Quote | None, invitation: Invitation) -> bool:
    """True when what was `shown` is this very offer, however long ago that was.

    Raises Invalid for a token that was missing, altered or of another invitation, and Stale when
    what the invitation promises ("terms") or the figures ("quote") are others by now: the new ones
    are shown, and nothing was done.
    """
    offer = _offer(offered, invitation)
    if shown is None or shown.get("invitation") != offer["invitation"]:
        raise Invalid("quote", field="quote")
    if shown.get("terms") != offer["terms"]:
        raise Stale("terms")
    if shown != offer:
        raise Stale("quote")
    return True


def _offer(offered: Quote | None, invitation: Invitation) -> Shown:
    return {
        "invitation": invitation.id,
        "terms": [invitation.licence, *invitation.roles],
        "figures": offered.figures() if offered is not None else None,
    }


@lru_cache(maxsize=1)
def _signer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt="quote")
