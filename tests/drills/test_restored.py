"""A copy taken while people join, and put back."""

import pytest

from tests.drills.restored import Restored

pytestmark = pytest.mark.drill


def test_a_copy_taken_while_people_join_holds_and_goes_on(engine: str) -> None:
    restored = Restored().run(engine, people=4, copies=1)

    assert restored.problems == []
    assert len(restored.copies) == 1
