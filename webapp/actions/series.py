"""Numbers of statements, without a gap in each kind and year (rule D2)."""

from dataclasses import dataclass
from datetime import date, datetime

from invoices.periods import local_day
from webapp import clock
from webapp.models.written import fetch_one
from webapp.policy import policy

# What goes into a number; the words for people are in the document and on the pages.
PREFIXES = {"refund": "R", "credit": "C", "account_credit": "A"}
# One installation sells for one seller. Mending its name must not begin its numbers anew.
SELLER = "main"


@dataclass(frozen=True, slots=True)
class Place:
    """A number taken from a series, and the day and moment it was taken."""

    kind: str
    year: int
    sequence: int
    number: str
    issued_on: date
    issued_at: datetime


def take(kind: str) -> Place:
    """The next number of a kind, in the seller's year. It stays locked until the transaction
    ends, and a rollback gives it back."""
    year = local_day(clock.now(), policy().billing_zone).year
    sequence = _next(kind, year)
    # Only now, holding the number: documents are dated in the order of their numbers.
    now = clock.now()
    day = min(local_day(now, policy().billing_zone), date(year, 12, 31))
    return Place(kind, year, sequence, f"{PREFIXES[kind]}-{year}-{sequence:06d}", day, now)


def _next(kind: str, year: int) -> int:
    """One sentence of SQL moves the series and returns the number, on either engine."""
    taken = fetch_one(
        """
        INSERT INTO statement_series (seller, kind, year, last) VALUES (?, ?, ?, 1)
        ON CONFLICT (seller, kind, year) DO UPDATE SET last = statement_series.last + 1
        RETURNING last
        """,
        SELLER,
        kind,
        year,
    )
    if taken is None:
        raise RuntimeError("an upsert answered nothing")
    return int(taken[0])
