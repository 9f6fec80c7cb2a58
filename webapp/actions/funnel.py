"""What became of an organisation's invitations: of those of a time, how many joined, wait, declined
or expired. Reading only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import Case, fn

from webapp.models import Account, Invitation

# By name in the address bar: days until now; None is since the beginning.
PERIODS: dict[str, int | None] = {"30": 30, "90": 90, "365": 365, "all": None}
USUAL = "90"
OUTCOMES = ("joined", "pending", "declined", "expired", "revoked", "superseded")


@dataclass(frozen=True, slots=True)
class Funnel:
    """Each invitation counts once, as it stands now; the outcomes add up to `invited`."""

    period: str
    outcomes: dict[str, int]

    @property
    def invited(self) -> int:
        return sum(self.outcomes.values())


def of(account: Account, period: str, now: datetime) -> Funnel:
    """Of the invitations that were first sent in a period; another name means the usual one."""
    period = period if period in PERIODS else USUAL
    i = Invitation
    waits, is_over = i.status == "pending", i.expires_at <= now
    conditions = {
        "joined": i.status == "accepted",
        "pending": waits & ~is_over,
        "declined": i.status == "declined",
        "expired": waits & is_over,
        "revoked": i.status == "revoked",
        "superseded": i.status == "superseded",
    }
    sums = [fn.SUM(Case(None, [(conditions[name], 1)], 0)) for name in OUTCOMES]
    query = i.select(*sums).where(i.account == account)
    days = PERIODS[period]
    if days is not None:
        query = query.where(i.created_at > now - timedelta(days=days))
    found: Any = query.tuples().get()
    return Funnel(period, {name: int(n or 0) for name, n in zip(OUTCOMES, found, strict=True)})
