from datetime import UTC, date, datetime

import pytest

from invoices import formats


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "text"),
    [
        (4997, "EUR", "fr", "49,97\u00a0€"),
        (4997, "EUR", "en", "€49.97"),
        (123456789, "EUR", "fr", "1\u202f234\u202f567,89\u00a0€"),
        (1200, "JPY", "en", "¥1,200"),
        (1200, "JPY", "fr", "1\u202f200\u00a0JPY"),
        (1234567, "BHD", "fr", "1\u202f234,567\u00a0BHD"),
        (1234567, "BHD", "en", "BHD\u00a01,234.567"),
        (1234567, "IQD", "en", "IQD\u00a01,234.567"),
        (0, "EUR", "fr", "0,00\u00a0€"),
        (10**15, "EUR", "en", "€10,000,000,000,000.00"),
    ],
)
def test_amounts_have_the_form_of_the_language_and_the_decimals_of_the_currency(
    minor, currency, locale, text
):
    assert formats.amount(minor, currency, locale) == text


@pytest.mark.parametrize(
    ("on", "locale", "text"),
    [
        (date(2026, 11, 23), "fr", "23 novembre 2026"),
        (date(2026, 11, 1), "fr", "1er novembre 2026"),
        (date(2026, 11, 11), "fr", "11 novembre 2026"),
        (date(2026, 11, 1), "en", "1 November 2026"),
    ],
)
def test_days_are_written_out(on, locale, text):
    assert formats.day(on, locale) == text


def test_moments_are_told_in_the_zone_with_its_name():
    instant = datetime(2026, 11, 24, 23, 15, tzinfo=UTC)
    assert formats.moment(instant, "Europe/Paris", "fr") == (
        "25 novembre 2026 à 00:15 (Europe/Paris)"
    )
    assert formats.moment(instant, "America/New_York", "en") == (
        "24 November 2026 at 18:15 (America/New_York)"
    )


@pytest.mark.parametrize(
    ("percent", "french", "english"),
    [("20", "20\u00a0%", "20%"), ("5.5", "5,5\u00a0%", "5.5%"), ("0", "0\u00a0%", "0%"),
     (None, "–", "–"), ("exempt", "exempt", "exempt"), ("NaN", "NaN", "NaN")],
)  # fmt: skip
def test_rates_are_percentages_or_what_they_are(percent, french, english):
    assert formats.rate(percent, "fr") == french
    assert formats.rate(percent, "en") == english
