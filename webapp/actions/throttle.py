"""How often something may be tried, per address and per source."""

from datetime import UTC, datetime, timedelta
from typing import Any

from webapp import clock
from webapp.database import transaction
from webapp.errors import TooMany
from webapp.models import Throttle


def count(key: str, most: int, window: timedelta) -> None:
    """Counts one try; TooMany when `key` has had its `most` in this window."""
    begins = _begin(window)
    with transaction():
        # The number is this try's own: a later question would also count those beside it.
        counted: Any = (
            Throttle.insert(key=key, window_at=begins, count=1)
            .on_conflict(
                conflict_target=[Throttle.key, Throttle.window_at],
                update={Throttle.count: Throttle.count + 1},
            )
            .returning(Throttle.count)
            .execute()
        )
        number = next(iter(counted)).count
    if number > most:
        raise _too_many(begins, window)


def check(key: str, most: int, window: timedelta) -> None:
    """TooMany when `key` has already had its `most` in this window; counts nothing."""
    begins = _begin(window)
    had = (
        Throttle.select(Throttle.count)
        .where(Throttle.key == key, Throttle.window_at == begins)
        .scalar()
    )
    if had is not None and had >= most:
        raise _too_many(begins, window)


def forget_old() -> int:
    """Drops the counts of windows long past; for a periodic task."""
    old = clock.now() - timedelta(days=2)
    dropped: int = Throttle.delete().where(Throttle.window_at < old).execute()
    return dropped


def _too_many(begins: datetime, window: timedelta) -> TooMany:
    wait = int((begins + window - clock.now()).total_seconds()) + 1
    return TooMany("throttled", retry_after=max(wait, 1))


def _begin(window: timedelta) -> datetime:
    seconds = int(window.total_seconds())
    return datetime.fromtimestamp(int(clock.now().timestamp()) // seconds * seconds, UTC)
