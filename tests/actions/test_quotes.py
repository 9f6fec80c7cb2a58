"""Quotes: what leaving is worth today, and the offer that travels with the form."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from invoices.proration import Quote
from tests.money import ACCEPTED, make_account, make_payment, make_plan
from webapp.actions import quotes
from webapp.errors import Invalid, Stale
from webapp.models import Account, Invitation, Payment

SEVEN, EIGHT = Invitation(id=7), Invitation(id=8)


@pytest.fixture
def account(app: Flask) -> Account:
    found = make_account()
    make_plan(found)
    return found


def offered(account: Account, at: datetime = ACCEPTED) -> Quote:
    found = quotes.current(account, at)
    assert found is not None
    return found


def test_the_unused_days_are_worth_their_share(account: Account) -> None:
    quote = offered(account)

    assert (quote.gross_minor, quote.tax_minor, quote.net_minor) == (4997, 833, 4164)
    assert (quote.unused_days, quote.days, quote.on) == (8, 30, date(2026, 11, 23))
    assert [line.tax_rate for line in quote.lines] == ["20"]


def test_a_free_account_has_no_quote(app: Flask) -> None:
    assert quotes.current(make_account(), ACCEPTED) is None


def test_a_plan_without_a_period_has_no_quote(app: Flask) -> None:
    account = make_account()
    make_plan(account, period_start_on=None, period_end_on=None)

    assert quotes.current(account, ACCEPTED) is None


def test_the_day_is_that_of_the_subscription(app: Flask) -> None:
    here, there = make_account(), make_account()
    make_plan(here)
    make_plan(there, billing_zone="Pacific/Auckland")
    late = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert offered(here, late).unused_days == 9
    assert offered(there, late).unused_days == 8


def test_after_the_period_a_plan_is_worth_nothing(account: Account) -> None:
    assert offered(account, ACCEPTED + timedelta(days=30)).gross_minor == 0


def test_several_payments_are_one_quote(app: Flask) -> None:
    account = make_account()
    make_plan(account, 10000, 8739)
    make_payment(make_plan(make_account()), 5000)

    assert offered(account).paid_minor == 18739
    assert offered(account).gross_minor == 4997


def test_a_payment_in_another_currency_is_never_mixed_in(account: Account) -> None:
    subscription = account.subscription()
    assert subscription is not None
    payment = make_payment(subscription, 10000)
    Payment.update(currency="USD").where(Payment.id == payment.id).execute()

    assert offered(account).paid_minor == 18739


def test_an_offer_that_was_shown_is_recognised(account: Account) -> None:
    token = quotes.sign(offered(account), SEVEN)

    assert quotes.same_offer(quotes.shown(token), offered(account), SEVEN)


def test_time_alone_does_not_change_an_offer(account: Account) -> None:
    token = quotes.sign(offered(account), SEVEN)

    assert quotes.same_offer(
        quotes.shown(token), offered(account, ACCEPTED + timedelta(hours=13)), SEVEN
    )


@pytest.mark.parametrize("change", ["day", "payment", "returned"])
def test_an_offer_whose_figures_changed_is_stale(account: Account, change: str) -> None:
    token, at = quotes.sign(offered(account), SEVEN), ACCEPTED
    if change == "day":
        at += timedelta(days=1)
    elif change == "payment":
        subscription = account.subscription()
        assert subscription is not None
        make_payment(subscription, 100)
    else:
        Payment.update(returned_minor=1).execute()

    with pytest.raises(Stale):
        quotes.same_offer(quotes.shown(token), offered(account, at), SEVEN)


@pytest.mark.parametrize("token", ["", "x", "e30.x", "\0", "é", "." * 1000])
def test_what_is_no_offer_of_ours_is_invalid(account: Account, token: str) -> None:
    with pytest.raises(Invalid):
        quotes.same_offer(quotes.shown(token), offered(account), SEVEN)


def test_an_altered_offer_is_invalid(account: Account) -> None:
    token = quotes.sign(offered(account), SEVEN)

    with pytest.raises(Invalid):
        quotes.same_offer(quotes.shown("x" + token[1:]), offered(account), SEVEN)


def test_the_offer_of_another_invitation_is_invalid(account: Account) -> None:
    token = quotes.sign(offered(account), EIGHT)

    with pytest.raises(Invalid):
        quotes.same_offer(quotes.shown(token), offered(account), SEVEN)


@pytest.mark.parametrize("change", [{"licence": "licensed"}, {"is_admin": True}])
def test_an_offer_whose_invitation_was_edited_is_stale(
    account: Account, change: dict[str, object]
) -> None:
    for quote in (offered(account), None):
        token = quotes.sign(quote, SEVEN)

        assert quotes.same_offer(quotes.shown(token), quote, SEVEN)
        with pytest.raises(Stale) as error:
            quotes.same_offer(quotes.shown(token), quote, Invitation(id=7, **change))
        assert error.value.code == "terms"
