"""The ways on from a refund that failed, and payouts (rules M4, M7)."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.failed import failed_refund, payout, seller, tried
from tests.joined import join, make_owned, make_person, settlement_of, stale_session_of
from tests.money import ACCEPTED
from tests.people import session_of
from tests.races import race
from webapp.actions import failed_refunds, invoices, ledger, refunds, undo
from webapp.errors import Invalid, NotAllowed, NotThere, Stale
from webapp.models import (
    Account,
    AuditEvent,
    CreditLot,
    LedgerTransfer,
    OutboxMessage,
    Refund,
    Settlement,
    Statement,
)
from webapp.payments.simulated import (
    SimulatedGateway,
    SimulatedPayment,
    SimulatedRefund,
    faults,
)

TODAY = ACCEPTED.date()
GATEWAY = SimulatedGateway()


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


def balances(refund: Refund) -> dict[str, int]:
    """Of the person's account, what is not nothing."""
    account_id = refund.share.settlement.account_id
    return {kind: minor for (kind, _), minor in ledger.balances(account_id).items() if minor}


def counts() -> list[int]:
    written: Any = (Refund, LedgerTransfer, Statement, CreditLot, OutboxMessage, AuditEvent)
    return [model.select().count() for model in written]


def by_hand(refund: Refund, reference: str = "VIR-77", paid_on: date = TODAY) -> Refund:
    return failed_refunds.pay_by_hand(seller(), refund.id, reference, paid_on)


def told(refund: Refund) -> int:
    """How many mails tell the person that it was paid."""
    letters = OutboxMessage.select().where(OutboxMessage.kind == "mail:refund-paid")
    return [one.payload for one in letters].count({"refund_id": refund.id})


HELD = {"captured": 18739, "prepaid": 13742, "refund_held": 4997}
GONE = {"captured": 13742, "prepaid": 13742}


def test_trying_again_is_a_new_refund_with_a_key_of_its_own() -> None:
    _, refund = failed_refund()
    assert (refund.state, balances(refund)) == ("failed", HELD)

    again = failed_refunds.try_again(seller(), refund.id)

    assert again.idempotency_key != refund.idempotency_key
    assert (again.state, again.share_id, again.amount_minor) == ("held", refund.share_id, 4997)
    message = OutboxMessage.select().order_by(OutboxMessage.id.desc()).get()
    assert (message.kind, message.payload) == ("refund", {"refund_id": again.id})
    assert (list(refunds.failed()), tried(refund).state) == ([], "failed")
    assert ledger.check() == []


def test_the_second_try_arrives(clock: time_machine.Traveller) -> None:
    _, refund = failed_refund()
    again = failed_refunds.try_again(seller(), refund.id)
    refunds.request(again.id, GATEWAY)
    clock.shift(30)
    refunds.follow(again.id, GATEWAY)

    assert (tried(again).state, balances(refund)) == ("succeeded", GONE)
    assert told(again) == 1
    assert SimulatedRefund.select().count() == 1
    assert ledger.check() == []


def test_a_second_try_may_fail_too_and_be_tried_a_third_time() -> None:
    _, refund = failed_refund()
    for _ in range(2):
        faults.ask_for("create_refund", "refused")
        refund = failed_refunds.try_again(seller(), refund.id)
        refunds.request(refund.id, GATEWAY)
        assert [one.id for one in refunds.failed()] == [refund.id]

    last = failed_refunds.try_again(seller(), refund.id)
    refunds.request(last.id, GATEWAY)
    assert [one.state for one in Refund.select().order_by(Refund.id)] == ["failed"] * 3 + [
        "pending"
    ]
    assert ledger.check() == []


def test_what_the_bank_sent_back_after_success_is_tried_again(
    clock: time_machine.Traveller,
) -> None:
    user = make_person()
    acceptance = join(user, make_owned(), "refund")
    undo.send_now(user, acceptance.id)
    SimulatedPayment.update(fate="comes back").execute()
    refund = Refund.get()
    refunds.request(refund.id, GATEWAY)
    clock.shift(30)
    refunds.follow(refund.id, GATEWAY)
    assert tried(refund).state == "succeeded"
    clock.shift(60)
    refunds.follow(refund.id, GATEWAY)
    assert (tried(refund).state, balances(refund)) == ("failed", HELD)

    again = by_hand(refund)

    assert (again.state, balances(refund)) == ("succeeded", GONE)
    assert ledger.check() == []


def test_paying_by_hand_notes_reference_and_day() -> None:
    _, refund = failed_refund()

    paid = by_hand(refund, "  VIR-77\n", TODAY - timedelta(days=1))

    assert (paid.state, paid.is_by_hand, paid.bank_reference, paid.paid_on) == (
        "succeeded",
        True,
        "VIR-77",
        TODAY - timedelta(days=1),
    )
    assert paid.id != refund.id
    assert told(paid) == 1
    assert (tried(refund).state, balances(refund), list(refunds.failed())) == ("failed", GONE, [])
    assert not SimulatedRefund.select().exists()
    assert ledger.check() == []


def test_a_payout_is_noted_on_its_own_row() -> None:
    refund = payout()
    assert [one.id for one in refunds.payouts()] == [refund.id]

    paid = by_hand(refund)

    assert (paid.id, paid.state, paid.bank_reference) == (refund.id, "succeeded", "VIR-77")
    assert (balances(refund), list(refunds.payouts()), told(paid)) == (GONE, [], 1)
    assert ledger.check() == []


def test_a_payout_is_no_failed_refund() -> None:
    refund = payout()

    with pytest.raises(Stale):
        failed_refunds.try_again(seller(), refund.id)
    assert tried(refund).state == "requested"


@pytest.mark.parametrize(
    ("reference", "days", "field"),
    [("", 0, "reference"), (" \n", 0, "reference"), ("VIR-77", 1, "paid_on")],
)
def test_what_is_no_payment_is_not_noted(reference: str, days: int, field: str) -> None:
    _, refund = failed_refund()
    by, before = seller(), counts()

    with pytest.raises(Invalid) as refused:
        failed_refunds.pay_by_hand(by, refund.id, reference, TODAY + timedelta(days=days))
    assert (refused.value.facts["field"], counts()) == (field, before)


def test_today_is_the_sellers_day(clock: time_machine.Traveller) -> None:
    _, refund = failed_refund()
    # Half past midnight in Paris.
    clock.move_to(datetime(2026, 11, 25, 23, 30, tzinfo=UTC))

    assert by_hand(refund, paid_on=date(2026, 11, 26)).paid_on == date(2026, 11, 26)


def test_asking_for_consent_only_writes() -> None:
    _, refund = failed_refund()
    transfers = LedgerTransfer.select().count()
    failed_refunds.ask_for_consent(seller(), refund.id)

    letters = OutboxMessage.select().where(OutboxMessage.kind == "mail:refund-failed")
    assert [one.payload for one in letters] == [{"refund_id": refund.id}] * 2
    assert (tried(refund).state, LedgerTransfer.select().count()) == ("failed", transfers)


def test_handing_over_makes_credit_that_invoices_take() -> None:
    user, refund = failed_refund()
    organisation = Settlement.get().organisation

    handed = failed_refunds.hand_over(user, session_of(user), refund.id)

    assert (handed.state, list(refunds.failed())) == ("canceled", [])
    assert balances(refund) == {"captured": 18739, "prepaid": 13742}
    lot = CreditLot.get()
    assert (lot.organisation_id, lot.amount_minor, lot.share_id) == (
        organisation.id,
        4997,
        refund.share_id,
    )
    mine, theirs = Statement.select().order_by(Statement.id)
    assert (mine.kind, theirs.kind, theirs.gross_minor) == ("refund", "account_credit", 4997)
    assert (theirs.account_id, theirs.inputs["held_until"]) == (organisation.id, None)
    paid = invoices.add(organisation, "F-1", issued_on=TODAY, due_on=TODAY, total_minor=4997)
    assert paid.owed_minor == 0
    assert ledger.check() == []


def test_handing_over_needs_a_fresh_proof() -> None:
    user, refund = failed_refund()
    session, before = stale_session_of(user), counts()

    with pytest.raises(NotAllowed, match="proof"):
        failed_refunds.hand_over(user, session, refund.id)
    assert (counts(), tried(refund).state) == (before, "failed")


def test_nothing_is_converted_into_another_currency() -> None:
    user, refund = failed_refund()
    Account.update(currency="USD").where(Account.kind == "organisation").execute()

    with pytest.raises(Invalid):
        failed_refunds.hand_over(user, session_of(user), refund.id)
    assert not CreditLot.select().exists()


@pytest.mark.parametrize("state", ["failed", "held", "requested", "succeeded", "none"])
def test_somebody_elses_refund_is_not_there_whatever_became_of_it(state: str) -> None:
    _, refund = failed_refund()
    other = make_person("other@example.org")
    Refund.update(state=state if state != "none" else "failed", requested_at=None).execute()
    asked = refund.id + 1 if state == "none" else refund.id

    with pytest.raises(NotThere):
        failed_refunds.hand_over(other, session_of(other), asked)


Way = Callable[[Refund], Any]
WAYS: dict[str, Way] = {
    "again": lambda refund: failed_refunds.try_again(seller(), refund.id),
    "by hand": by_hand,
    "credit": lambda refund: failed_refunds.hand_over(
        refund.share.settlement.acceptance.user,
        session_of(refund.share.settlement.acceptance.user),
        refund.id,
    ),
}
ASKED: dict[str, Way] = {
    **WAYS,
    "consent": lambda refund: failed_refunds.ask_for_consent(seller(), refund.id),
}


@pytest.mark.parametrize("second", ASKED)
@pytest.mark.parametrize("first", WAYS)
def test_after_one_way_on_there_is_no_other(first: str, second: str) -> None:
    _, refund = failed_refund()
    WAYS[first](refund)
    before = counts()

    with pytest.raises(Stale):
        ASKED[second](refund)
    assert counts() == before
    assert ledger.check() == []


@pytest.mark.parametrize("way", WAYS)
def test_eight_presses_at_once_are_one(way: str) -> None:
    user, refund = failed_refund()
    by, session = seller(), session_of(user)
    ways: dict[str, Callable[[], Any]] = {
        "again": lambda: failed_refunds.try_again(by, refund.id),
        "by hand": lambda: failed_refunds.pay_by_hand(by, refund.id, "VIR-77", TODAY),
        "credit": lambda: failed_refunds.hand_over(user, session, refund.id),
    }

    outcomes = race(8, lambda _: ways[way]())

    assert sorted(type(one).__name__ for one in outcomes) == ["Refund"] + ["Stale"] * 7, outcomes
    assert ledger.check() == []


def test_of_the_three_ways_at_once_one_wins() -> None:
    organisation, by = make_owned(), seller()
    for at in range(6):
        user, refund = failed_refund(f"p{at}@example.org", organisation)
        session = session_of(user)
        ways: list[Callable[[], Any]] = [
            lambda r=refund: failed_refunds.try_again(by, r.id),
            lambda r=refund: failed_refunds.pay_by_hand(by, r.id, "VIR-77", TODAY),
            lambda u=user, s=session, r=refund: failed_refunds.hand_over(u, s, r.id),
        ]

        outcomes = race(3, lambda i, ways=ways: ways[i]())

        won = [one for one in outcomes if isinstance(one, Refund)]
        lost = [one for one in outcomes if isinstance(one, Stale)]
        assert (len(won), len(lost)) == (1, 2), outcomes
    assert ledger.check() == []


def test_eight_notes_of_one_payout_are_one() -> None:
    refund, by = payout(), seller()

    outcomes = race(8, lambda _: failed_refunds.pay_by_hand(by, refund.id, "VIR-77", TODAY))

    assert sorted(type(one).__name__ for one in outcomes) == ["Refund"] + ["Stale"] * 7, outcomes
    assert balances(refund) == GONE


def test_a_refund_under_way_or_held_has_no_ways_on() -> None:
    user = make_person()
    acceptance = join(user, make_owned(), "refund")
    (share,) = settlement_of(acceptance).shares
    refund = Refund.get(Refund.share == share)
    for _ in ("held", "pending"):
        for way in WAYS.values():
            with pytest.raises(Stale):
                way(refund)
        undo.send_now(user, acceptance.id)
        refunds.request(refund.id, GATEWAY)
    assert tried(refund).state == "pending"


def test_what_was_undone_is_no_failure() -> None:
    user = make_person()
    acceptance = join(user, make_owned(), "refund")
    undo.undo(user, acceptance.id)

    for way in WAYS.values():
        with pytest.raises(Stale):
            way(Refund.get())
    assert list(refunds.failed()) == []


def test_a_refund_that_is_none_is_not_there() -> None:
    by = seller()
    for way in (failed_refunds.try_again, failed_refunds.ask_for_consent):
        with pytest.raises(NotThere):
            way(by, 4711)
    with pytest.raises(NotThere):
        failed_refunds.pay_by_hand(by, 4711, "VIR-77", TODAY)
