"""What the database knows of the state of things, as numbers by name. Every question is answered by
an index over what is unfinished or of the last hour, however much is kept."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from peewee import fn

from webapp import clock, outbox
from webapp.models import OutboxMessage, Refund

RECENT = timedelta(hours=1)
UNFINISHED = ("requested", "pending", "requires_action", "failed")


@dataclass(frozen=True, slots=True)
class Gauge:
    """`numbers`: the labels' values, in their order → how many."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    numbers: dict[tuple[str, ...], float]


def read() -> list[Gauge]:
    return [
        *_waiting(),
        _put_aside(),
        Gauge("refunds", "Refunds under way, and failed ones.", ("state",), _refunds()),
        Gauge("refunds_last_hour", "Refunds that arrived.", (), {(): float(_arrived())}),
        Gauge("mails_last_hour", "Mails by outcome.", ("outcome",), _mails()),
    ]


def _group(kind: str) -> str:
    """`mail:invitation` is a mail, `sync:changes` a sync."""
    return kind.partition(":")[0]


def _waiting() -> list[Gauge]:
    rows: Any = (
        OutboxMessage.select(
            OutboxMessage.kind, fn.COUNT(OutboxMessage.id), fn.MIN(OutboxMessage.leaves_at)
        )
        .where(outbox.is_waiting() & (OutboxMessage.leaves_at <= clock.now()))
        .group_by(OutboxMessage.kind)
    )
    depths: Counter[tuple[str, ...]] = Counter()
    ages: dict[tuple[str, ...], float] = {}
    for kind, count, since in rows.tuples():
        group = (_group(kind),)
        depths[group] += count
        age = (clock.now() - since).total_seconds()
        ages[group] = max(age, ages.get(group, 0.0))
    due = Gauge("outbox_due", "Messages that are due.", ("kind",), dict(depths))
    oldest = "Seconds for which the oldest message has been due."
    return [due, Gauge("outbox_oldest_seconds", oldest, ("kind",), ages)]


def _put_aside() -> Gauge:
    rows: Any = (
        OutboxMessage.select(OutboxMessage.kind, fn.COUNT(OutboxMessage.id))
        .where(OutboxMessage.quarantined_at.is_null(False))
        .group_by(OutboxMessage.kind)
    )
    numbers: Counter[tuple[str, ...]] = Counter()
    for kind, count in rows.tuples():
        numbers[_group(kind),] += count
    meaning = "Messages that were put aside after their last try."
    return Gauge("outbox_put_aside", meaning, ("kind",), dict(numbers))


def _refunds() -> dict[tuple[str, ...], float]:
    rows: Any = (
        Refund.select(Refund.state, fn.COUNT(Refund.id))
        .where(Refund.state.in_(UNFINISHED))
        .group_by(Refund.state)
    )
    found = dict(rows.tuples())
    return {(state,): found.get(state, 0) for state in UNFINISHED}


def _arrived() -> int:
    since = clock.now() - RECENT
    query = Refund.select().where(Refund.state == "succeeded", Refund.changed_at > since)
    return int(query.count())


def _mails() -> dict[tuple[str, ...], float]:
    """Taken by a server or refused by it in the last hour; deferred: tried, and to be tried
    again."""
    is_mail = OutboxMessage.kind.startswith("mail:")
    left = is_mail & (OutboxMessage.left_at > clock.now() - RECENT)
    conditions = {
        "sent": left & (OutboxMessage.error == ""),
        "refused": left & (OutboxMessage.error != ""),
        "deferred": is_mail & outbox.is_waiting() & (OutboxMessage.error != ""),
    }
    return {
        (outcome,): OutboxMessage.select().where(condition).count()
        for outcome, condition in conditions.items()
    }
