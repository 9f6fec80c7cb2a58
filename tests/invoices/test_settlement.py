from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.periods import BillingPeriod
from invoices.proration import Captured, quote
from invoices.settlement import settle, spread

NOVEMBER = BillingPeriod(date(2026, 11, 1), date(2026, 12, 1))
MIDDLE = date(2026, 11, 16)


def holding(*amounts):
    return [Captured(f"p{at}", amount, 0, None) for at, amount in enumerate(amounts)]


def routed(amount, *amounts):
    return [(route.reference, route.gross_minor) for route in spread(amount, holding(*amounts))]


@pytest.mark.parametrize(
    ("amount", "held", "routes"),
    [
        (500, (300, 500, 800), [("p1", 500)]),  # an exact match
        (400, (300, 500, 450), [("p2", 400)]),  # the smallest that suffices
        (900, (300, 500, 800), [("p2", 800), ("p0", 100)]),  # the largest smaller one, and again
        (800, (500, 300, 0), [("p0", 500), ("p1", 300)]),
        (1600, (300, 500, 800), [("p2", 800), ("p1", 500), ("p0", 300)]),
        (500, (500, 500), [("p0", 500)]),  # ties by position
        (0, (500,), []),
        (0, (), []),
    ],
)
def test_an_amount_is_spread_as_few_and_as_exact_as_can_be(amount, held, routes):
    assert routed(amount, *held) == routes


@pytest.mark.parametrize(("amount", "held"), [(1, ()), (801, (300, 500))])
def test_an_amount_that_the_payments_do_not_hold_is_refused(amount, held):
    with pytest.raises(ValueError, match="hold less"):
        spread(amount, holding(*held))


def test_what_a_payment_gave_back_before_counts():
    payments = [Captured("a", 1000, 0, None, 900), Captured("b", 500, 0, None)]
    assert [(route.reference, route.gross_minor) for route in spread(600, payments)] == [
        ("b", 500),
        ("a", 100),
    ]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=8), st.data())
def test_spreading_never_overdraws_a_payment_and_sums(amounts, data):
    payments = [
        Captured(f"p{at}", max(pair), max(pair) // 6, "20", min(pair))
        for at, pair in enumerate(amounts)
    ]
    held = {payment.reference: payment.held_minor for payment in payments}
    amount = data.draw(st.integers(0, sum(held.values())))
    tax = data.draw(st.integers(0, amount))
    routes = spread(amount, payments, tax)
    assert sum(route.gross_minor for route in routes) == amount
    assert sum(route.tax_minor for route in routes) == tax
    assert len({route.reference for route in routes}) == len(routes)
    for route in routes:
        assert 0 < route.gross_minor <= held[route.reference]
        assert 0 <= route.tax_minor <= route.gross_minor


@pytest.mark.parametrize("choice", ["refund", "credit"])
def test_a_settlement_routes_exactly_what_was_quoted(choice):
    payments = [Captured("a", 1000, 167, "20"), Captured("b", 500, 83, "20")]
    offered = quote("EUR", NOVEMBER, MIDDLE, payments)
    settlement = settle(offered, choice, payments)
    assert settlement.quote == offered
    assert settlement.choice == choice
    assert [(route.reference, route.gross_minor) for route in settlement.routes] == [("a", 750)]
    assert sum(route.tax_minor for route in settlement.routes) == offered.tax_minor


def of_several_rates():
    """Payments of any tax rate, given back in part or not."""

    def captured(at, drawn):
        gross, per_cent, returned, returned_tax = drawn
        tax = gross * per_cent // (100 + per_cent)
        returned = gross * returned // 100
        returned_tax = min(tax, returned) * returned_tax // 100
        return Captured(f"p{at}", gross, tax, str(per_cent), returned, returned_tax)

    one = st.tuples(
        st.integers(1, 10**6),
        st.sampled_from([0, 5, 20, 25]),
        st.integers(0, 100),
        st.integers(0, 100),
    )
    listed = st.lists(one, min_size=1, max_size=5)
    return listed.map(lambda drawn: [captured(at, each) for at, each in enumerate(drawn)])


@given(of_several_rates(), st.dates(date(2026, 11, 1), date(2026, 12, 1)))
def test_a_settlement_states_no_more_tax_than_the_payments_hold(payments, on):
    """Where the money goes back by a payment of another rate, its share records only the tax that
    this payment holds. That is less than the statement says, never more; and since a plan is
    settled once, no second statement can count the rest again."""
    offered = quote("EUR", NOVEMBER, on, payments)
    if offered.gross_minor == 0:
        return
    by_reference = {payment.reference: payment for payment in payments}
    recorded = 0
    for route in settle(offered, "refund", payments).routes:
        payment = by_reference[route.reference]
        tax = min(route.tax_minor, payment.held_tax_minor)
        recorded += tax
        # What the payment says afterwards holds together: it raises ValueError if not.
        replace(
            payment,
            returned_minor=payment.returned_minor + route.gross_minor,
            returned_tax_minor=payment.returned_tax_minor + tax,
        )
    assert recorded <= offered.tax_minor <= sum(payment.held_tax_minor for payment in payments)


def test_a_quote_worth_nothing_is_not_settled():
    with pytest.raises(ValueError, match="worth nothing"):
        settle(quote("EUR", NOVEMBER, MIDDLE, []), "refund", [])


def test_other_payments_than_those_quoted_are_refused():
    offered = quote("EUR", NOVEMBER, MIDDLE, holding(1000))
    with pytest.raises(ValueError, match="not the payments that were quoted"):
        settle(offered, "refund", holding(999))
