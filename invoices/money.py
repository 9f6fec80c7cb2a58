"""Money in minor units, and the only rounding there is (rule M1)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from babel.numbers import list_currencies

LARGEST_MINOR = 10**15

# ISO 4217, where it differs from two decimals. Babel's own digits follow custom, not the standard.
NO_DECIMALS = {
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
}
THREE_DECIMALS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
EXPONENTS = {
    **dict.fromkeys(NO_DECIMALS, 0),
    **dict.fromkeys(THREE_DECIMALS, 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
# Metals, funds and codes for tests: codes of the standard that nobody pays with.
NO_MONEY = {
    *("XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR"),
    *("XPD", "XPT", "XSU", "XTS", "XUA", "XXX"),
}

_CODE = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of its currency; never negative."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)
        if self.minor < 0:
            raise ValueError("an amount of money can't be negative")

    def __str__(self) -> str:
        return f"{to_decimal_text(self.minor, self.currency)} {self.currency}"


@cache
def exponent(currency: str) -> int:
    """Decimals of a currency's minor unit. ValueError for what is not an ISO 4217 currency."""
    if not _CODE.fullmatch(currency):
        raise ValueError(f"{currency!r} is not a currency: three capital letters are needed")
    if currency in EXPONENTS:
        return EXPONENTS[currency]
    if currency in NO_MONEY or currency not in list_currencies():
        raise ValueError(f"{currency} is not a known currency")
    return 2


def divide_half_up(numerator: int, denominator: int) -> int:
    """The nearest integer to numerator / denominator, halves upwards. ValueError when negative."""
    if numerator < 0 or denominator <= 0:
        raise ValueError("only non-negative amounts over a positive whole are rounded")
    return (2 * numerator + denominator) // (2 * denominator)


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Parts of `total` by largest remainder, ties by position; they sum to it exactly.

    A weight of zero gets nothing. ValueError when nobody can take what there is.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("amounts and weights to share out can't be negative")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("there is nothing to share the amount out over")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(total * weights[at] % whole), at))
    for at in by_remainder[: total - sum(parts)]:
        parts[at] += 1
    return parts


def share_out_within(total: int, weights: Sequence[int], limits: Sequence[int]) -> list[int]:
    """Like `share_out`, but no part exceeds its limit: the excess goes to the others."""
    if total < 0 or sum(limits) < total:
        raise ValueError("the limits leave no room for the amount")
    parts = [0] * len(limits)
    while rest := total - sum(parts):
        room = [limit - part for limit, part in zip(limits, parts, strict=True)]
        wanted = [weight if free else 0 for weight, free in zip(weights, room, strict=True)]
        more = share_out(rest, wanted if any(wanted) else room)
        parts = [
            part + min(extra, free) for part, extra, free in zip(parts, more, room, strict=True)
        ]
    return parts


def parse_minor(text: str, currency: str) -> int:
    """Minor units of "120.00" (currency units, decimal point). ValueError with the reason."""
    decimals = exponent(currency)
    amount = text.strip()
    if amount.startswith("-"):
        raise ValueError(f"{amount[:30]!r} is negative")
    match = _AMOUNT.fullmatch(amount)
    if match is None:
        raise ValueError(f"{amount[:30]!r} is not an amount such as 120.00")
    units, fraction = match.group(1), match.group(2) or ""
    if len(fraction) > decimals:
        raise ValueError(f"{amount[:30]!r} has too many decimals: {currency} has {decimals}")
    digits = (units + fraction.ljust(decimals, "0")).lstrip("0")
    # Compared by length first: int() itself refuses thousands of digits in other words.
    if len(digits) > len(str(LARGEST_MINOR)) or int(digits or "0") > LARGEST_MINOR:
        raise ValueError(f"{amount[:30]!r} is too large")
    return int(digits or "0")


def to_decimal_text(minor: int, currency: str) -> str:
    """Such as "49.97" of 4997 minor units: for CSV and for machines, never for readers."""
    decimals = exponent(currency)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(decimals + 1, "0")
    if decimals == 0:
        return sign + digits
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"
