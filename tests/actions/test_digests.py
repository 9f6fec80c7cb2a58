"""The monthly mail: when, to whom, with which figures, and never twice."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.failed import payout, seller
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED, make_user
from tests.races import race
from webapp import clock
from webapp.actions import digests, invoices, month_sums, profile, refunds, settlements, undo
from webapp.actions.month_sums import Line
from webapp.models import Account, Membership, Notice, OutboxMessage, Refund, User
from webapp.payments.simulated import SimulatedGateway

# In Paris the month has begun an hour earlier than in UTC.
BEGUN = datetime(2026, 11, 30, 23, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def day() -> Iterator[Any]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def organisation(app: Flask) -> Account:
    return make_owned()


def bring(organisation: Account, email: str = "camille@example.org") -> None:
    """Credit of 49.97 EUR that is available at once."""
    user = make_person(email)
    acceptance = join(user, organisation, "credit")
    undo.send_now(user, acceptance.id)
    settlements.release(settlement_of(acceptance).id)


def digested() -> list[int]:
    """The users whom digests were written to."""
    messages = OutboxMessage.select().where(OutboxMessage.kind == "mail:month")
    return [message.payload["user_id"] for message in messages.order_by(OutboxMessage.id)]


def owner_of(organisation: Account) -> User:
    user: User = Membership.get(Membership.account == organisation, Membership.is_owner).user
    return user


def test_a_digest_is_written_once_in_the_first_days_of_the_sellers_month(
    organisation: Account, day: Any
) -> None:
    bring(organisation)
    day.move_to(BEGUN - timedelta(minutes=8))
    assert digests.collect(clock.now()) == 0
    day.move_to(BEGUN)
    assert digests.collect(clock.now()) == 1
    assert digests.collect(clock.now()) == 0
    day.shift(timedelta(days=5))
    assert digests.collect(clock.now()) == 0
    assert digested() == [owner_of(organisation).id]
    assert OutboxMessage.get(OutboxMessage.kind == "mail:month").payload["month"] == "2026-11"


def test_later_than_that_it_is_no_news(organisation: Account, day: Any) -> None:
    bring(organisation)
    day.move_to(datetime(2026, 12, 7, 22, 59, tzinfo=UTC))
    assert digests.collect(clock.now()) == 1
    Notice.delete().execute()
    day.move_to(datetime(2026, 12, 7, 23, 1, tzinfo=UTC))
    assert digests.collect(clock.now()) == 0


def test_where_nothing_happened_there_is_no_mail(organisation: Account, day: Any) -> None:
    seller()
    bring(organisation)
    make_owned("Maison Petit")
    day.move_to(BEGUN)
    assert digests.collect(clock.now()) == 2, "the seller's and the organisation's"
    day.move_to(datetime(2027, 1, 2, 9, tzinfo=UTC))
    assert digests.collect(clock.now()) == 0
    assert len(digested()) == 2


def test_finance_and_owners_get_it_unless_they_do_not_want_it(
    organisation: Account, day: Any
) -> None:
    finance = make_user("f@dumas.example", organisation, is_finance=True)
    make_user("a@dumas.example", organisation, is_admin=True)
    bring(organisation)
    profile.choose_digest(owner_of(organisation), False)
    day.move_to(BEGUN)
    digests.collect(clock.now())
    assert digested() == [finance.id]


def test_workers_at_the_same_time_write_one(organisation: Account, day: Any) -> None:
    bring(organisation)
    day.move_to(BEGUN)
    assert sorted(race(3, lambda at: digests.collect(BEGUN))) == [0, 0, 1]
    assert len(digested()) == 1


def test_an_organisations_month_adds_up(organisation: Account, day: Any) -> None:
    bring(organisation)
    bring(organisation, "lou@example.org")
    person = make_person("undone@example.org")
    undo.undo(person, join(person, organisation, "credit").id)
    join(make_person("held@example.org"), organisation, "credit")
    on = {"issued_on": date(2026, 11, 1), "due_on": date(2026, 12, 1)}
    invoices.add(organisation, "F-1", total_minor=3000, **on)  # type: ignore[arg-type]
    invoices.add(organisation, "F-2", total_minor=1000, **on)  # type: ignore[arg-type]
    invoices.void(organisation, "F-2")
    day.move_to(datetime(2026, 12, 3, 9, tzinfo=UTC))
    invoices.add(organisation, "F-3", total_minor=500, **on)  # type: ignore[arg-type]
    (one,) = month_sums.of(organisation, "2026-11")
    assert one.currency == "EUR"
    assert one.lines == (
        Line("brought", 4, 4 * 4997),
        Line("undone", 1, 4997),
        Line("arrived", 2, 2 * 4997),
        Line("used", 2, 4000),
        Line("given_back", 1, 1000),
        Line("held", 0, 4997),
        Line("available", 0, 2 * 4997 - 3000),
    )
    (one,) = month_sums.of(organisation, "2026-12")
    assert one.lines == (
        Line("used", 1, 500),
        Line("held", 0, 4997),
        Line("available", 0, 2 * 4997 - 3500),
    )
    assert month_sums.of(organisation, "2026-10") == []


def test_the_sellers_month_has_statements_and_what_arrived(organisation: Account, day: Any) -> None:
    bring(organisation)
    user = make_person("lou@example.org")
    acceptance = join(user, organisation, "refund")
    undo.send_now(user, acceptance.id)
    refunds.request(Refund.get().id, SimulatedGateway())
    day.shift(timedelta(seconds=30))
    refunds.follow(Refund.get().id, SimulatedGateway())
    other = make_person("undone@example.org")
    undo.undo(other, join(other, organisation, "refund").id)
    payout()
    (one,) = month_sums.of(seller().account, "2026-11")
    assert one.lines == (
        Line("refunds", 3, 3 * 4997),
        Line("refunds_cancelled", 1, 4997),
        Line("credits", 1, 4997),
        Line("paid", 1, 4997),
    )
    assert month_sums.to_see_to() == 1
