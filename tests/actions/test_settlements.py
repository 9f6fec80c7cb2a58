"""Settling: what a choice writes, what it refuses, and when credit may be used."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from peewee import IntegrityError

from tests.money import (
    ACCEPTED,
    make_acceptance,
    make_account,
    make_organisation,
    make_payment,
    make_plan,
    make_user,
    settle,
    settled,
)
from tests.races import race
from webapp import outbox
from webapp.actions import ledger, quotes, settlements
from webapp.database import transaction
from webapp.errors import Invalid, Stale
from webapp.models import (
    Acceptance,
    Account,
    LedgerTransfer,
    OutboxMessage,
    Payment,
    Refund,
    Settlement,
    SettlementShare,
    Statement,
    User,
)

AFTER = ACCEPTED + timedelta(hours=24, seconds=1)


@pytest.fixture(autouse=True)
def _on_the_day() -> Any:
    with time_machine.travel(ACCEPTED, tick=False):
        yield


def person(*paid: int, email: str = "camille@example.org", **fields: Any) -> tuple[User, Account]:
    account = make_account(name="Camille Roux")
    user = make_user(email, account, is_owner=True, name="Camille Roux")
    make_plan(account, *paid, **fields)
    return user, account


def nothing_was_written() -> bool:
    tables = (Settlement, SettlementShare, Refund, Statement, OutboxMessage, Acceptance)
    return not any(table.select().exists() for table in tables)


def messages() -> list[tuple[str, dict[str, int], Any]]:
    return [
        (one.kind, one.payload, one.leaves_at)
        for one in OutboxMessage.select().order_by(OutboxMessage.id)
    ]


def test_a_refund_is_held_with_its_statement_and_effects(app: Flask) -> None:
    settlement = settled("refund")

    assert (settlement.gross_minor, settlement.tax_minor) == (4997, 833)
    payment, refund = Payment.get(), Refund.get()
    assert (payment.returned_minor, payment.returned_tax_minor) == (4997, 833)
    assert (refund.state, refund.amount_minor, refund.requested_at) == ("held", 4997, None)
    assert [one.number for one in Statement.select()] == ["R-2026-000001"]
    assert messages() == [
        ("refund", {"refund_id": refund.id}, ACCEPTED + timedelta(hours=24)),
        ("render", {"statement_id": Statement.get().id}, ACCEPTED),
    ]
    assert ledger.balance(settlement.account.id, "refund_held", "EUR") == 4997
    assert ledger.check() == []


def test_credit_is_held_on_the_organisation_with_two_statements(app: Flask) -> None:
    settlement = settled("credit")
    organisation = settlement.organisation

    mine, theirs = Statement.select().order_by(Statement.id)
    assert (mine.number, mine.kind, mine.account) == ("C-2026-000001", "credit", settlement.account)
    assert (theirs.number, theirs.account) == ("A-2026-000001", organisation)
    assert not Refund.select().exists()
    assert [kind for kind, _, _ in messages()] == ["credit", "render", "render"]
    assert ledger.balances(organisation.id) == {("credit_held", "EUR"): 4997}
    assert ledger.check() == []


def test_the_derivation_is_frozen_with_the_routes(app: Flask) -> None:
    settlement = Settlement.get_by_id(settled("refund").id)

    assert settlement.derivation["unused_days"] == 8
    assert settlement.derivation["used_minor"] == 18739 - 4997
    assert settlement.derivation["routes"] == [
        {"reference": Payment.get().reference, "gross_minor": 4997, "tax_minor": 833}
    ]


def test_a_refund_takes_the_payment_that_matches_exactly(app: Flask) -> None:
    user, _ = person(13742, 4997)
    settle(user, make_organisation(), "refund")

    assert [(one.payment.captured_minor, one.amount_minor) for one in Refund.select()] == [
        (4997, 4997)
    ]


def test_a_refund_above_each_payment_is_several_refunds(app: Flask) -> None:
    user, account = person(*[4000] * 5)
    settle(user, make_organisation(), "refund")

    assert sorted(one.amount_minor for one in Refund.select()) == [1333, 4000]
    assert len({one.idempotency_key for one in Refund.select()}) == 2
    assert ledger.balance(account.id, "refund_held", "EUR") == 5333
    assert ledger.check() == []


def test_what_no_gateway_took_is_held_like_the_rest(app: Flask) -> None:
    user, _ = person(gateway="none", method="")
    settle(user, make_organisation(), "refund")

    assert [(one.state, one.payment.gateway) for one in Refund.select()] == [("held", "none")]
    assert Statement.get().inputs["destinations"] == [
        {"method": "", "gross_minor": 4997, "by_hand": True}
    ]


def test_a_plan_is_settled_once_unless_it_was_undone(app: Flask) -> None:
    """So that a statement never counts the tax of payments that another has stated."""
    user, account = person()
    plan = account.subscription()
    first = settle(user, make_organisation(), "refund").acceptance
    una = make_user("una@example.org", make_account(), is_owner=True)
    second = make_acceptance(una, make_organisation())
    again = Acceptance.update(ended_subscription=plan).where(Acceptance.id == second.id)

    with pytest.raises(IntegrityError), transaction():
        again.execute()
    Acceptance.update(undone_at=ACCEPTED).where(Acceptance.id == first.id).execute()
    assert again.execute() == 1


def test_payments_with_and_without_tax_never_give_back_more_tax_than_they_took(app: Flask) -> None:
    user, account = person(15000, tax_minor=0, tax_rate=None)
    subscription = account.subscription()
    assert subscription is not None
    make_payment(subscription, 4000, tax_minor=4000 // 6)
    settle(user, make_organisation(), "refund")

    for payment in Payment.select():
        assert payment.returned_tax_minor <= min(payment.tax_minor, payment.returned_minor)
    assert ledger.check() == []


def test_without_an_undo_window_everything_leaves_at_once(app: Flask) -> None:
    settlement = settled("credit", undo_until=ACCEPTED)

    assert {leaves for _, _, leaves in messages()} == {ACCEPTED}
    assert Statement.get().inputs["held_until"] is None
    settlements.release(settlement.id)
    assert ledger.balance(settlement.organisation.id, "credit_available", "EUR") == 4997


@pytest.mark.parametrize("choice", ["", "both", "Refund"])
def test_a_choice_that_is_none_is_refused(app: Flask, choice: str) -> None:
    user, _ = person()

    with pytest.raises(Invalid):
        settle(user, make_organisation(), choice)
    assert nothing_was_written()


def test_credit_needs_an_organisation_of_the_same_currency(app: Flask) -> None:
    user, _ = person()
    organisation = make_organisation(currency="USD")

    with pytest.raises(Invalid):
        settle(user, organisation, "credit")
    assert nothing_was_written()
    assert settle(user, organisation, "refund").currency == "EUR"


def test_an_offer_older_than_another_refund_is_stale(app: Flask) -> None:
    user, account = person()
    offered = quotes.current(account, ACCEPTED)
    assert offered is not None
    Payment.update(returned_minor=100).execute()

    with pytest.raises(Stale), transaction():
        settlements.settle(make_acceptance(user, make_organisation()), account, offered, "refund")
    assert nothing_was_written()


def test_a_second_settlement_of_one_acceptance_changes_nothing(app: Flask) -> None:
    settlement = settled("refund")
    user, organisation = settlement.acceptance.user, settlement.organisation
    transfers = LedgerTransfer.select().count()
    offered = quotes.of(
        settlement.acceptance.ended_subscription,
        quotes.payments_of(settlement.acceptance.ended_subscription),
        ACCEPTED,
    )

    with pytest.raises(Exception, match=r"(?i)unique"), transaction():
        settlements.settle(settlement.acceptance, settlement.account, offered, "refund")
    assert LedgerTransfer.select().count() == transfers
    assert Settlement.select().count() == Statement.select().count() == 1
    assert (user.membership().account, ledger.check()) == (organisation, [])


def test_credit_becomes_available_once_and_only_after_the_window(app: Flask) -> None:
    settlement = settled("credit")

    with pytest.raises(outbox.Deferred):
        settlements.release(settlement.id)
    with time_machine.travel(AFTER, tick=False):
        settlements.release(settlement.id)
        settlements.release(settlement.id)

    assert ledger.balances(settlement.organisation.id) == {
        ("credit_held", "EUR"): 0,
        ("credit_available", "EUR"): 4997,
    }


def test_credit_of_an_undone_acceptance_never_becomes_available(app: Flask) -> None:
    settlement = settled("credit")
    Acceptance.update(undone_at=ACCEPTED).execute()

    with time_machine.travel(AFTER, tick=False):
        settlements.release(settlement.id)
    assert ledger.balance(settlement.organisation.id, "credit_available", "EUR") == 0


def test_sixteen_releases_at_once_release_once(app: Flask) -> None:
    settlement = settled("credit", undo_until=ACCEPTED)

    assert race(16, lambda _: settlements.release(settlement.id)) == [None] * 16
    assert ledger.balance(settlement.organisation.id, "credit_available", "EUR") == 4997


def test_twelve_people_settle_with_one_organisation_at_once(app: Flask) -> None:
    organisation = make_organisation()
    people = [person(email=f"p{at}@example.org")[0] for at in range(12)]

    outcomes = race(12, lambda at: settle(people[at], organisation, ["refund", "credit"][at % 2]))

    assert all(isinstance(one, Settlement) for one in outcomes), outcomes
    assert ledger.balance(organisation.id, "credit_held", "EUR") == 6 * 4997
    assert sorted(one.number for one in Statement.select()) == sorted(
        f"{prefix}-2026-{at:06d}" for prefix in "RCA" for at in range(1, 7)
    )
    assert ledger.check() == []
