"""Stripe's minor units where they are not the standard's."""

import pytest

from webapp.payments.gateway import GatewayRefusal
from webapp.payments.stripe.amounts import ours, stripes


@pytest.mark.parametrize(
    ("currency", "here", "there"),
    [
        ("EUR", 4997, 4997),
        ("JPY", 4997, 4997),
        ("BHD", 4990, 4990),
        ("ISK", 4997, 499700),
        ("UGX", 1, 100),
        ("MGA", 499700, 4997),
        ("MGA", 0, 0),
    ],
)
def test_an_amount_is_the_same_here_and_there(currency: str, here: int, there: int) -> None:
    assert stripes(here, currency) == there
    assert ours(there, currency.lower()) == here


def test_what_stripe_cannot_move_is_refused() -> None:
    with pytest.raises(GatewayRefusal, match="MGA in whole units"):
        stripes(499701, "MGA")


def test_what_the_currency_does_not_have_is_not_rounded() -> None:
    with pytest.raises(ValueError, match="no amount of ISK"):
        ours(499701, "ISK")
