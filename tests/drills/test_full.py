"""The disk is full, and has room again."""

import pytest

from tests.drills.full import by_quota

pytestmark = pytest.mark.drill

PEOPLE = 12


def test_without_room_nobody_half_joins_and_with_room_everybody_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    full = by_quota(PEOPLE)

    assert full.answers[503] > 0
    assert full.answers[303] + full.after[303] == PEOPLE
    assert "database away: database or disk is full" in caplog.messages, "the log says why"
