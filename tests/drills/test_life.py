"""A few short lives; `make drills` tells thousands."""

from pathlib import Path

import pytest

from tests.databases import fresh_sqlite
from tests.drills.life import Life, tell

pytestmark = pytest.mark.drill

LIVES = {"sqlite": 8, "postgresql": 3}
STEPS = 30
# Always the same, so that a failure is of the change at hand; `make drills` seeds by the clock.
SEED = 1


def test_whatever_people_do_the_database_is_as_the_plain_model_says(
    engine: str, database_url: str
) -> None:
    before = Life.told["lives"]

    tell(database_url, LIVES[engine], STEPS, SEED)

    assert Life.told["lives"] - before >= LIVES[engine]


def test_a_program_that_forgets_what_it_gave_back_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What finds nothing in a broken program would prove nothing of a whole one."""
    from webapp.actions import settlements

    monkeypatch.setattr(settlements.statements, "issue", lambda *given: None)

    with pytest.raises(AssertionError):
        tell(fresh_sqlite(tmp_path), 40, STEPS, SEED, is_shrinking=False)
