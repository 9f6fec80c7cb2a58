"""Numbered, frozen statements: all that a document prints, as values (rules D1 to D4)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import cache
from typing import Any, Self, TypedDict, Unpack

from invoices.parts import (
    Cancelled,
    Derivation,
    Destination,
    Kind,
    Locale,
    Party,
    StatementLine,
    TaxTotal,
    totals_by_rate,
)
from invoices.periods import time_zone
from invoices.proration import Captured, Quote
from invoices.settlement import Choice, Settlement


class Heading(TypedDict):
    """What the shell knows of a document: its number, its parties, its language, its moments.

    `organisation` and `individual` are names; `held_until` is aware, or None without an undo
    window (rule J14); `zone` is the one its date and hour are printed in.
    """

    number: str
    issued_on: date
    locale: Locale
    seller: Party
    customer: Party
    organisation: str
    individual: str
    zone: str
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything one document prints; the same statement always makes the same document.

    A statement of account credit holds no lines, derivation or destination: the organisation
    learns the amount and the person's name, and nothing of what the person paid.
    ValueError when the lines do not add up to the totals, or a moment has no zone.
    """

    kind: Kind
    number: str
    issued_on: date
    locale: Locale
    seller: Party
    customer: Party
    currency: str
    gross_minor: int
    tax_minor: int
    organisation: str
    individual: str
    zone: str
    held_until: datetime | None = None
    lines: tuple[StatementLine, ...] = ()
    derivation: Derivation | None = None
    destinations: tuple[Destination, ...] = ()
    cancels: Cancelled | None = None

    def __post_init__(self) -> None:
        time_zone(self.zone)
        if self.held_until is not None and self.held_until.utcoffset() is None:
            raise ValueError("the moment until which a settlement is held needs a time zone")
        if not 0 <= self.tax_minor <= self.gross_minor:
            raise ValueError("the tax in a statement lies between nothing and its total")
        if self.lines and self._sums() != (self.gross_minor, self.tax_minor):
            raise ValueError("the lines of a statement add up to its totals")

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.tax_minor

    @property
    def subject(self) -> Kind:
        """What the statement is about: its kind, or that of the one it cancels."""
        return self.cancels.kind if self.cancels else self.kind

    @property
    def tax_totals(self) -> tuple[TaxTotal, ...]:
        """Totals by tax rate, the highest first and the unknown last."""
        return totals_by_rate(self.lines)

    def to_json(self) -> dict[str, Any]:
        """JSON types only, for keeping beside the document; `from_json` reads them back."""
        frozen: dict[str, Any] = _plain(self)
        return frozen

    @classmethod
    def from_json(cls, frozen: dict[str, Any]) -> Self:
        """The statement that `to_json` wrote, equal in every part."""
        given = dict(frozen)
        given["issued_on"] = date.fromisoformat(given["issued_on"])
        given["seller"], given["customer"] = Party(**given["seller"]), Party(**given["customer"])
        if given["held_until"]:
            given["held_until"] = datetime.fromisoformat(given["held_until"])
        given["lines"] = tuple(
            StatementLine(**_dated(line, "captured_on", "invoice_on")) for line in given["lines"]
        )
        given["destinations"] = tuple(Destination(**one) for one in given["destinations"])
        if given["derivation"]:
            days = _dated(given["derivation"], "period_start", "period_end", "paid_from", "on")
            given["derivation"] = Derivation(**days)
        if given["cancels"]:
            given["cancels"] = Cancelled(**_dated(given["cancels"], "issued_on"))
        return cls(**given)

    def _sums(self) -> tuple[int, int]:
        return (
            sum(line.gross_minor for line in self.lines),
            sum(line.tax_minor for line in self.lines),
        )


def refund_statement(
    settlement: Settlement, payments: Sequence[Captured], **heading: Unpack[Heading]
) -> Statement:
    """What a person (the customer) gets back on their own payment methods."""
    _expect(settlement, "refund")
    by_reference = {payment.reference: payment for payment in payments}
    amounts: dict[tuple[str, bool], int] = {}
    for route in settlement.routes:
        payment = by_reference[route.reference]
        way = (payment.method, payment.gateway == "none")
        amounts[way] = amounts.get(way, 0) + route.gross_minor
    return Statement(
        kind="refund",
        currency=settlement.quote.currency,
        gross_minor=settlement.quote.gross_minor,
        tax_minor=settlement.quote.tax_minor,
        lines=_lines(settlement.quote, by_reference),
        derivation=_derivation(settlement.quote),
        destinations=tuple(
            Destination(method, gross, by_hand) for (method, by_hand), gross in amounts.items()
        ),
        **heading,
    )


def credit_statement(
    settlement: Settlement, payments: Sequence[Captured], **heading: Unpack[Heading]
) -> Statement:
    """What a person (the customer) gives to the organisation as credit."""
    _expect(settlement, "credit")
    return Statement(
        kind="credit",
        currency=settlement.quote.currency,
        gross_minor=settlement.quote.gross_minor,
        tax_minor=settlement.quote.tax_minor,
        lines=_lines(settlement.quote, {payment.reference: payment for payment in payments}),
        derivation=_derivation(settlement.quote),
        **heading,
    )


def account_credit_statement(settlement: Settlement, **heading: Unpack[Heading]) -> Statement:
    """What the organisation (the customer here) received; no tax document (rule D1)."""
    _expect(settlement, "credit")
    return Statement(
        kind="account_credit",
        currency=settlement.quote.currency,
        gross_minor=settlement.quote.gross_minor,
        tax_minor=0,
        **heading,
    )


def cancelling_statement(original: Statement, number: str, issued_on: date) -> Statement:
    """Takes a whole statement back, in the same series (rule J14). ValueError for a second time."""
    if original.cancels:
        raise ValueError("a cancelling statement can't be cancelled")
    return replace(
        original,
        kind="cancellation",
        number=number,
        issued_on=issued_on,
        held_until=None,
        cancels=Cancelled(original.kind, original.number, original.issued_on),
    )


def _expect(settlement: Settlement, choice: Choice) -> None:
    if settlement.choice != choice:
        raise ValueError(f"this settlement chose {settlement.choice}, not {choice}")


def _lines(quote: Quote, payments: dict[str, Captured]) -> tuple[StatementLine, ...]:
    return tuple(
        StatementLine(
            reference=line.reference,
            captured_on=payments[line.reference].captured_on,
            invoice_number=payments[line.reference].invoice_number,
            invoice_on=payments[line.reference].invoice_on,
            paid_minor=payments[line.reference].captured_minor,
            tax_rate=line.tax_rate,
            gross_minor=line.gross_minor,
            tax_minor=line.tax_minor,
        )
        for line in quote.lines
    )


def _derivation(quote: Quote) -> Derivation:
    return Derivation(
        period_start=quote.period.start,
        period_end=quote.period.end,
        paid_from=quote.period.paid_from,
        on=quote.on,
        days=quote.days,
        unused_days=quote.unused_days,
        paid_minor=quote.paid_minor,
        returned_minor=quote.returned_minor,
        used_minor=quote.used_minor,
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    part: Any = type(value)
    return {name: _plain(getattr(value, name)) for name in _names(part)}


@cache
def _names(part: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(part))


def _dated(frozen: dict[str, Any], *names: str) -> dict[str, Any]:
    days = {name: date.fromisoformat(frozen[name]) for name in names if frozen[name]}
    return {**frozen, **days}
