"""The gateway that the settings name. Its client is imported only here, and only when it is used:
nothing of Stripe's library is needed where payments are simulated."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from webapp.config import Config
from webapp.payments.gateway import Gateway, GatewayAway
from webapp.payments.source import Source


def gateway_in_use(config: Config) -> Gateway:
    """Raises GatewayAway, with what is missing, while the gateway can't be asked."""
    if config.payments == "simulated":
        from webapp.payments.simulated import SimulatedGateway

        return SimulatedGateway()
    return _stripe(config.stripe_api_key, config.stripe_api_base)


def source_in_use(config: Config) -> Source | None:
    """Where accounts are read from; None where the gateway is simulated and has none. Raises
    GatewayAway as above."""
    if config.payments == "simulated":
        return None
    with _library(config.stripe_api_key):
        from webapp.payments.stripe.source import StripeSource

        source = StripeSource(config.stripe_api_key, config.stripe_api_base)
    return source


@cache
def _stripe(api_key: str, api_base: str) -> Gateway:
    with _library(api_key):
        from webapp.payments.stripe.gateway import StripeGateway

        gateway = StripeGateway(api_key, api_base)
    return gateway


@contextmanager
def _library(api_key: str) -> Iterator[None]:
    if not api_key:
        raise GatewayAway("STRIPE_API_KEY is not set")
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "stripe":
            raise
        raise GatewayAway(
            "Stripe's library is not installed: pip install -r requirements-stripe.txt"
        ) from error
