"""Both gateways behind the one protocol, on the same strict books."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from tests.money import ACCEPTED
from tests.stripe_server import StripeServer
from webapp.payments.gateway import Gateway
from webapp.payments.simulated import SimulatedGateway
from webapp.payments.stripe.gateway import StripeGateway


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as travelled:
        yield travelled


@pytest.fixture
def server(app: Flask) -> Iterator[StripeServer]:
    with StripeServer() as server:
        yield server


@pytest.fixture(params=["simulated", "stripe"])
def gateway(
    request: pytest.FixtureRequest, app: Flask, clock: time_machine.Traveller
) -> Iterator[Gateway]:
    if request.param == "simulated":
        yield SimulatedGateway()
        return
    with StripeServer() as server:
        yield StripeGateway("sk_test_contract", server.address)
