"""A few refunds through a gateway on a bad line."""

from random import Random

import pytest
from flask import Flask

from tests.drills.gateway import Line

pytestmark = pytest.mark.drill

# Always the same, so that a failure is of the change at hand; `make drills` seeds by the clock.
SEED = 1


def test_whatever_the_gateway_does_each_refund_is_made_once(app: Flask) -> None:
    line = Line(app, Random(SEED))

    line.run(8)

    assert sum(line.told.values()) > 8, "the line was bad"
