"""A clock that jumps."""

from random import Random

import pytest

from tests.drills.jumps import Jumping
from tests.smtp import MailServer, sending_app

pytestmark = pytest.mark.drill

# Always the same, so that a failure is of the change at hand; `make drills` seeds by the clock.
SEED = 1


def test_a_jumping_clock_loses_and_repeats_nothing(database_url: str) -> None:
    with MailServer() as server, sending_app(database_url, server) as app:
        jumping = Jumping(app, server, Random(SEED))
        jumping.run(6)

    assert jumping.told["mails"] >= 6
    assert jumping.told["back"] > 0
    assert jumping.told["went away"] > 0
