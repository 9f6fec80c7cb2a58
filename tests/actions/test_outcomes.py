"""What the result page is told: when money usually arrives, and when to look again."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask

from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED
from webapp import clock
from webapp.actions import outcomes, statements, undo
from webapp.models import Acceptance, Refund, Statement


@pytest.fixture(autouse=True)
def time(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def acceptance(app: Flask) -> Acceptance:
    return join(make_person(), make_owned(), "refund")


def looks_again(acceptance: Acceptance) -> int:
    settlement = outcomes.settlement_of(acceptance)
    issued = list(Statement.select().where(Statement.settlement == settlement))
    return outcomes.looks_again_in(acceptance, outcomes.refunds_of(settlement), issued, clock.now())


@pytest.mark.parametrize(
    ("day", "count", "then"),
    [
        (date(2026, 11, 23), 0, date(2026, 11, 23)),
        (date(2026, 11, 23), 5, date(2026, 11, 30)),
        (date(2026, 11, 27), 1, date(2026, 11, 30)),
        (date(2026, 11, 28), 1, date(2026, 11, 30)),
        (date(2026, 12, 24), 10, date(2027, 1, 7)),
    ],
)
def test_weekends_are_no_working_days(day: date, count: int, then: date) -> None:
    assert outcomes.working_days_after(day, count) == then


def test_arrival_is_counted_from_the_end_of_the_window(acceptance: Acceptance) -> None:
    assert outcomes.arrival(acceptance) == (date(2026, 12, 1), date(2026, 12, 8))


def test_arrival_is_counted_from_the_last_try(acceptance: Acceptance) -> None:
    (share,) = settlement_of(acceptance).shares
    later = ACCEPTED + timedelta(days=8)
    Refund.update(state="requested", requested_at=later).where(Refund.share == share).execute()

    refunds = outcomes.refunds_of(settlement_of(acceptance))
    assert outcomes.arrival(acceptance, refunds) == (date(2026, 12, 8), date(2026, 12, 15))


def test_the_page_looks_again_while_something_moves(acceptance: Acceptance) -> None:
    assert looks_again(acceptance) == 4  # the statement is not rendered yet
    for one in Statement.select(Statement.id):
        statements.render(one.id)
    assert looks_again(acceptance) == 30
    undo.send_now(acceptance.user, acceptance.id)
    sent = undo.find(acceptance.user, acceptance.id)
    seen = {"": looks_again(sent)}
    for state in ("requested", "pending", "requires_action", "succeeded", "failed"):
        Refund.update(state=state).execute()
        seen[state] = looks_again(sent)

    assert seen == {
        "": 4, "requested": 4, "pending": 10, "requires_action": 10, "succeeded": 0, "failed": 0,
    }  # fmt: skip
