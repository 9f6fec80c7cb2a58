"""What all the statements asked for add up to (rule D6), never across currencies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Case, fn

from webapp.actions.statement_filter import Asked, wanted
from webapp.models import Statement
from webapp.models.statement import KINDS
from webapp.permissions import Viewer


@dataclass(frozen=True, slots=True)
class Total:
    """Of one kind and currency, in minor units; what a cancelling statement takes back is taken
    off. Kinds are not added up: a credit's statement and the organisation's are the same money."""

    kind: str
    currency: str
    count: int
    gross_minor: int
    tax_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.tax_minor


def totals(viewer: Viewer, asked: Asked, now: datetime) -> list[Total]:
    """By currency, then kind; nothing where there is no statement."""
    if asked.errors:
        return []
    sign = Case(None, ((Statement.corrects.is_null(), 1),), -1)
    columns = (
        Statement.kind,
        Statement.currency,
        fn.COUNT(Statement.id),
        fn.SUM(Statement.gross_minor * sign),
        fn.SUM(Statement.tax_minor * sign),
    )
    rows: Any = (
        wanted(viewer, asked, now, *columns).group_by(Statement.kind, Statement.currency).tuples()
    )
    found = [
        Total(kind, currency, int(count), int(gross), int(tax))
        for kind, currency, count, gross, tax in rows
    ]
    return sorted(found, key=lambda one: (one.currency, KINDS.index(one.kind)))
