"""Guessing made slow, and nobody locked out: ten tries are free, each later one waits twice as long
as the one before, up to a quarter of an hour. After a day of peace all is forgotten.

A key ends with the address that is tried, and names the browser where that address has signed in
from it before: whoever guesses from elsewhere does not hold its owner up there."""

from datetime import datetime, timedelta

from webapp import clock
from webapp.database import locked, transaction
from webapp.errors import TooMany
from webapp.models import Guess

FREE = 10
LONGEST = timedelta(minutes=15)
FORGOTTEN = timedelta(days=1)


def begin(key: str) -> datetime:
    """Counts a try before anybody knows how it ends, so that those at once are all counted;
    `forgive` takes the right one back, given the instant that this returns: that of the try before.
    TooMany, and nothing counted, while `key` must wait."""
    with transaction():
        guess = _locked(key)
        _require_patience(guess)
        count(key)
    before: datetime = guess.last_at
    return before


def count(key: str) -> None:
    """One more that was wrong."""
    now = clock.now()
    with transaction():
        guess = _locked(key)
        number = 1 if now - guess.last_at > FORGOTTEN else guess.count + 1
        Guess.update(count=number, last_at=now).where(Guess.id == guess.id).execute()


def check(key: str) -> None:
    """TooMany while `key` must wait; counts nothing."""
    guess = Guess.get_or_none(Guess.key == key)
    if guess is not None:
        _require_patience(guess)


def forgive(key: str, before: datetime) -> None:
    """The try that was begun was the right one: as if it had not been."""
    Guess.update(count=Guess.count - 1, last_at=before).where(
        Guess.key == key, Guess.count > 0
    ).execute()


def forget_old() -> int:
    """For a periodic task."""
    dropped: int = Guess.delete().where(Guess.last_at < clock.now() - FORGOTTEN).execute()
    return dropped


def pause(count: int) -> timedelta:
    """How long after `count` wrong tries the next one must wait."""
    if count < FREE:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(count - FREE, 20)), LONGEST)


def _locked(key: str) -> Guess:
    Guess.insert(key=key, count=0, last_at=clock.now()).on_conflict_ignore().execute()
    guess: Guess = locked(Guess.select().where(Guess.key == key)).get()
    return guess


def _require_patience(guess: Guess) -> None:
    wait = guess.last_at + pause(int(guess.count)) - clock.now()
    if wait > timedelta(0):
        raise TooMany("throttled", retry_after=int(wait.total_seconds() + 0.999))
