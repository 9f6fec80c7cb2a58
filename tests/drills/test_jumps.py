"""A clock that jumps, other ways in every run."""

import time
from random import Random

import pytest

from tests.drills.jumps import Jumping
from tests.smtp import MailServer, sending_app

pytestmark = pytest.mark.drill


def test_a_jumping_clock_loses_and_repeats_nothing(database_url: str) -> None:
    seed = int(time.time())
    print(f"seed {seed}")
    with MailServer() as server, sending_app(database_url, server) as app:
        jumping = Jumping(app, server, Random(seed))
        jumping.run(4)

    assert jumping.told["mails"] >= 4
