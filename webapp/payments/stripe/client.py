"""The one client of Stripe's library, and its errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from webapp.payments.gateway import GatewayAway, GatewayRefusal

# Seconds. A worker's claim on a message lasts longer than two of these.
PATIENCE = 20


def open_client(api_key: str, api_base: str = "") -> stripe.StripeClient:
    """Never repeats a request by itself: whoever asked knows whether it may be asked again."""
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": api_base.rstrip("/")} if api_base else {},
        http_client=stripe.RequestsClient(timeout=PATIENCE),
        max_network_retries=0,
    )


@contextmanager
def in_our_words() -> Iterator[None]:
    """A definite no is GatewayRefusal. Everything else says nothing of what was done: no answer,
    an answer of the 5xx kind, a lock, a limit; or a key that Stripe does not accept, which the
    operator can mend while the request waits."""
    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError) as error:
        if error.http_status == 409 or error.code == "lock_timeout":
            raise GatewayAway(_said(error)) from error
        raise GatewayRefusal(_said(error)) from error
    except stripe.StripeError as error:
        raise GatewayAway(_said(error)) from error


def _said(error: stripe.StripeError) -> str:
    """On one line, without the advice of the library's own."""
    words = " ".join((error.user_message or "").split())
    return (words or type(error).__name__)[:300]
