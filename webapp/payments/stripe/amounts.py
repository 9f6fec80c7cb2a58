"""Amounts as Stripe writes them: in minor units, but not always in the standard's."""

from invoices.money import exponent
from webapp.payments.gateway import GatewayRefusal

# https://docs.stripe.com/currencies: two decimals kept for old times' sake, or none.
EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}


def ours(amount: int, currency: str) -> int:
    """ValueError for an amount finer than the currency."""
    finer = _finer_at_stripe(currency)
    whole, rest = _shifted(amount, -finer)
    if rest:
        raise ValueError(f"{amount} is no amount of {currency.upper()} at Stripe")
    return whole


def stripes(amount_minor: int, currency: str) -> int:
    """GatewayRefusal for an amount that Stripe can't move."""
    whole, rest = _shifted(amount_minor, _finer_at_stripe(currency))
    if rest:
        raise GatewayRefusal(f"Stripe moves {currency.upper()} in whole units only")
    return whole


def _finer_at_stripe(currency: str) -> int:
    """By how many decimals; less than none where Stripe's are fewer."""
    code = currency.upper()
    return EXPONENTS.get(code, exponent(code)) - exponent(code)


def _shifted(amount: int, decimals: int) -> tuple[int, int]:
    """The amount with so many decimals more, and what does not fit into fewer."""
    factor: int = 10 ** abs(decimals)
    return (amount * factor, 0) if decimals >= 0 else divmod(amount, factor)
