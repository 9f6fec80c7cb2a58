"""A copy of an organisation's invoice that shows how it was paid: credit is a payment below the
total, never a discount (rule M8). The invoice itself is written elsewhere."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

from invoices.parts import Locale, Party


@dataclass(frozen=True, slots=True)
class CopiedPayment:
    """Credit that `person` brought ("": somebody whose data was erased), told by the statement of
    that number; or, without one, what was paid in other ways, of which the days are not known
    here."""

    amount_minor: int
    on: date | None = None
    person: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceCopy:
    """All that the document prints. ValueError when the payments exceed the total, or one of them
    is not more than nothing."""

    number: str
    issued_on: date | None
    due_on: date | None
    made_on: date
    locale: Locale
    seller: Party
    customer: Party
    currency: str
    total_minor: int
    tax_minor: int
    payments: tuple[CopiedPayment, ...] = ()
    voided_on: date | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.tax_minor <= self.total_minor:
            raise ValueError("the tax in an invoice lies between nothing and its total")
        if any(one.amount_minor <= 0 for one in self.payments):
            raise ValueError("a payment is more than nothing")
        if self.paid_minor > self.total_minor:
            raise ValueError("an invoice is never paid beyond its total")

    @property
    def net_minor(self) -> int:
        return self.total_minor - self.tax_minor

    @property
    def paid_minor(self) -> int:
        return sum(one.amount_minor for one in self.payments)

    @property
    def owed_minor(self) -> int:
        return 0 if self.voided_on else self.total_minor - self.paid_minor

    def to_json(self) -> dict[str, Any]:
        """JSON types only; `from_json` reads them back."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, frozen: dict[str, Any]) -> Self:
        given = dict(frozen)
        for name in ("issued_on", "due_on", "made_on", "voided_on"):
            given[name] = _day(given[name])
        given["seller"], given["customer"] = Party(**given["seller"]), Party(**given["customer"])
        given["payments"] = tuple(
            CopiedPayment(**{**one, "on": _day(one["on"])}) for one in given["payments"]
        )
        return cls(**given)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
