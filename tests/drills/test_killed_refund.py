"""A real program is killed in the middle of a refund's life; whoever goes on finds out what
happened, and nothing happens twice. A handful of points; `killed_programs.py` tells of all."""

import pytest

from tests.drills.kill_points import POINTS
from tests.drills.killed_programs import at_point
from tests.drills.kills import drill_at

pytestmark = pytest.mark.drill

HANDFUL = [
    ("the worker sends it", "after webapp.actions.refunds:_begin"),
    (
        "the worker sends it",
        "after webapp.payments.simulated.gateway:SimulatedGateway.create_refund",
    ),
    ("reconcile follows it", "after webapp.actions.ledger:post"),
    ("the person joins", "after webapp.actions.settlements:settle"),
    ("the person undoes", "after webapp.actions.undo:undo"),
]


@pytest.mark.parametrize(("story", "point"), HANDFUL)
def test_killed_at_that_point_each_refund_happens_once(
    database_url: str, story: str, point: str
) -> None:
    with drill_at(database_url, 1) as drill:
        at_point(drill, story, point)

    assert drill.problems == []
    assert drill.told["killed"] == 1


def test_the_handful_is_of_all_the_points() -> None:
    assert all(point in POINTS[story] for story, point in HANDFUL)
