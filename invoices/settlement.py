"""A quote and a choice become routes: which payment gives back how much (rule M4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from invoices.proration import Captured, Quote, share_tax

Choice = Literal["refund", "credit"]


@dataclass(frozen=True, slots=True)
class Route:
    """What one payment gives back, tax included; it never exceeds what the payment holds."""

    reference: str
    gross_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """The invitee's choice with the derivation frozen; the routes sum to the quote."""

    quote: Quote
    choice: Choice
    routes: tuple[Route, ...]


def settle(quote: Quote, choice: Choice, payments: Sequence[Captured]) -> Settlement:
    """Settle exactly what was quoted.

    Credit takes routes too: what became credit can't be refunded from its payment later.
    ValueError for a quote worth nothing (M9), or payments that are not the ones quoted.
    """
    if quote.gross_minor == 0:
        raise ValueError("a quote worth nothing is not settled")
    paid = sum(payment.captured_minor for payment in payments)
    returned = sum(payment.returned_minor for payment in payments)
    if (paid, returned) != (quote.paid_minor, quote.returned_minor):
        raise ValueError("these are not the payments that were quoted")
    routes = spread(quote.gross_minor, payments, quote.tax_minor)
    return Settlement(quote, choice, tuple(routes))


def spread(amount_minor: int, payments: Sequence[Captured], tax_minor: int = 0) -> list[Route]:
    """Spread an amount over what payments still hold (M4), with `tax_minor` inside it.

    An exact match first, then the smallest that suffices, else the largest smaller one, and again;
    ties by position. ValueError when the payments hold less than the amount.
    """
    if not 0 <= tax_minor <= amount_minor:
        raise ValueError("the tax in an amount lies between nothing and the amount")
    if amount_minor > sum(payment.held_minor for payment in payments):
        raise ValueError("the payments hold less than the amount to give back")
    left, parts = amount_minor, dict[int, int]()
    while left:
        at = _next_payment(
            left, [0 if at in parts else payment.held_minor for at, payment in enumerate(payments)]
        )
        parts[at] = min(left, payments[at].held_minor)
        left -= parts[at]
    chosen = [payments[at] for at in parts]
    taxes = share_tax(tax_minor, list(parts.values()), chosen)
    return [
        Route(payment.reference, part, tax)
        for payment, part, tax in zip(chosen, parts.values(), taxes, strict=True)
    ]


def _next_payment(amount: int, held: Sequence[int]) -> int:
    sufficient = [at for at, minor in enumerate(held) if minor >= amount]
    if sufficient:
        return min(sufficient, key=lambda at: held[at])  # an exact match is the smallest
    return max(range(len(held)), key=lambda at: held[at])
