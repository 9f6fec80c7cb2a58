"""Amounts, days and moments in the reader's own form."""

import re
from copy import copy
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache

from babel import Locale as BabelLocale
from babel.dates import format_date, format_time
from babel.numbers import NumberPattern, format_decimal

from invoices.money import exponent
from invoices.parts import Locale
from invoices.periods import time_zone

_CODE_AND_DIGIT = re.compile(r"([A-Za-z])([0-9])")

# British dates go with the English of these documents; amounts are the same in both Englishes.
DAYS: dict[Locale, str] = {"fr": "fr_FR", "en": "en_GB"}


def amount(minor: int, currency: str, locale: Locale) -> str:
    """Such as "49,97 €" or "€49.97": the currency's own decimals, digits kept together."""
    return _amount(minor, currency, locale, exponent(currency))


def axis_amount(minor: int, step: int, currency: str, locale: Locale) -> str:
    """Such as "50 €", on an axis with such steps: decimals only where a step has any."""
    decimals = exponent(currency)
    return _amount(minor, currency, locale, decimals if step % 10**decimals else 0)


def _amount(minor: int, currency: str, locale: Locale, decimals: int) -> str:
    exact = Decimal(minor).scaleb(-exponent(currency))
    text: str = _pattern(locale, decimals).apply(
        exact, BabelLocale.parse(locale), currency=currency, currency_digits=False
    )
    # Babel glues a code to its digits where the symbol would have stood: BHD12.345.
    return _CODE_AND_DIGIT.sub("\\1\u00a0\\2", text)


@lru_cache(maxsize=4096)
def day(on: date, locale: Locale) -> str:
    """Such as "23 November 2026"; in French the first of a month is « 1er »."""
    text = format_date(on, "long", DAYS[locale])
    return f"1er{text[1:]}" if locale == "fr" and on.day == 1 else text


def month(on: date, locale: Locale) -> str:
    """Such as "November 2026", of any of its days."""
    return str(format_date(on, "MMMM yyyy", DAYS[locale]))


def short_month(on: date, locale: Locale) -> str:
    """Such as "Nov" or « nov. », where there is little room."""
    return str(format_date(on, "MMM", DAYS[locale]))


def moment(instant: datetime, zone: str, locale: Locale) -> str:
    """An aware instant as day, hour and zone: "24 November 2026 at 10:15 (Europe/Paris)"."""
    return f"{hour(instant, zone, locale)} ({zone})"


def hour(instant: datetime, zone: str, locale: Locale) -> str:
    """The same where the zone is said elsewhere: "24 November 2026 at 10:15"."""
    local = instant.astimezone(time_zone(zone))
    at = "à" if locale == "fr" else "at"
    clock = format_time(local, "short", locale=DAYS[locale])
    return f"{day(local.date(), locale)} {at} {clock}"


def rate(percent: str | None, locale: Locale) -> str:
    """Such as "20 %" of "20"; a dash where no rate is known, and what is no number as it stands."""
    if not percent:
        return "–"
    try:
        number = Decimal(percent)
    except InvalidOperation:
        return percent
    if not number.is_finite():
        return percent
    return format_decimal(number, locale=locale) + ("\u00a0%" if locale == "fr" else "%")


@cache
def _pattern(locale: Locale, decimals: int) -> NumberPattern:
    # Babel rounds to the digits of custom, which for some currencies are not the standard's.
    pattern: NumberPattern = copy(BabelLocale.parse(locale).currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    return pattern
