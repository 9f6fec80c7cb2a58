"""Days as people write them in a filter, in the seller's zone."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from webapp.policy import policy

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Before and after these nothing happened, and there is no instant that a database could not hold.
EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)


def day(text: str, field: str, errors: dict[str, str]) -> date | None:
    """None for nothing; for what is no day too, which is an error of its field."""
    if not text.strip():
        return None
    try:
        found = date.fromisoformat(text.strip()) if DAY.fullmatch(text.strip()) else None
    except ValueError:
        found = None
    if found is None:
        errors[field] = "day"
        return None
    return min(max(found, EARLIEST), LATEST)


def begin(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(policy().billing_zone))
