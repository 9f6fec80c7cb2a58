"""The client against somebody else's idea of Stripe: a smoke test, since localstripe knows neither
idempotency keys nor ceilings."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.processes import Process, environment
from webapp.payments.gateway import GatewayRefusal
from webapp.payments.stripe.gateway import StripeGateway

KEY = "sk_test_localstripe"
CARD = {
    "type": "card",
    "card[number]": "4242424242424242",
    "card[exp_month]": "12",
    "card[exp_year]": "2040",
    "card[cvc]": "123",
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    port = free_port()
    script = Path(__file__).with_name("serve_localstripe.py")
    with Process((str(script), str(port)), environment("sqlite:///:memory:")) as process:
        process.wait_for("Running on")
        yield f"http://127.0.0.1:{port}"


def post(address: str, **form: str) -> dict[str, Any]:
    request = urllib.request.Request(
        address, urllib.parse.urlencode(form).encode(), {"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        answered: dict[str, Any] = json.load(answer)
    return answered


@pytest.fixture(scope="module")
def paid(address: str) -> dict[str, Any]:
    """A payment intent of 187.39 EUR."""
    card = post(f"{address}/v1/payment_methods", **CARD)["id"]
    customer = post(f"{address}/v1/customers", email="camille@example.org", payment_method=card)
    return post(
        f"{address}/v1/payment_intents",
        amount="18739",
        currency="eur",
        customer=customer["id"],
        payment_method=card,
        confirm="true",
    )


@pytest.mark.parametrize("kind", ["payment intent", "charge"])
def test_a_refund_is_made_fetched_and_found(address: str, paid: dict[str, Any], kind: str) -> None:
    gateway = StripeGateway(KEY, address)
    payment = paid["id"] if kind == "payment intent" else paid["latest_charge"]["id"]
    key = f"refund-{kind}"
    made = gateway.create_refund(payment, 4997, "EUR", key, {"refund_key": key})

    assert (made.state, made.amount_minor, made.currency) == ("succeeded", 4997, "EUR")
    assert gateway.fetch_refund(made.reference) == made
    assert gateway.find_refund(payment, key) == made
    assert gateway.find_refund(payment, "another key") is None


def test_what_is_not_there_is_a_refusal(address: str) -> None:
    with pytest.raises(GatewayRefusal):
        StripeGateway(KEY, address).fetch_refund("re_nowhere")
