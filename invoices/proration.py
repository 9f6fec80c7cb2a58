"""The unused share of what was paid, with its derivation (rules M2 and M3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import lcm

from invoices.money import divide_half_up, exponent, share_out_within
from invoices.periods import BillingPeriod


@dataclass(frozen=True, slots=True)
class Captured:
    """One payment of a billing period: what was taken, and what of it was already given back.

    `tax_rate` is a percentage as text ("20", "5.5") or None where none is known; `gateway`
    "none" means that money goes back by hand. ValueError when the amounts contradict each other.
    """

    reference: str
    captured_minor: int
    tax_minor: int
    tax_rate: str | None
    returned_minor: int = 0
    returned_tax_minor: int = 0
    method: str = ""
    gateway: str = "none"
    captured_on: date | None = None
    invoice_number: str | None = None
    invoice_on: date | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.tax_minor <= self.captured_minor:
            raise ValueError("the tax in a payment lies between nothing and the payment")
        if not 0 <= self.returned_minor <= self.captured_minor:
            raise ValueError("a payment can't have given back more than it took")
        if not 0 <= self.returned_tax_minor <= min(self.tax_minor, self.returned_minor):
            raise ValueError("a payment can't have given back more tax than it took")

    @property
    def held_minor(self) -> int:
        return self.captured_minor - self.returned_minor

    @property
    def held_tax_minor(self) -> int:
        return self.tax_minor - self.returned_tax_minor


@dataclass(frozen=True, slots=True)
class Line:
    """One payment's share of a quote."""

    reference: str
    tax_rate: str | None
    gross_minor: int
    tax_minor: int

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.tax_minor


@dataclass(frozen=True, slots=True)
class Quote:
    """An amount offered on the day `on`, with everything that it was derived from."""

    currency: str
    period: BillingPeriod
    on: date
    paid_minor: int
    tax_paid_minor: int
    returned_minor: int
    unused_days: int
    gross_minor: int
    tax_minor: int
    lines: tuple[Line, ...]

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.tax_minor

    @property
    def used_minor(self) -> int:
        return self.paid_minor - self.returned_minor - self.gross_minor

    @property
    def days(self) -> int:
        return self.period.days

    @property
    def used_days(self) -> int:
        return self.days - self.unused_days

    def figures(self) -> dict[str, int | str | list[dict[str, int | str | None]]]:
        """All that was shown, as JSON types: two quotes of equal figures are one offer (J8)."""
        return {
            "currency": self.currency,
            "period_start": self.period.start.isoformat(),
            "period_end": self.period.end.isoformat(),
            "paid_from": self.period.paid_from.isoformat(),
            "on": self.on.isoformat(),
            "days": self.days,
            "unused_days": self.unused_days,
            "paid_minor": self.paid_minor,
            "tax_paid_minor": self.tax_paid_minor,
            "returned_minor": self.returned_minor,
            "used_minor": self.used_minor,
            "gross_minor": self.gross_minor,
            "tax_minor": self.tax_minor,
            "net_minor": self.net_minor,
            "lines": [
                {
                    "reference": line.reference,
                    "tax_rate": line.tax_rate,
                    "gross_minor": line.gross_minor,
                    "tax_minor": line.tax_minor,
                }
                for line in self.lines
            ],
        }


def quote(currency: str, period: BillingPeriod, on: date, payments: Sequence[Captured]) -> Quote:
    """What leaving on the day `on` is worth: G once over all payments, then shared out (M3).

    Without payments, or when nothing is left, the quote is worth nothing and has no lines.
    """
    exponent(currency)
    paid = sum(payment.captured_minor for payment in payments)
    tax_paid = sum(payment.tax_minor for payment in payments)
    returned = sum(payment.returned_minor for payment in payments)
    gross = _unused(paid, period, on, returned)
    tax_left = sum(payment.held_tax_minor for payment in payments)
    tax = _tax_inside(gross, paid, returned, tax_paid, tax_left)
    return Quote(
        currency=currency,
        period=period,
        on=on,
        paid_minor=paid,
        tax_paid_minor=tax_paid,
        returned_minor=returned,
        unused_days=period.unused_days(on),
        gross_minor=gross,
        tax_minor=tax,
        lines=_lines(gross, tax, payments),
    )


def unused_minor(paid_minor: int, start: date, end: date, on: date, returned_minor: int = 0) -> int:
    """The unused share of a payment in minor units, tax included (rule M2).

    `end` is exclusive, the day `on` counts as unused. ValueError when the period has no day, an
    amount is negative, or more was returned than paid.
    """
    if paid_minor < 0 or returned_minor < 0:
        raise ValueError("amounts paid and returned can't be negative")
    if returned_minor > paid_minor:
        raise ValueError("more was returned than was paid")
    return _unused(paid_minor, BillingPeriod(start, end), on, returned_minor)


def share_tax(tax_minor: int, gross: Sequence[int], payments: Sequence[Captured]) -> list[int]:
    """The tax in each payment's part of a gross amount: each part holds its own tax.

    Parts sum to `tax_minor`; none exceeds its gross nor, where the figures allow, the tax that its
    payment still holds.
    """
    # The exact weight is tax · part / captured; one common multiple keeps it in whole numbers.
    common = lcm(*(payment.captured_minor or 1 for payment in payments))
    weights = [
        payment.tax_minor * part * (common // (payment.captured_minor or 1))
        for payment, part in zip(payments, gross, strict=True)
    ]
    limits = [
        min(part, payment.held_tax_minor) for payment, part in zip(payments, gross, strict=True)
    ]
    return share_out_within(tax_minor, weights, limits if sum(limits) >= tax_minor else gross)


def _unused(paid: int, period: BillingPeriod, on: date, returned: int) -> int:
    if period.days == 0:  # nothing but a trial
        return 0
    return min(divide_half_up(paid * period.unused_days(on), period.days), paid - returned)


def _tax_inside(gross: int, paid: int, returned: int, tax_paid: int, tax_left: int) -> int:
    if gross == 0:
        return 0
    # A last return takes what is left of the tax, so that roundings never add up to a cent.
    last = gross == paid - returned
    return min(tax_left if last else divide_half_up(tax_paid * gross, paid), tax_left, gross)


def _lines(gross: int, tax: int, payments: Sequence[Captured]) -> tuple[Line, ...]:
    if gross == 0:
        return ()
    parts = share_out_within(
        gross,
        [payment.captured_minor for payment in payments],
        [payment.held_minor for payment in payments],
    )
    taxes = share_tax(tax, parts, payments)
    return tuple(
        Line(payment.reference, payment.tax_rate, part, part_tax)
        for payment, part, part_tax in zip(payments, parts, taxes, strict=True)
        if part
    )
