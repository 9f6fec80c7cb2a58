"""What goes over the line to Stripe, and what its answers and silences mean."""

import json
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ports import free_port
from tests.stripe_server import Request, StripeServer
from webapp.config import Config, from_environment
from webapp.outbox import claiming
from webapp.payments import choose
from webapp.payments.gateway import Gateway, GatewayAway, GatewayRefusal
from webapp.payments.simulated import SimulatedGateway, capture
from webapp.payments.stripe import client
from webapp.payments.stripe.gateway import StripeGateway

REFUND = {
    "id": "re_1",
    "object": "refund",
    "amount": 4997,
    "currency": "eur",
    "status": "succeeded",
    "metadata": {},
}


class Saying(StripeServer):
    """Answers the same to everything."""

    def says(self, status: int, body: dict[str, Any]) -> StripeGateway:
        self.said = status, body
        return StripeGateway("sk_test_said", self.address)

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        self.asked.append(request)
        return self.said


@pytest.fixture
def saying() -> Iterator[Saying]:
    with Saying() as server:
        yield server


def create(gateway: Gateway) -> Any:
    return gateway.create_refund("pi_1", 4997, "EUR", "refund-1", {"refund_key": "refund-1"})


def test_a_refund_is_asked_for_with_its_key_and_named_by_it(server: StripeServer) -> None:
    capture("pi_1", "EUR", 18739)
    create(StripeGateway("sk_test_asked", server.address + "/"))

    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/refunds")
    assert asked.form == {
        "payment_intent": "pi_1",
        "amount": "4997",
        "metadata[refund_key]": "refund-1",
    }
    assert asked.headers["Idempotency-Key"] == "refund-1"
    assert asked.headers["Authorization"] == "Bearer sk_test_asked"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, {"type": "api_error"}),
        (503, {"type": "api_error"}),
        (429, {"type": "invalid_request_error", "code": "rate_limit"}),
        (429, {"type": "invalid_request_error", "code": "lock_timeout"}),
        (409, {"type": "idempotency_error", "code": "idempotency_key_in_use"}),
        (400, {"type": "invalid_request_error", "code": "lock_timeout"}),
        # Nothing was done, but the operator mends the key and the refund goes on.
        (401, {"type": "invalid_request_error"}),
        (403, {"type": "invalid_request_error"}),
    ],
)
def test_an_answer_that_says_nothing_is_no_refusal(
    saying: Saying, status: int, error: dict[str, str]
) -> None:
    gateway = saying.says(status, {"error": {"message": "Not  now.\n", **error}})

    with pytest.raises(GatewayAway, match=r"^Not now\.$"):
        create(gateway)
    assert len(saying.asked) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"type": "invalid_request_error", "code": "charge_already_refunded"}),
        (402, {"type": "card_error", "code": "card_declined"}),
        (404, {"type": "invalid_request_error", "code": "resource_missing"}),
        (400, {"type": "idempotency_error"}),
    ],
)
def test_a_definite_no_is_a_refusal(saying: Saying, status: int, error: dict[str, str]) -> None:
    gateway = saying.says(status, {"error": {"message": "Already refunded.", **error}})

    with pytest.raises(GatewayRefusal, match=r"^Already refunded\.$"):
        create(gateway)
    assert len(saying.asked) == 1


def test_nobody_there_is_no_refusal() -> None:
    with pytest.raises(GatewayAway):
        create(StripeGateway("sk_test_x", f"http://127.0.0.1:{free_port()}"))


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway = StripeGateway("sk_test_x", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(GatewayAway):
            create(gateway)


def test_a_claim_outlasts_asking_and_sending() -> None:
    assert claiming.LEASE.total_seconds() > 2 * client.PATIENCE


def test_a_broken_proxys_answer_says_nothing(saying: Saying) -> None:
    with pytest.raises(GatewayAway):
        create(saying.says(502, {}))


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        (None, ""),
        ({}, ""),
        ({"type": "card", "card": {"reference": "74627471234567890123456"}}, "7462747123456789"),
        ({"type": "card", "card": {"reference": None}}, ""),
        ({"type": "eu_bank_transfer", "eu_bank_transfer": {"reference": "RF18"}}, "RF18"),
        ({"type": "paypal"}, ""),
    ],
)
def test_the_banks_reference_is_read_whatever_the_method(
    saying: Saying, details: Any, shown: str
) -> None:
    gateway = saying.says(200, {**REFUND, "destination_details": details})

    read = gateway.fetch_refund("re_1").bank_reference
    assert read.startswith(shown) if shown else read == ""


def test_a_failures_reason_is_read_in_words(saying: Saying) -> None:
    failed = {**REFUND, "status": "failed", "failure_reason": "expired_or_canceled_card"}

    assert saying.says(200, failed).fetch_refund("re_1").reason == "expired or canceled card"


def test_a_state_that_nobody_knows_is_not_guessed_at(saying: Saying) -> None:
    gateway = saying.says(200, {**REFUND, "status": "evaporated"})

    with pytest.raises(ValueError, match="evaporated"):
        gateway.fetch_refund("re_1")


def settings(**given: str) -> Config:
    return from_environment({"SECRET_KEY": "a key for tests, long enough", **given})


def test_the_settings_choose_the_gateway() -> None:
    assert isinstance(choose.gateway_in_use(settings()), SimulatedGateway)
    keyed = settings(PAYMENTS="stripe", STRIPE_API_KEY="sk_test_chosen")
    assert isinstance(choose.gateway_in_use(keyed), StripeGateway)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(GatewayAway, match="STRIPE_API_KEY"):
        choose.gateway_in_use(settings(PAYMENTS="stripe"))


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("client", "gateway"):
        monkeypatch.delitem(sys.modules, f"webapp.payments.stripe.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "stripe", None)

    with pytest.raises(GatewayAway, match=r"requirements-stripe\.txt"):
        choose.gateway_in_use(settings(PAYMENTS="stripe", STRIPE_API_KEY="sk_test_without"))


def test_nothing_of_stripes_library_is_loaded_where_payments_are_simulated(app: Any) -> None:
    from tests.processes import Process, environment

    code = (
        "import sys, json; from webapp import create_app; create_app();"
        "import webapp.handlers.rounds, webapp.handlers.money as m; m.gateway();"
        "print(json.dumps([name for name in sys.modules if name.split('.')[0] == 'stripe']))"
    )
    with Process(("-c", code), environment("sqlite:///:memory:")) as process:
        process.wait_for("[")
        assert json.loads(process.lines[-1]) == []
