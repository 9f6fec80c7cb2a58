"""Sessions: rows that begin, are used, and end."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.money import ACCEPTED
from tests.people import make_individual, membership_of, on_the_day
from webapp import clock
from webapp.actions import sessions
from webapp.errors import Invalid
from webapp.models import Session, User


@pytest.fixture(autouse=True)
def day() -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def person(app: Flask) -> User:
    return make_individual("ines@example.org")


def test_a_session_is_of_its_person_in_the_account_they_are_in(person: User) -> None:
    viewer = sessions.viewer_of(sessions.start(person, "a browser"))

    assert viewer is not None
    assert viewer.user == person
    assert viewer.membership == membership_of(person)
    assert viewer.roles == ("individual",)
    assert viewer.session.agent == "a browser"


@pytest.mark.parametrize("token", ["", "x", "\0", "é", "' OR 1=1 --", "x" * 100_000])
def test_no_other_token_is_a_session(person: User, token: str) -> None:
    sessions.start(person, "")

    assert sessions.viewer_of(token) is None


def test_tokens_are_long_different_and_kept_nowhere(person: User) -> None:
    tokens = {sessions.start(person, "x" * 1000) for _ in range(5)}

    assert len(tokens) == 5
    assert min(map(len, tokens)) == 43
    stored = repr([row.__data__ for row in Session.select()])
    assert not any(token in stored for token in tokens)
    assert all(len(row.agent) == 200 for row in Session.select())


def test_a_session_in_use_lives_thirty_days(person: User, day: Any) -> None:
    token = sessions.start(person, "")

    for _ in range(3):
        day.shift(timedelta(days=10) - timedelta(seconds=1))
        viewer = sessions.viewer_of(token)
        assert viewer is not None
        sessions.touch(viewer.session)
    day.shift(timedelta(seconds=3))
    assert sessions.viewer_of(token) is None


def test_a_session_that_nobody_uses_ends_after_fourteen_days(person: User, day: Any) -> None:
    token = sessions.start(person, "")

    day.shift(timedelta(days=14) - timedelta(seconds=1))
    assert sessions.viewer_of(token) is not None
    assert len(sessions.of(person)) == 1
    day.shift(timedelta(seconds=1))
    assert sessions.viewer_of(token) is None
    assert sessions.of(person) == []


def test_the_operator_ends_the_sessions_of_one_person_and_of_everybody(person: User) -> None:
    for user in (person, person, make_individual("max@example.org")):
        sessions.start(user, "")

    assert sessions.end_of(" INES@example.org") == 2
    assert sessions.end_everybodys() == 1
    with pytest.raises(Invalid):
        sessions.end_of("nobody@example.org")


def test_an_ended_session_stays_ended(person: User) -> None:
    token, other = sessions.start(person, ""), sessions.start(person, "")
    viewer = sessions.viewer_of(token)
    assert viewer is not None

    sessions.end(viewer.session)
    sessions.end(viewer.session)

    assert sessions.viewer_of(token) is None
    assert sessions.viewer_of(other) is not None


def test_all_but_one_can_be_ended_and_nobody_elses(person: User) -> None:
    stranger = sessions.start(make_individual("max@example.org"), "")
    kept, *others = (sessions.start(person, "") for _ in range(4))
    viewer = sessions.viewer_of(kept)
    assert viewer is not None

    assert sessions.end_others(person, keep=viewer.session) == 3
    assert sessions.end_others(person, keep=viewer.session) == 0
    assert [sessions.viewer_of(token) for token in others] == [None] * 3
    assert sessions.viewer_of(kept) is not None
    assert sessions.viewer_of(stranger) is not None
    assert sessions.end_others(person, keep=None) == 1


def test_last_seen_is_written_every_five_minutes_at_most(person: User, day: Any) -> None:
    token = sessions.start(person, "")

    def seen_after(**time: int) -> Any:
        day.shift(timedelta(**time))
        viewer = sessions.viewer_of(token)
        assert viewer is not None
        sessions.touch(viewer.session)
        return Session.get().last_seen_at - ACCEPTED

    assert seen_after(minutes=4, seconds=59) == timedelta(0)
    assert seen_after(seconds=1) == timedelta(minutes=5)
    assert seen_after(minutes=1) == timedelta(minutes=5)


def test_a_proof_is_fresh_for_five_minutes(person: User, day: Any) -> None:
    sessions.start(person, "")

    day.shift(timedelta(minutes=5))
    assert sessions.is_fresh(Session.get())
    day.shift(timedelta(microseconds=1))
    assert not sessions.is_fresh(Session.get())
    sessions.prove(Session.get())
    assert sessions.is_fresh(Session.get())


def test_a_person_who_is_in_no_account_has_no_session(person: User) -> None:
    token = sessions.start(person, "")

    membership_of(person).end(clock.now())

    assert sessions.viewer_of(token) is None
