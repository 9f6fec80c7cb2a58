"""How often something may be tried, in windows of fixed length."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.races import race
from webapp.actions import throttle
from webapp.database import database
from webapp.errors import TooMany
from webapp.models import Throttle

WINDOW = timedelta(minutes=15)
BEGIN = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def day(app: Flask) -> Iterator[Any]:
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


def test_as_many_as_allowed_and_not_one_more() -> None:
    for _ in range(3):
        throttle.count("key", 3, WINDOW)
    with pytest.raises(TooMany):
        throttle.count("key", 3, WINDOW)
    throttle.count("another key", 3, WINDOW)


def test_checking_counts_nothing() -> None:
    for _ in range(10):
        throttle.check("key", 1, WINDOW)
    throttle.count("key", 5, WINDOW)
    with pytest.raises(TooMany):
        throttle.check("key", 1, WINDOW)


def test_it_says_when_the_window_ends(day: Any) -> None:
    day.shift(timedelta(minutes=10))
    throttle.count("key", 1, WINDOW)
    with pytest.raises(TooMany) as refused:
        throttle.count("key", 1, WINDOW)
    wait = refused.value.facts["retry_after"]

    assert 5 * 60 <= wait <= 5 * 60 + 1
    day.shift(wait)
    throttle.count("key", 1, WINDOW)


def test_tries_at_once_are_all_counted() -> None:
    database.close()
    outcomes = race(30, lambda at: throttle.count("key", 12, WINDOW))

    assert outcomes.count(None) == 12
    assert {type(one) for one in outcomes if one is not None} == {TooMany}
    assert Throttle.get().count == 30


def test_windows_long_past_are_forgotten(day: Any) -> None:
    throttle.count("old", 5, WINDOW)
    day.shift(timedelta(days=2, minutes=1))
    throttle.count("new", 5, WINDOW)

    assert throttle.forget_old() == 1
    assert [row.key for row in Throttle.select()] == ["new"]
