import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.money import (
    LARGEST_MINOR,
    Money,
    divide_half_up,
    exponent,
    parse_minor,
    share_out,
    share_out_within,
    to_decimal_text,
)

amounts = st.integers(0, LARGEST_MINOR)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("EUR", 2), ("USD", 2), ("CHF", 2), ("JPY", 0), ("KRW", 0), ("CLP", 0), ("VND", 0), ("ISK", 0),
     ("XOF", 0), ("XAF", 0), ("XPF", 0), ("BHD", 3), ("KWD", 3), ("OMR", 3), ("TND", 3), ("JOD", 3),
     ("IQD", 3), ("LYD", 3), ("HUF", 2), ("UYW", 4)],
)  # fmt: skip
def test_each_currency_has_the_decimals_of_the_standard(currency, decimals):
    assert exponent(currency) == decimals


@pytest.mark.parametrize(
    "currency", ["", "eur", "EU", "EURO", "QQQ", "XXX", "XAU", "ＥＵＲ", "E1R"]
)
def test_what_is_not_a_currency_is_refused(currency):
    with pytest.raises(ValueError, match="currency"):
        exponent(currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("120.00", "EUR", 12000), ("120", "EUR", 12000), ("0.5", "EUR", 50), (" 49.97 ", "EUR", 4997),
     ("1200", "JPY", 1200), ("1.234", "BHD", 1234), ("1.2", "BHD", 1200), ("0", "EUR", 0),
     ("007", "EUR", 700), ("10000000000000.00", "EUR", LARGEST_MINOR)],
)  # fmt: skip
def test_amounts_in_currency_units_are_read(text, currency, minor):
    assert parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [("1.005", "EUR", "too many decimals: EUR has 2"), ("1.5", "JPY", "JPY has 0"),
     ("-1", "EUR", "negative"), ("", "EUR", "not an amount"), ("1,5", "EUR", "not an amount"),
     ("1e3", "EUR", "not an amount"), ("NaN", "EUR", "not an amount"), ("+1", "EUR", "not an"),
     (".5", "EUR", "not an amount"), ("1.", "EUR", "not an amount"), ("١٢", "EUR", "not an amount"),
     ("1 000", "EUR", "not an amount"), ("10000000000000.01", "EUR", "too large"),
     ("9" * 5000, "EUR", "too large"), ("1", "QQQ", "currency")],
)  # fmt: skip
def test_other_amounts_are_refused_with_the_reason(text, currency, reason):
    with pytest.raises(ValueError, match=reason):
        parse_minor(text, currency)


@given(amounts, st.sampled_from(["EUR", "JPY", "BHD", "UYW"]))
def test_an_amount_written_and_read_again_is_the_same(minor, currency):
    assert parse_minor(to_decimal_text(minor, currency), currency) == minor


def test_amounts_are_written_with_the_decimals_of_their_currency():
    assert to_decimal_text(4997, "EUR") == "49.97"
    assert to_decimal_text(7, "EUR") == "0.07"
    assert to_decimal_text(-7, "EUR") == "-0.07"
    assert to_decimal_text(4997, "JPY") == "4997"
    assert to_decimal_text(4997, "BHD") == "4.997"
    assert str(Money(4997, "EUR")) == "49.97 EUR"


def test_money_is_never_negative_nor_without_a_currency():
    with pytest.raises(ValueError, match="negative"):
        Money(-1, "EUR")
    with pytest.raises(ValueError, match="currency"):
        Money(1, "euro")


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(0, 3, 0), (1, 3, 0), (1, 2, 1), (3, 2, 2), (5, 2, 3), (2, 3, 1),
     (10**40 + 1, 2, 5 * 10**39 + 1)],
)  # fmt: skip
def test_halves_are_rounded_upwards(numerator, denominator, rounded):
    assert divide_half_up(numerator, denominator) == rounded


@pytest.mark.parametrize(("numerator", "denominator"), [(-1, 2), (1, 0), (1, -2)])
def test_only_amounts_over_a_whole_are_rounded(numerator, denominator):
    with pytest.raises(ValueError, match="non-negative"):
        divide_half_up(numerator, denominator)


def test_the_largest_remainders_take_the_odd_cents():
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(10, [6, 3, 1]) == [6, 3, 1]
    assert share_out(5, [1, 0, 2]) == [2, 0, 3]
    assert share_out(0, [0, 0]) == [0, 0]
    assert share_out(0, []) == []


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (-1, [1]), (1, [2, -1])])
def test_what_nobody_can_take_is_not_shared_out(total, weights):
    with pytest.raises(ValueError, match="share"):
        share_out(total, weights)


@given(amounts, st.lists(st.integers(0, 10**12), min_size=1, max_size=12).filter(any))
def test_parts_sum_to_the_whole_and_stay_within_one_of_their_share(total, weights):
    parts = share_out(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=8), st.data())
def test_parts_within_limits_sum_to_the_whole_too(pairs, data):
    weights, limits = [weight for weight, _ in pairs], [limit for _, limit in pairs]
    total = data.draw(st.integers(0, sum(limits)))
    parts = share_out_within(total, weights, limits)
    assert sum(parts) == total
    assert all(0 <= part <= limit for part, limit in zip(parts, limits, strict=True))


def test_limits_without_room_are_refused():
    with pytest.raises(ValueError, match="room"):
        share_out_within(11, [1, 1], [5, 5])
