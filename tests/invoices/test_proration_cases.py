"""The edges of M2 and M3: calendars, currencies, trials, discounts, lines, returns."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from invoices.periods import BillingPeriod, local_day
from invoices.proration import Captured, quote, unused_minor
from invoices.settlement import settle

NOVEMBER = BillingPeriod(date(2026, 11, 1), date(2026, 12, 1))
CURRENCIES = st.sampled_from(["JPY", "EUR", "BHD"])


def paid(captured, tax=0, rate="20", reference="a", **rest):
    return Captured(reference, captured, tax, rate, **rest)


@st.composite
def periods(draw):
    """Periods of a day to two years, with and without a trial inside, before or all over them."""
    start = draw(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
    end = start + timedelta(days=draw(st.integers(1, 731)))
    trial = draw(st.none() | st.integers(-40, 800))
    return BillingPeriod(start, end, None if trial is None else start + timedelta(days=trial))


@st.composite
def several_payments(draw):
    """Up to six, some given back in part, at rates that their tax was rounded from."""
    rates = [Fraction(0), Fraction(20), Fraction(11, 2), Fraction(21, 10)]
    found = []
    for at in range(draw(st.integers(0, 6))):
        captured, rate = draw(st.integers(0, 10**7)), draw(st.sampled_from(rates))
        tax = int(captured * rate / (100 + rate))
        returned = draw(st.just(0) | st.integers(0, captured))
        back = min(tax, returned, int(returned * rate / (100 + rate)))
        found.append(paid(captured, tax, str(rate), f"p{at}", returned_minor=returned,
                          returned_tax_minor=back))  # fmt: skip
    return found


def day_of(data, period):
    return period.start + timedelta(days=data.draw(st.integers(-2, 740)))


@pytest.mark.parametrize(
    ("captured", "start", "end", "on", "unused"),
    [(36600, date(2028, 1, 1), date(2029, 1, 1), date(2028, 2, 29), 30700),
     (36600, date(2028, 1, 1), date(2029, 1, 1), date(2028, 3, 1), 30600),
     (36500, date(2027, 1, 1), date(2028, 1, 1), date(2027, 3, 1), 30600),
     (2800, date(2027, 1, 31), date(2027, 2, 28), date(2027, 2, 27), 100),
     (2900, date(2028, 1, 31), date(2028, 2, 29), date(2028, 2, 28), 100),
     (3100, date(2027, 2, 28), date(2027, 3, 31), date(2027, 3, 30), 100),
     (1, date(2026, 11, 1), date(2026, 11, 3), date(2026, 11, 2), 1),  # half a cent, upwards
     (1, date(2026, 11, 1), date(2026, 11, 4), date(2026, 11, 3), 0),  # a third of one
     (1, date(2026, 11, 1), date(2026, 11, 4), date(2026, 11, 2), 1),  # two thirds
     (999, date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 1), 999),  # a period of one day
     (10**15, date(2026, 1, 1), date(2027, 1, 1), date(2026, 12, 31), 2739726027397)],
)  # fmt: skip
def test_every_calendar_is_counted_by_its_own_days(captured, start, end, on, unused):
    assert unused_minor(captured, start, end, on) == unused


@pytest.mark.parametrize(
    ("zone", "unused_days", "gross"),
    [("Pacific/Auckland", 7, 700), ("Europe/Paris", 8, 800), ("Pacific/Honolulu", 8, 800)],
)
def test_one_instant_is_worth_what_the_day_is_in_the_billing_zone(zone, unused_days, gross):
    on = local_day(datetime(2026, 11, 23, 12, tzinfo=UTC), zone)
    offered = quote("EUR", NOVEMBER, on, [paid(3000)])
    assert (offered.unused_days, offered.gross_minor) == (unused_days, gross)


def test_the_last_instant_of_a_period_depends_on_the_zone():
    over = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    worth = {
        zone: quote("EUR", NOVEMBER, local_day(over, zone), [paid(3000)]).gross_minor
        for zone in ("Pacific/Auckland", "Europe/Paris", "UTC", "Pacific/Honolulu")
    }
    assert worth == {"Pacific/Auckland": 0, "Europe/Paris": 0, "UTC": 100, "Pacific/Honolulu": 100}


@pytest.mark.parametrize(
    ("currency", "captured", "tax", "parts"),
    [("JPY", 1000, 91, (267, 24, 243)), ("EUR", 1000, 167, (267, 45, 222)),
     ("BHD", 10000, 909, (2667, 242, 2425)), ("CLF", 10000, 1597, (2667, 426, 2241))],
)  # fmt: skip
def test_amounts_are_rounded_to_the_minor_unit_of_their_currency(currency, captured, tax, parts):
    offered = quote(currency, NOVEMBER, date(2026, 11, 23), [paid(captured, tax)])
    assert (offered.gross_minor, offered.tax_minor, offered.net_minor) == parts


@pytest.mark.parametrize(
    ("trial_end", "on", "gross", "days", "used"),
    [(date(2026, 11, 16), date(2026, 11, 4), 3000, 15, 0),  # still in the trial
     (date(2026, 11, 16), date(2026, 11, 16), 3000, 15, 0),
     (date(2026, 11, 16), date(2026, 11, 21), 2000, 15, 5),
     (date(2026, 11, 16), date(2026, 12, 1), 0, 15, 15),
     (date(2026, 11, 1), date(2026, 11, 16), 1500, 30, 15),
     (date(2026, 12, 1), date(2026, 11, 4), 0, 0, 0)],
)  # fmt: skip
def test_a_trial_day_is_worth_nothing(trial_end, on, gross, days, used):
    period = replace(NOVEMBER, trial_end=trial_end)
    offered = quote("EUR", period, on, [paid(3000, 500)])
    assert (offered.gross_minor, offered.days, offered.used_days) == (gross, days, used)
    assert offered.used_minor + offered.gross_minor == 3000


def test_another_trial_is_another_offer_unless_it_ended_before_the_period():
    shown = [
        quote("EUR", replace(NOVEMBER, trial_end=end), date(2026, 11, 30), [paid(3)]).figures()
        for end in (None, date(2026, 10, 1), date(2026, 11, 1), date(2026, 11, 8))
    ]
    assert shown[0] == shown[1] == shown[2]
    assert shown[3] != shown[0]


def test_a_discount_is_never_given_back():
    # 60.00 at half price: what counts is the 30.00 that was taken.
    assert quote("EUR", NOVEMBER, date(2026, 11, 16), [paid(3000, 500)]).gross_minor == 1500
    assert quote("EUR", NOVEMBER, date(2026, 11, 16), [paid(0)]).gross_minor == 0


def test_three_equal_lines_share_a_cent_by_their_order():
    payments = [paid(1000, 167, reference=name) for name in "abc"]
    offered = quote("EUR", NOVEMBER, date(2026, 11, 21), payments)
    assert [(line.gross_minor, line.tax_minor) for line in offered.lines] == [
        (334, 56),
        (333, 56),
        (333, 55),
    ]
    assert (offered.gross_minor, offered.tax_minor) == (1000, 167)


@given(CURRENCIES, periods(), several_payments(), st.data())
def test_parts_always_sum_to_the_whole(currency, period, payments, data):
    offered = quote(currency, period, day_of(data, period), payments)
    whole = sum(payment.captured_minor for payment in payments)
    assert offered.gross_minor + offered.used_minor + offered.returned_minor == whole
    assert offered.used_days + offered.unused_days == offered.days
    assert offered.net_minor + offered.tax_minor == offered.gross_minor
    assert sum(line.net_minor for line in offered.lines) == offered.net_minor
    assert sum(line.tax_minor for line in offered.lines) == offered.tax_minor
    assert all(0 <= line.tax_minor <= line.gross_minor for line in offered.lines)
    assert 0 <= offered.gross_minor <= whole - offered.returned_minor


@given(periods(), several_payments(), st.data())
def test_a_later_day_is_never_worth_more(period, payments, data):
    on = day_of(data, period)
    earlier = quote("EUR", period, on, payments)
    later = quote("EUR", period, on + timedelta(days=data.draw(st.integers(0, 40))), payments)
    assert later.gross_minor <= earlier.gross_minor
    assert later.unused_days <= earlier.unused_days


@given(periods(), st.integers(0, 10**9), st.data())
def test_a_trial_in_the_period_is_the_same_as_a_period_that_begins_after_it(period, minor, data):
    assume(period.days)
    on = day_of(data, period)
    short = BillingPeriod(period.paid_from, period.end)
    assert (
        quote("EUR", period, on, [paid(minor)]).gross_minor
        == quote("EUR", short, on, [paid(minor)]).gross_minor
    )


@given(periods(), several_payments(), st.data())
def test_two_returns_never_exceed_what_was_paid_and_each_payment_what_it_took(
    period, payments, data
):
    whole = sum(payment.held_minor for payment in payments)
    days = sorted(day_of(data, period) for _ in range(2))
    given_back = 0
    for on in days:
        offered = quote("EUR", period, on, payments)
        if offered.gross_minor == 0:
            continue
        settlement = settle(offered, "refund", payments)
        assert sum(route.gross_minor for route in settlement.routes) == offered.gross_minor
        assert sum(route.tax_minor for route in settlement.routes) == offered.tax_minor
        given_back += offered.gross_minor
        payments = _after(payments, settlement)
    assert given_back <= whole


@given(periods(), st.integers(1, 10**9), st.data())
def test_returning_in_two_steps_gives_back_all_the_tax_and_no_more(period, captured, data):
    """A first return, then all that is left: together exactly what was paid, tax included."""
    assume(period.days)
    tax = data.draw(st.integers(0, captured // 2))
    payment = paid(captured, tax)
    first = quote("EUR", period, day_of(data, period), [payment])
    then = replace(payment, returned_minor=first.gross_minor, returned_tax_minor=first.tax_minor)
    rest = quote("EUR", period, period.start, [then])
    assert first.gross_minor + rest.gross_minor == captured
    assert first.tax_minor + rest.tax_minor <= tax
    if rest.gross_minor >= tax - first.tax_minor:
        assert first.tax_minor + rest.tax_minor == tax


def _after(payments, settlement):
    """The payments once the routes were given back."""
    routes = {route.reference: route for route in settlement.routes}
    found = []
    for payment in payments:
        route = routes.get(payment.reference)
        gross, tax = (route.gross_minor, route.tax_minor) if route else (0, 0)
        found.append(
            replace(
                payment,
                returned_minor=payment.returned_minor + gross,
                returned_tax_minor=min(payment.returned_tax_minor + tax, payment.tax_minor),
            )
        )
    return found
