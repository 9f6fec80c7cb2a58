"""The database is away for a moment while people press; a short time of it."""

import pytest

from tests.drills.away import locked, restarted

pytestmark = pytest.mark.drill

PEOPLE = 9


def test_while_somebody_holds_the_lock_people_are_told_to_come_back() -> None:
    live = locked(seconds=2, people=PEOPLE, patience=0.4)

    assert live.problems == []
    assert 503 in {status for _, status in live.answers}, "nobody noticed"


def test_a_restart_and_a_crash_of_postgresql_lose_nothing() -> None:
    live = restarted(times=2, people=PEOPLE)

    assert live.problems == []
    assert 503 in {status for _, status in live.answers}, "nobody noticed"
