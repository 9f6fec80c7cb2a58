"""Months as people ask for them, in the seller's zone: 2026-11."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from webapp.actions.days import EARLIEST, LATEST, begin
from webapp.errors import NotThere

WRITTEN = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """The month that begins on `first`."""

    first: date

    @property
    def next(self) -> "Month":
        return Month((self.first + timedelta(days=31)).replace(day=1))

    @property
    def previous(self) -> "Month":
        return Month((self.first - timedelta(days=1)).replace(day=1))

    @property
    def begins_at(self) -> datetime:
        return begin(self.first)

    @property
    def ends_at(self) -> datetime:
        """The first moment of the next one."""
        return begin(self.next.first)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


def asked_for(text: str, today: date) -> Month:
    """The month written, or that of today where none is. NotThere for what is no month."""
    if not text:
        return Month(today.replace(day=1))
    written = WRITTEN.fullmatch(text)
    if written is None or not 1 <= int(written[2]) <= 12:
        raise NotThere("month")
    year = int(written[1])
    if not EARLIEST.year < year < LATEST.year:
        raise NotThere("month")
    return Month(date(year, int(written[2]), 1))


def recent(today: date, wanted: Month, number: int = 24) -> list[Month]:
    """To choose from, the newest first; the one that is shown is always among them."""
    month, found = Month(today.replace(day=1)), {wanted}
    for _ in range(number):
        found.add(month)
        month = month.previous
    return sorted(found, reverse=True)
