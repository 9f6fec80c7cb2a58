"""Some of the points at which processes are killed, and some moments;
`make drills` goes through all of them many times."""

import pytest

from tests.drills.kill_points import POINTS
from tests.drills.kills import STORIES
from tests.processes import Process, environment

pytestmark = pytest.mark.drill

# Always the same, so that a failure is of the change at hand; `make drills` seeds by the clock.
SEED = 1


def test_killed_at_some_points_and_moments_everything_happens_once(engine: str) -> None:
    # A process of its own: it has no threads besides the mail server's when it forks.
    drill = ("-m", "tests.drills.kills", "--rounds", "1", "--every", "10", "--moments", "4")
    more = ("--engine", engine, "--seed", str(SEED))
    with Process((*drill, *more), environment("sqlite://")) as process:
        status = process.wait(400)
        said = "".join(process.lines)
    print(said)

    assert status == 0, said
    assert "everything happened once" in said


def test_every_story_has_its_points() -> None:
    assert POINTS.keys() == STORIES.keys()
    assert sum(map(len, POINTS.values())) > 100
