"""Billing periods in local days (rule M2)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """Local days from `start` up to, not including, `end`. ValueError when there are none.

    `trial_end` is the first day that was paid for, where a trial came before it: the days of the
    trial are worth nothing and are not counted, neither as used nor as unused (rule M3).
    """

    start: date
    end: date
    trial_end: date | None = None

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError("a billing period must end after it starts")

    @property
    def paid_from(self) -> date:
        """The first day that counts; the period's end where all of it was a trial."""
        return min(max(self.start, self.trial_end or self.start), self.end)

    @property
    def last_trial_day(self) -> date | None:
        """The last day of a trial inside the period, for people; None without one."""
        return self.paid_from - timedelta(days=1) if self.paid_from > self.start else None

    @property
    def days(self) -> int:
        """Days that count: none where all of the period was a trial."""
        return (self.end - self.paid_from).days

    @property
    def last_day(self) -> date:
        """The last day inside, for people, who count it in."""
        return self.end - timedelta(days=1)

    def unused_days(self, on: date) -> int:
        """Days left on the day `on`, which itself counts as unused; all before, none after."""
        return max(0, min(self.days, (self.end - on).days))


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day of an aware instant in a zone such as "Europe/Paris".

    ValueError for a naive instant or an unknown zone.
    """
    if instant.utcoffset() is None:
        raise ValueError("a moment without a time zone has no local day")
    return instant.astimezone(time_zone(zone)).date()


def time_zone(zone: str) -> ZoneInfo:
    """ValueError for a zone that is not in the time zone database."""
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValueError(f"{zone!r} is not a known time zone") from unknown
