"""A mail server that is down, silent, deferring, breaking off and forgetful: a short outage, thirty
times as fast."""

import pytest

from tests.drills.mail_outage import Outage

pytestmark = pytest.mark.drill

MAILS = 24


def test_whatever_the_mail_server_does_each_mail_arrives_and_at_most_twice(
    database_url: str,
) -> None:
    seen = Outage(database_url, MAILS, pace=30, outage=0.5).run()
    print(seen)

    assert seen["arrived"] == MAILS
    assert seen["tries"] > 2 * MAILS, "there was an outage"
