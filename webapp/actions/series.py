"""Numbers of statements, without a gap in each kind and year (rule D2)."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from invoices.periods import local_day
from webapp import clock
from webapp.database import is_postgresql
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
    values: tuple[Any, ...] = (SELLER, kind, year)
    if is_postgresql():
        values = (*values, f"{SELLER} {kind} {year}")
    taken = fetch_one(_taking(is_postgresql()), *values)
    if taken is None:
        raise RuntimeError("an upsert answered nothing")
    return int(taken[0])


@cache
def _taking(on_postgresql: bool) -> str:
    """On PostgreSQL, whoever waits for a row is told when it is free together with all others, and
    the quickest has it. Who waits for a lock that is nobody's row has it in turn."""
    turn = "(SELECT pg_advisory_xact_lock(hashtextextended(?, 0))) AS turn"
    first = f"SELECT ?, ?, ?, 1 FROM {turn}" if on_postgresql else "VALUES (?, ?, ?, 1)"  # nosec B608 # question marks
    return f"""
        INSERT INTO statement_series (seller, kind, year, last) {first}
        ON CONFLICT (seller, kind, year) DO UPDATE SET last = statement_series.last + 1
        RETURNING last
    """  # nosec B608 # question marks
