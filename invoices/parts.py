"""The parts a statement is made of (rules D1 and D4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal

Kind = Literal["refund", "credit", "account_credit", "cancellation"]
Locale = Literal["fr", "en"]


@dataclass(frozen=True, slots=True)
class Party:
    """Seller or customer; the address has several lines, the country two letters or none."""

    name: str
    address: str = ""
    country: str = ""
    vat: str = ""
    registration: str = ""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One payment's part, and the invoice (or, where none is known, the payment) it corrects."""

    reference: str
    captured_on: date | None
    invoice_number: str | None
    invoice_on: date | None
    paid_minor: int
    tax_rate: str | None
    gross_minor: int
    tax_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.tax_minor


@dataclass(frozen=True, slots=True)
class Derivation:
    """How the amount came about (rule M2); `period_end` is exclusive. `days` are those that count:
    from `paid_from`, which is after the period's start where a trial came first (rule M3)."""

    period_start: date
    period_end: date
    paid_from: date
    on: date
    days: int
    unused_days: int
    paid_minor: int
    returned_minor: int
    used_minor: int


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a part of the money goes: a payment method, or by hand where no gateway took it."""

    method: str
    gross_minor: int
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The statement that a cancelling one cancels."""

    kind: Kind
    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """What one tax rate adds up to."""

    tax_rate: str | None
    gross_minor: int
    tax_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.tax_minor


def totals_by_rate(lines: Iterable[StatementLine]) -> tuple[TaxTotal, ...]:
    """One total for each tax rate ("20" and "20.0" are one), highest first, unknown last."""
    found: dict[tuple[Decimal, str], TaxTotal] = {}
    for line in lines:
        rate = _rate(line.tax_rate)
        sofar = found.get(rate, TaxTotal(line.tax_rate, 0, 0))
        found[rate] = TaxTotal(
            sofar.tax_rate,
            sofar.gross_minor + line.gross_minor,
            sofar.tax_minor + line.tax_minor,
        )
    return tuple(found[rate] for rate in sorted(found, reverse=True))


def _rate(text: str | None) -> tuple[Decimal, str]:
    try:
        rate = Decimal(text or "")
    except InvalidOperation:
        return Decimal(-1), text or ""
    return (rate, "") if rate.is_finite() else (Decimal(-1), text or "")
