"""A few refunds through a gateway on a bad line, other troubles in every run."""

import time
from random import Random

import pytest
from flask import Flask

from tests.drills.gateway import Line

pytestmark = pytest.mark.drill


def test_whatever_the_gateway_does_each_refund_is_made_once(app: Flask) -> None:
    seed = int(time.time())
    print(f"seed {seed}")
    line = Line(app, Random(seed))

    line.run(8)

    assert sum(line.told.values()) > 8, "the line was bad"
