"""The disk is full, and has room again."""

import pytest

from tests.drills.full import by_quota, on_small_disk

pytestmark = pytest.mark.drill

PEOPLE = 12


def test_without_room_nobody_half_joins_and_with_room_everybody_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    full = by_quota(PEOPLE)

    assert full.answers[503] > 0
    assert full.answers[303] + full.after[303] == PEOPLE
    assert "database away: database or disk is full" in caplog.messages, "the log says why"


def test_nor_on_postgresql_whose_disk_is_full() -> None:
    try:
        full = on_small_disk("postgresql", 4)
    except PermissionError as error:
        pytest.skip(str(error))  # a small disk has to be mounted, which not everybody may

    assert full.answers[503] > 0
    assert full.answers[303] + full.after[303] == 4
