"""Who is told of credit that became available, and of refunds that failed; once an hour at most."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.effects import carry_out
from tests.failed import failed_refund, seller
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED, make_user
from tests.races import race
from webapp import clock
from webapp.actions import failed_refunds, finance_notices, settlements, undo
from webapp.models import Account, CreditLot, Membership, Notice, OutboxMessage, Refund, User

CLOSED = ACCEPTED + timedelta(hours=24)


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


def told(kind: str = "mail:credit-available") -> list[dict[str, Any]]:
    messages = OutboxMessage.select().where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)
    return [message.payload for message in messages]


def test_owners_and_finance_are_told_of_new_credit_and_nobody_else(organisation: Account) -> None:
    finance = make_user("f@dumas.example", organisation, is_finance=True)
    make_user("a@dumas.example", organisation, is_admin=True)
    gone = make_user("gone@dumas.example", organisation, is_finance=True)
    Membership.update(ended_at=clock.now()).where(Membership.user == gone).execute()
    owner = Membership.get(Membership.account == organisation, Membership.is_owner)
    bring(organisation)

    assert finance_notices.collect(clock.now()) == 1
    assert [one["user_id"] for one in told()] == [owner.user_id, finance.id]
    assert {str(one["credits"]) for one in told()} == {"[['EUR', 1, 4997]]"}


def test_credit_on_hold_is_no_news(organisation: Account, day: Any) -> None:
    acceptance = join(make_person(), organisation, "credit")
    assert finance_notices.collect(clock.now()) == 0
    day.move_to(CLOSED)
    carry_out("credit")
    assert finance_notices.collect(clock.now()) == 1
    assert settlement_of(acceptance).gross_minor == told()[0]["credits"][0][2]


def test_many_who_bring_credit_within_an_hour_are_one_mail(organisation: Account, day: Any) -> None:
    bring(organisation, "first@example.org")
    finance_notices.collect(clock.now())
    for at in range(3):
        day.shift(timedelta(minutes=5))
        bring(organisation, f"p{at}@example.org")
        assert finance_notices.collect(clock.now()) == 0
    day.move_to(ACCEPTED + finance_notices.REST - timedelta(seconds=1))
    assert finance_notices.collect(clock.now()) == 0
    day.shift(timedelta(seconds=1))
    assert finance_notices.collect(clock.now()) == 1
    assert finance_notices.collect(clock.now()) == 0
    assert [one["credits"] for one in told()] == [[["EUR", 1, 4997]], [["EUR", 3, 14991]]]
    assert not CreditLot.select().where(CreditLot.told_at.is_null()).exists()


def test_one_organisations_mail_holds_up_no_others(organisation: Account) -> None:
    bring(organisation)
    assert finance_notices.collect(clock.now()) == 1
    other = make_owned("Maison Petit")
    bring(other, "zoe@example.org")
    assert finance_notices.collect(clock.now()) == 1
    assert told()[-1]["account_id"] == other.id


def test_workers_at_the_same_time_tell_once(organisation: Account) -> None:
    bring(organisation)
    now = clock.now()
    assert sorted(race(3, lambda at: finance_notices.collect(now))) == [0, 0, 1]
    assert len(told()) == 1
    assert Notice.select().count() == 1


def test_the_sellers_finance_is_told_of_failed_refunds_together(app: Flask, day: Any) -> None:
    finance = seller()
    first = failed_refund("a@example.org")[1]
    second = failed_refund("b@example.org", make_owned("Maison Petit"))[1]
    assert finance_notices.collect(clock.now()) == 1
    day.shift(timedelta(minutes=1))
    third = failed_refund("c@example.org", make_owned("Les Amis"))[1]
    assert finance_notices.collect(clock.now()) == 0
    day.shift(timedelta(hours=1))
    assert finance_notices.collect(clock.now()) == 1
    assert finance_notices.collect(clock.now()) == 0
    assert told("mail:refunds-failed") == [
        {
            "user_id": finance.user_id,
            "account_id": finance.account_id,
            "refund_ids": ids,
            "count": len(ids),
        }
        for ids in ([first.id, second.id], [third.id])
    ]
    assert told() == [], "no organisation hears of a person's refund"


def test_a_refund_that_was_mended_or_undone_is_no_news(app: Flask) -> None:
    by = seller()
    failed = failed_refund()[1]
    failed_refunds.try_again(by, failed.id)
    user = make_person("undone@example.org")
    undo.undo(user, join(user, make_owned("Maison Petit"), "refund").id)
    assert finance_notices.collect(clock.now()) == 0
    assert told("mail:refunds-failed") == []
    assert Refund.get_by_id(failed.id).told_at == clock.now(), "and is not looked at again"


def test_a_refund_that_fails_before_there_is_anybody_to_tell_is_told_later(app: Flask) -> None:
    failed_refund()
    assert finance_notices.collect(clock.now()) == 0
    seller()
    assert finance_notices.collect(clock.now()) == 1


def test_of_many_failures_some_are_named_and_all_are_counted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finance_notices, "MOST", 1)
    seller()
    for at in range(3):
        failed_refund(f"p{at}@example.org", make_owned(f"House {at}"))
    finance_notices.collect(clock.now())
    (one,) = told("mail:refunds-failed")
    assert (len(one["refund_ids"]), one["count"]) == (1, 3)
    assert User.get_by_id(one["user_id"]).email.endswith("@seller.example")
