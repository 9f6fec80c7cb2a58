"""A year of an organisation, its people and their money: after each step the books hold."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.effects import carry_out
from tests.failed import seller
from tests.joined import join, make_owned, make_person, settlement_of
from tests.people import session_of
from webapp.actions import (
    credit,
    failed_refunds,
    invoices,
    joining,
    ledger,
    movements,
    refunds,
    undo,
)
from webapp.handlers import money
from webapp.models import (
    Account,
    Invoice,
    Payment,
    Refund,
    Settlement,
    Statement,
    User,
)
from webapp.payments.simulated import SimulatedPayment, SimulatedRefund

YEARLY = {"period_start_on": date(2026, 1, 1), "period_end_on": date(2027, 1, 1)}


class Year:
    """Time, the worker, and what every step is held to."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self._clock = clock
        self.organisation = make_owned()

    def on(self, month: int, day: int, hour: int = 12, year: int = 2026) -> None:
        """Time goes on to that moment; the worker and the gateway do what is due by then."""
        self._clock.move_to(datetime(year, month, day, hour, tzinfo=UTC))
        self.work()

    def work(self) -> None:
        carry_out()
        self._clock.shift(timedelta(minutes=2))
        money.follow_refunds()
        assert ledger.check() == []

    def joins(self, name: str, choice: str, paid: int = 36500, **plan: Any) -> User:
        """On a plan of a year that cost a euro a day, unless the plan is another."""
        user = make_person(f"{name}@example.org", paid, **{**YEARLY, **plan})
        join(user, self.organisation, choice)
        assert ledger.check() == []
        return user

    def bills(self, number: str, total_minor: int = 15000) -> int:
        """What is left to pay of a new invoice."""
        days = {"issued_on": date(2026, 1, 1), "due_on": date(2026, 12, 31)}
        invoice = invoices.add(self.organisation, number, total_minor=total_minor, **days)
        assert ledger.check() == []
        return invoice.owed_minor

    def credit(self) -> dict[str, int]:
        """The organisation's, by kind: held, available, used."""
        found = ledger.balances(self.organisation.id)
        return {kind.removeprefix("credit_"): minor for (kind, _), minor in found.items()}


@pytest.fixture
def year(app: Flask) -> Iterator[Year]:
    with time_machine.travel(datetime(2026, 1, 15, 12, tzinfo=UTC), tick=False) as clock:
        yield Year(clock)


def test_a_year_of_joining_paying_and_changing_minds(year: Year) -> None:
    credit_is_used_up_over_three_invoices(year)
    a_void_gives_back_and_the_oldest_is_taken_again(year)
    an_undo_leaves_nothing_behind(year)
    a_failed_refund_becomes_credit(year)
    what_the_bank_sends_back_is_tried_again(year)
    what_no_gateway_took_is_paid_by_hand(year)
    a_new_year_begins_new_numbers(year)
    every_cent_is_explained(year)


def credit_is_used_up_over_three_invoices(year: Year) -> None:
    year.joins("ann", "credit")
    bob = year.joins("bob", "refund")
    assert year.credit() == {"held": 35100}
    assert year.bills("F-01", 1000) == 1000, "held credit pays nothing"
    year.on(1, 16, 13)
    assert year.credit() == {"held": 0, "available": 35100}
    assert refund_of(bob).state == "succeeded"
    year.on(2, 1)
    assert (year.bills("F-02"), year.credit()["available"]) == (0, 20100)
    year.on(3, 1)
    assert (year.bills("F-03"), year.credit()["available"]) == (0, 5100)
    year.on(4, 1)
    assert (year.bills("F-04"), year.credit()["available"]) == (9900, 0)
    assert year.credit()["used"] == 35100


def a_void_gives_back_and_the_oldest_is_taken_again(year: Year) -> None:
    year.on(4, 10)
    invoices.mark_paid(year.organisation, "F-04")
    year.on(4, 20)
    invoices.void(year.organisation, "F-03")
    assert ledger.check() == []
    assert year.credit() == {"held": 0, "available": 15000, "used": 20100}
    year.joins("cyd", "credit")
    year.on(4, 22)
    assert year.credit()["available"] == 15000 + 25600
    assert year.bills("F-05", 16000) == 0
    uses = credit.uses_of(Invoice.get(Invoice.number == "F-05"))
    assert [use.amount_minor for use in uses] == [15000, 1000]


def an_undo_leaves_nothing_behind(year: Year) -> None:
    before = year.credit()
    year.on(5, 1)
    dan = year.joins("dan", "credit")
    assert year.credit()["held"] == 24500
    latest = joining.latest_acceptance(dan)
    assert latest is not None
    undo.undo(dan, latest.id)
    assert (ledger.check(), year.credit()) == ([], before)
    year.on(5, 3)
    assert year.credit() == before
    assert Payment.get(Payment.account == own_account(dan)).returned_minor == 0


def a_failed_refund_becomes_credit(year: Year) -> None:
    dan = User.get(User.email == "dan@example.org")
    again = join(dan, year.organisation, "refund")
    assert settlement_of(again).gross_minor == 24300
    fate(dan, "fails")
    year.on(5, 5)
    refund = refund_of(dan)
    assert (refund.state, [one.id for one in refunds.failed()]) == ("failed", [refund.id])
    before = year.credit()["available"]
    failed_refunds.ask_for_consent(seller(), refund.id)
    failed_refunds.hand_over(dan, session_of(dan), refund.id)
    assert (ledger.check(), list(refunds.failed())) == ([], [])
    assert year.credit()["available"] == before + 24300
    assert year.bills("F-06", before + 24300) == 0
    assert year.credit()["available"] == 0


def what_the_bank_sends_back_is_tried_again(year: Year) -> None:
    year.on(9, 1)
    eve = year.joins("eve", "refund")
    fate(eve, "comes back")
    year.on(9, 2, 13)
    year.on(9, 9)
    refund = refund_of(eve)
    assert (refund.state, refund.bank_reference[:3]) == ("failed", "ARN")
    fate(eve, "succeeds")
    failed_refunds.try_again(seller(), refund.id)
    year.work()
    assert refund_of(eve).id > refund.id
    assert refund_of(eve).state == "succeeded"


def what_no_gateway_took_is_paid_by_hand(year: Year) -> None:
    year.on(11, 1)
    fay = year.joins("fay", "refund", gateway="none", method="")
    year.on(11, 3)
    (payout,) = refunds.payouts()
    failed_refunds.pay_by_hand(seller(), payout.id, "VIR-2026-11", date(2026, 11, 3))
    assert (ledger.check(), refund_of(fay).state) == ([], "succeeded")


def a_new_year_begins_new_numbers(year: Year) -> None:
    year.on(12, 31, 22)
    year.joins("gus", "refund")
    # An hour later it is 2027 in Paris, where the seller counts.
    year.on(12, 31, 23)
    plan = {"period_start_on": date(2026, 12, 15), "period_end_on": date(2027, 1, 15)}
    year.joins("hal", "refund", 3100, **plan)
    year.on(1, 2, year=2027)
    series = [one.number for one in Statement.select().order_by(Statement.id)]
    assert series[-2:] == ["R-2026-000005", "R-2027-000001"]
    assert sorted(number for number in series if number.startswith("C")) == [
        f"C-2026-{at:06d}" for at in (1, 2, 3, 4)
    ]


def every_cent_is_explained(year: Year) -> None:
    """Ledger, gateway, documents and movements tell the same story."""
    kept = {settlement.id for settlement in Settlement.select() if is_kept(settlement)}
    documents = sum(
        one.gross_minor * (1 if one.corrects_id is None else -1)
        for one in Statement.select().where(Statement.kind.in_(("refund", "credit")))
    )
    assert documents == sum(s.gross_minor for s in Settlement.select() if s.id in kept)
    left = sum(one.amount_minor for one in Refund.select().where(Refund.state == "succeeded"))
    at_gateway = sum(
        one.amount_minor for one in SimulatedRefund.select() if one.shown().state == "succeeded"
    )
    by_hand = sum(one.amount_minor for one in Refund.select().where(Refund.is_by_hand))
    assert left == at_gateway + by_hand
    assert left + year.credit()["available"] + year.credit()["used"] == documents
    for account in Account.select():
        for one in movements.of(account):
            assert one.closing_minor == ledger.balance(account.id, one.kind, one.currency)  # type: ignore[arg-type]


def is_kept(settlement: Settlement) -> bool:
    return settlement.acceptance.undone_at is None


def own_account(user: User) -> Account:
    membership = user.membership()
    assert membership is not None
    account: Account = membership.account
    return account


def refund_of(user: User) -> Refund:
    """The latest of a person's."""
    found: Refund = (
        Refund.select()
        .join(Payment)
        .join(Account)
        .where(Account.name == user.email.partition("@")[0].title())
        .order_by(Refund.id.desc())
        .get()
    )
    return found


def fate(user: User, fate: str) -> None:
    """What becomes of the person's refunds from now on; those that have ended stay so."""
    paid = SimulatedPayment.get(SimulatedPayment.reference == refund_of(user).payment.reference)
    for made in SimulatedRefund.select().where(SimulatedRefund.payment == paid):
        ended = SimulatedRefund.update(state=made.shown().state)
        ended.where(SimulatedRefund.id == made.id).execute()
    SimulatedPayment.update(fate=fate).where(SimulatedPayment.id == paid.id).execute()
