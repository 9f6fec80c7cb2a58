"""Some of the points at which processes are killed, other ones in every run, and some moments;
`make drills` goes through all of them many times."""

import time

import pytest

from tests.drills.kill_points import POINTS
from tests.drills.kills import STORIES
from tests.processes import Process, environment

pytestmark = pytest.mark.drill


def test_killed_at_some_points_and_moments_everything_happens_once(engine: str) -> None:
    seed = str(int(time.time()))
    # A process of its own: it has no threads besides the mail server's when it forks.
    drill = ("-m", "tests.drills.kills", "--rounds", "1", "--every", "10", "--moments", "4")
    more = ("--engine", engine, "--seed", seed)
    with Process((*drill, *more), environment("sqlite://")) as process:
        status = process.wait(180)
        said = "".join(process.lines)
    print(said)

    assert status == 0, said
    assert "everything happened once" in said


def test_every_story_has_its_points() -> None:
    assert POINTS.keys() == STORIES.keys()
    assert sum(map(len, POINTS.values())) > 100
