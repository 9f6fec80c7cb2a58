"""Guessing is slow, and holds nobody up who has been here before."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.people import PASSWORD, make_individual, on_the_day
from tests.races import race
from webapp.actions import guesses, sign_in
from webapp.database import database
from webapp.errors import Invalid, TooMany
from webapp.models import Guess

KEY = "password::ines@example.org"


@pytest.fixture(autouse=True)
def day(app: Flask) -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


def wait_of(key: str) -> int:
    with pytest.raises(TooMany) as refused:
        guesses.begin(key)
    return int(refused.value.facts["retry_after"])


def test_each_wrong_try_after_the_tenth_waits_twice_as_long(day: Any) -> None:
    for _ in range(guesses.FREE):
        guesses.begin(KEY)
    waits = []
    for _ in range(13):
        waits.append(wait_of(KEY))
        day.shift(waits[-1])
        guesses.begin(KEY)

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_a_refused_try_is_not_counted() -> None:
    for _ in range(guesses.FREE):
        guesses.begin(KEY)
    for _ in range(50):
        assert wait_of(KEY) == 1
        with pytest.raises(TooMany):
            guesses.check(KEY)

    assert Guess.get().count == guesses.FREE


def test_the_right_one_is_as_if_it_had_not_been(day: Any) -> None:
    for _ in range(guesses.FREE + 2):
        guesses.count(KEY)
    day.shift(4)
    for _ in range(3):
        guesses.forgive(KEY, guesses.begin(KEY))

    assert Guess.get().count == guesses.FREE + 2


def test_a_day_of_peace_forgets(day: Any) -> None:
    for _ in range(guesses.FREE):
        guesses.count(KEY)
    assert guesses.forget_old() == 0
    day.shift(guesses.FORGOTTEN + timedelta(seconds=1))
    guesses.begin(KEY)
    assert Guess.get().count == 1

    day.shift(guesses.FORGOTTEN + timedelta(seconds=1))
    assert guesses.forget_old() == 1


def test_tries_at_once_are_all_counted() -> None:
    database.close()

    outcomes = race(20, lambda at: guesses.begin(KEY))

    assert [type(one) for one in outcomes].count(TooMany) == 20 - guesses.FREE
    assert {type(one) for one in outcomes} == {TooMany, datetime}


def test_who_signed_in_here_before_does_not_wait_for_strangers() -> None:
    """However many guess, and from wherever: the right password from a known browser is heard."""
    person = make_individual("ines@example.org")
    for at in range(30):
        with pytest.raises((Invalid, TooMany)):
            sign_in.by_password("ines@example.org", "wrong", f"192.0.2.{at}")
    with pytest.raises(TooMany):
        sign_in.by_password("ines@example.org", PASSWORD, "192.0.2.99")

    assert sign_in.by_password("ines@example.org", PASSWORD, "192.0.2.99", "known") == person


def test_a_known_browser_that_guesses_waits_as_well() -> None:
    make_individual("ines@example.org")
    for _ in range(guesses.FREE):
        with pytest.raises(Invalid):
            sign_in.by_password("ines@example.org", "wrong", "192.0.2.1", "known")

    with pytest.raises(TooMany):
        sign_in.by_password("ines@example.org", PASSWORD, "192.0.2.1", "known")


def test_a_flood_from_everywhere_slows_strangers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    person = make_individual("ines@example.org")
    monkeypatch.setattr(sign_in, "FROM_EVERYWHERE", 3)
    for at in range(3):
        with pytest.raises(Invalid):
            sign_in.by_password(f"p{at}@example.org", "wrong", f"192.0.2.{at}")

    with pytest.raises(TooMany) as refused:
        sign_in.by_password("ines@example.org", PASSWORD, "192.0.2.99")
    assert refused.value.facts["retry_after"] <= 61
    assert sign_in.by_password("ines@example.org", PASSWORD, "192.0.2.99", "known") == person


def test_codes_that_strangers_ask_for_hold_up_nobody_who_was_here() -> None:
    make_individual("ines@example.org")
    for at in range(6):
        sign_in.request_code("ines@example.org", f"browser {at}", f"192.0.2.{at}")
    with pytest.raises(TooMany):
        sign_in.request_code("ines@example.org", "a browser", "192.0.2.9")

    sign_in.request_code("ines@example.org", "a browser", "192.0.2.9", lane="known")
