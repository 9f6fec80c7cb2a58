import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from invoices.periods import BillingPeriod
from invoices.proration import Captured, quote, unused_minor

EXAMPLES = json.loads((Path(__file__).parent / "proration_examples.json").read_text())
NOVEMBER = BillingPeriod(date(2026, 11, 1), date(2026, 12, 1))


@st.composite
def payments_of_a_period(draw):
    captured = draw(st.integers(0, 10**9))
    returned = draw(st.integers(0, captured))
    tax = draw(st.integers(0, captured))
    returned_tax = draw(st.integers(0, min(tax, returned)))
    rate = draw(st.sampled_from([None, "20", "5.5", "0"]))
    return Captured("p", captured, tax, rate, returned, returned_tax)


payment_lists = st.lists(payments_of_a_period(), max_size=6).map(
    lambda payments: [replace(one, reference=f"p{at}") for at, one in enumerate(payments)]
)
periods = st.builds(
    lambda start, days: BillingPeriod(start, start + timedelta(days=days)),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.integers(1, 800),
)


def paid(reference, captured, tax=0, rate=None, **rest):
    return Captured(reference, captured, tax, rate, **rest)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["source"][-40:])
def test_the_published_examples_of_other_systems_are_reproduced(example):
    days = [date.fromisoformat(example[name]) for name in ("period_start", "period_end", "at")]
    assert unused_minor(example["price_minor"], *days) == example["expected_unused_minor"]


@pytest.mark.parametrize(
    ("paid_minor", "returned", "on", "unused"),
    [(3000, 0, 1, 3000), (3000, 0, 16, 1500), (3000, 0, 30, 100), (1, 0, 16, 1), (1, 0, 17, 0),
     (3000, 2000, 1, 1000), (3000, 2000, 16, 1000), (3000, 2950, 30, 50), (3000, 3000, 16, 0),
     (0, 0, 16, 0)],
)  # fmt: skip
def test_the_unused_share_is_that_of_the_days_left_and_never_more_than_is_left(
    paid_minor, returned, on, unused
):
    day = date(2026, 11, on)
    assert unused_minor(paid_minor, NOVEMBER.start, NOVEMBER.end, day, returned) == unused


@pytest.mark.parametrize(
    ("paid_minor", "end", "returned", "reason"),
    [(100, date(2026, 11, 1), 0, "end after"), (-1, NOVEMBER.end, 0, "negative"),
     (100, NOVEMBER.end, -1, "negative"), (100, NOVEMBER.end, 101, "more was returned")],
)  # fmt: skip
def test_nonsense_is_refused(paid_minor, end, returned, reason):
    with pytest.raises(ValueError, match=reason):
        unused_minor(paid_minor, NOVEMBER.start, end, NOVEMBER.start, returned)


@given(periods, st.integers(0, 10**15), st.data())
def test_the_unused_share_lies_between_nothing_and_what_is_left_and_never_grows(
    period, paid_minor, data
):
    returned = data.draw(st.integers(0, paid_minor))
    first = period.start + timedelta(days=data.draw(st.integers(-3, period.days + 3)))
    later = first + timedelta(days=data.draw(st.integers(0, 5)))
    earlier_share, later_share = (
        unused_minor(paid_minor, period.start, period.end, on, returned) for on in (first, later)
    )
    assert 0 <= later_share <= earlier_share <= paid_minor - returned


@given(periods, st.integers(0, 10**12), st.data())
def test_two_partial_returns_never_exceed_the_whole(period, paid_minor, data):
    returned = 0
    for _ in range(2):
        on = period.start + timedelta(days=data.draw(st.integers(0, period.days)))
        returned += unused_minor(paid_minor, period.start, period.end, on, returned)
    assert returned <= paid_minor


def test_a_quote_shows_how_its_amount_came_about():
    offered = quote("EUR", NOVEMBER, date(2026, 11, 16), [paid("ch_1", 9994, 1666, "20")])
    assert (offered.days, offered.unused_days, offered.used_days) == (30, 15, 15)
    assert (offered.gross_minor, offered.tax_minor, offered.net_minor) == (4997, 833, 4164)
    assert offered.used_minor == 4997
    assert [(line.gross_minor, line.tax_minor, line.tax_rate) for line in offered.lines] == [
        (4997, 833, "20")
    ]
    assert json.loads(json.dumps(offered.figures())) == offered.figures()


def test_several_payments_share_one_amount_and_each_keeps_its_own_tax():
    payments = [paid("a", 1000, 167, "20"), paid("b", 500, 0, "0"), paid("c", 1000, 52, "5.5")]
    offered = quote("EUR", NOVEMBER, date(2026, 11, 11), payments)
    assert [line.gross_minor for line in offered.lines] == [667, 333, 667]
    assert [line.tax_minor for line in offered.lines] == [111, 0, 35]
    assert (offered.gross_minor, offered.tax_minor) == (1667, 146)


def test_a_line_never_corrects_more_than_its_payment_still_holds():
    payments = [paid("a", 1000, 0, None, returned_minor=900), paid("b", 1000)]
    offered = quote("EUR", NOVEMBER, date(2026, 11, 16), payments)
    assert [(line.reference, line.gross_minor) for line in offered.lines] == [
        ("a", 100),
        ("b", 900),
    ]


def test_a_last_return_takes_what_is_left_of_the_tax():
    taken = paid("a", 1000, 167, "20", returned_minor=700, returned_tax_minor=118)
    offered = quote("EUR", NOVEMBER, NOVEMBER.start, [taken])
    assert (offered.gross_minor, offered.tax_minor, offered.used_minor) == (300, 49, 0)


@pytest.mark.parametrize("payments", [[], [paid("free", 0)], [paid("a", 9, returned_minor=9)]])
def test_nothing_left_is_a_quote_of_nothing_without_lines(payments):
    offered = quote("EUR", NOVEMBER, NOVEMBER.start, payments)
    assert (offered.gross_minor, offered.tax_minor, offered.lines) == (0, 0, ())


def test_a_quote_after_the_period_is_worth_nothing():
    assert quote("EUR", NOVEMBER, NOVEMBER.end, [paid("a", 1000, 167)]).lines == ()


def test_another_day_or_another_return_is_another_offer_but_time_alone_is_not():
    payments = [paid("a", 9994, 1666, "20")]
    figures = quote("EUR", NOVEMBER, date(2026, 11, 16), payments).figures()
    assert quote("EUR", NOVEMBER, date(2026, 11, 16), list(payments)).figures() == figures
    assert quote("EUR", NOVEMBER, date(2026, 11, 17), payments).figures() != figures
    returned = [replace(payments[0], returned_minor=1)]
    assert quote("EUR", NOVEMBER, date(2026, 11, 16), returned).figures() != figures


@pytest.mark.parametrize(
    "amounts",
    [(100, 101, 0, 0), (-1, 0, 0, 0), (100, -1, 0, 0), (100, 20, 101, 0), (100, 20, 10, 11),
     (100, 20, 50, 21)],
)  # fmt: skip
def test_a_payment_whose_amounts_contradict_each_other_is_refused(amounts):
    captured, tax, returned, returned_tax = amounts
    with pytest.raises(ValueError, match="payment"):
        Captured("a", captured, tax, None, returned, returned_tax)


@given(periods, payment_lists, st.data())
def test_parts_of_a_quote_always_add_up(period, payments, data):
    on = period.start + timedelta(days=data.draw(st.integers(0, period.days)))
    offered = quote("EUR", period, on, payments)
    assert offered.net_minor + offered.tax_minor == offered.gross_minor
    assert offered.used_minor >= 0
    assert offered.used_minor + offered.returned_minor + offered.gross_minor == offered.paid_minor
    assert sum(line.gross_minor for line in offered.lines) == offered.gross_minor
    assert sum(line.tax_minor for line in offered.lines) == offered.tax_minor
    held = {payment.reference: payment.held_minor for payment in payments}
    for line in offered.lines:
        assert 0 <= line.tax_minor <= line.gross_minor <= held[line.reference]
        assert line.net_minor + line.tax_minor == line.gross_minor


@given(periods, st.integers(1, 10**9), st.data())
def test_taxes_returned_in_two_steps_never_exceed_the_tax_paid(period, captured, data):
    tax = data.draw(st.integers(0, captured // 2))
    later, earlier = sorted(
        data.draw(st.tuples(st.integers(0, period.days), st.integers(0, period.days)))
    )
    first = quote("EUR", period, period.start + timedelta(days=earlier), [paid("a", captured, tax)])
    assume(first.gross_minor)
    then = paid(
        "a", captured, tax, returned_minor=first.gross_minor, returned_tax_minor=first.tax_minor
    )
    second = quote("EUR", period, period.start + timedelta(days=later), [then])
    assert first.gross_minor + second.gross_minor <= captured
    assert first.tax_minor + second.tax_minor <= tax
    if first.gross_minor + second.gross_minor == captured:
        assert first.tax_minor + second.tax_minor == tax or second.gross_minor < tax
