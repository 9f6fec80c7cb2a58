"""Refunds: asked once, followed until they arrive, whatever is lost on the way."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.money import ACCEPTED, make_account, make_organisation, make_plan, make_user, settle
from tests.races import race
from webapp import outbox
from webapp.actions import ledger, refunds
from webapp.models import Acceptance, LedgerTransfer, OutboxMessage, Payment, Refund
from webapp.outbox import claiming
from webapp.payments.gateway import GatewayAway, GatewayRefund, GatewayRefusal
from webapp.payments.simulated import SimulatedGateway, SimulatedPayment, SimulatedRefund

CLOSED = ACCEPTED + timedelta(hours=24)


class Flaky(SimulatedGateway):
    """The simulated gateway behind a bad line: before or after it did its work, `faults` are
    raised, one a call."""

    def __init__(self, *faults: str) -> None:
        self.faults = list(faults)
        self.calls: list[str] = []

    def create_refund(self, *asked: Any, **named: Any) -> GatewayRefund:
        return self._through(
            "create", lambda: SimulatedGateway.create_refund(self, *asked, **named)
        )

    def fetch_refund(self, reference: str) -> GatewayRefund:
        return self._through("fetch", lambda: SimulatedGateway.fetch_refund(self, reference))

    def find_refund(self, payment_reference: str, refund_key: str) -> GatewayRefund | None:
        found = SimulatedGateway.find_refund
        return self._through("find", lambda: found(self, payment_reference, refund_key))

    def _through(self, call: str, answer: Callable[[], Any]) -> Any:
        self.calls.append(call)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "never sent":
            raise GatewayAway("no connection")
        answered = answer()
        if fault == "answer lost":
            raise GatewayAway("timed out")
        return answered


class Telling(SimulatedGateway):
    """Answers what the test says became of the refund."""

    def __init__(self, **told: Any) -> None:
        self.told = told

    def fetch_refund(self, reference: str) -> GatewayRefund:
        return replace(SimulatedGateway.fetch_refund(self, reference), **self.told)


class Refusing(SimulatedGateway):
    def create_refund(self, *asked: Any, **named: Any) -> GatewayRefund:
        raise GatewayRefusal("the card was closed")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as travelled:
        yield travelled


@pytest.fixture
def refund(app: Flask, clock: time_machine.Traveller) -> Refund:
    """A refund whose undo window has just closed, and that no gateway can have forgotten."""
    made = held_refund()
    clock.move_to(CLOSED)
    Refund.update(created_at=CLOSED - timedelta(hours=1)).execute()
    return made


def held_refund(**fields: Any) -> Refund:
    account = make_account()
    user = make_user("camille@example.org", account, is_owner=True)
    make_plan(account, **fields)
    settle(user, make_organisation(), "refund")
    made: Refund = Refund.get()
    return made


def fresh() -> Refund:
    found: Refund = Refund.get()
    return found


def balances() -> dict[str, int]:
    account = Payment.get().account_id
    return {kind: minor for (kind, _), minor in ledger.balances(account).items() if minor}


HELD = {"captured": 18739, "prepaid": 13742, "refund_held": 4997}
REQUESTED = {"captured": 18739, "prepaid": 13742, "refund_requested": 4997}
SUCCEEDED = {"captured": 13742, "prepaid": 13742}


def test_a_refund_goes_its_way(refund: Refund, clock: time_machine.Traveller) -> None:
    assert balances() == HELD
    refunds.request(refund.id, SimulatedGateway())
    assert (fresh().state, fresh().requested_at, balances()) == ("pending", CLOSED, REQUESTED)
    assert [one.id for one in refunds.underway()] == [refund.id]

    refunds.follow(refund.id, SimulatedGateway())
    assert fresh().state == "pending"
    clock.shift(30)
    refunds.follow(refund.id, SimulatedGateway())

    assert (fresh().state, balances()) == ("succeeded", SUCCEEDED)
    assert fresh().bank_reference.startswith("ARN")
    # The mail on joining has said so; another one tells only of what had failed before.
    kinds = [one.kind for one in OutboxMessage.select()]
    assert "mail:refund-paid" not in kinds
    assert list(refunds.underway()) == []
    assert ledger.check() == []


def test_nothing_leaves_while_the_acceptance_can_be_undone(
    app: Flask, clock: time_machine.Traveller
) -> None:
    refund = held_refund()
    clock.move_to(CLOSED - timedelta(seconds=1))

    with pytest.raises(outbox.Deferred):
        refunds.request(refund.id, SimulatedGateway())
    assert (fresh().state, SimulatedRefund.select().count()) == ("held", 0)


def test_a_cancelled_refund_never_leaves(refund: Refund) -> None:
    Refund.update(state="canceled").execute()
    Acceptance.update(undone_at=ACCEPTED).execute()

    refunds.request(refund.id, SimulatedGateway())
    assert SimulatedRefund.select().count() == 0
    assert list(refunds.failed()) == []


def test_a_repeat_asks_for_nothing_more(refund: Refund, clock: time_machine.Traveller) -> None:
    gateway = Flaky()
    for _ in range(3):
        refunds.request(refund.id, gateway)
    clock.shift(30)
    for _ in range(3):
        refunds.follow(refund.id, gateway)

    assert gateway.calls == ["create", "fetch", "fetch", "fetch"]
    assert (SimulatedRefund.select().count(), balances()) == (1, SUCCEEDED)


@pytest.mark.parametrize("days", [0, 1, 5])
@pytest.mark.parametrize(
    "faults",
    [
        ["never sent"],
        ["answer lost"],
        ["never sent", "never sent"],
        ["never sent", "answer lost"],
        ["answer lost", "answer lost", "answer lost"],
        ["never sent", "", "never sent"],
        ["never sent", "", "answer lost"],
    ],
)
def test_whatever_is_lost_one_refund_is_made(
    refund: Refund, clock: time_machine.Traveller, faults: list[str], days: int
) -> None:
    gateway = Flaky(*faults)
    while True:
        try:
            refunds.request(refund.id, gateway)
            break
        except GatewayAway:
            assert (fresh().state, balances()) == ("requested", REQUESTED)
            clock.shift(timedelta(days=days, minutes=1))
    clock.shift(30)
    refunds.follow(refund.id, gateway)

    assert (fresh().state, balances()) == ("succeeded", SUCCEEDED)
    assert SimulatedRefund.select().count() == 1
    assert ledger.check() == []


def test_a_repeat_asks_before_it_sends(refund: Refund) -> None:
    gateway = Flaky("answer lost")
    with pytest.raises(GatewayAway):
        refunds.request(refund.id, gateway)
    refunds.request(refund.id, gateway)

    assert gateway.calls == ["create", "find"]


def test_a_first_try_of_an_old_refund_asks_before_it_sends(
    refund: Refund, clock: time_machine.Traveller
) -> None:
    """It left, and then the database was put back from a copy that holds it still."""
    SimulatedGateway().create_refund(
        *(refund.payment.reference, refund.amount_minor, refund.currency),
        *(refund.idempotency_key, {"refund_key": refund.idempotency_key}),
    )
    clock.shift(timedelta(hours=25))  # the gateway has forgotten the key
    gateway = Flaky()
    refunds.request(refund.id, gateway)

    assert gateway.calls == ["find"]
    assert (fresh().state, SimulatedRefund.select().count()) == ("succeeded", 1)


def test_following_finishes_a_request_whose_answer_was_lost(refund: Refund) -> None:
    with pytest.raises(GatewayAway):
        refunds.request(refund.id, Flaky("answer lost"))
    refunds.follow(refund.id, SimulatedGateway())

    assert (fresh().state, SimulatedRefund.select().count()) == ("pending", 1)


def test_a_crash_after_committing_is_finished_by_the_next_try(refund: Refund) -> None:
    class Crash(BaseException):
        pass

    class Crashing(SimulatedGateway):
        def create_refund(self, *asked: Any, **named: Any) -> GatewayRefund:
            SimulatedGateway.create_refund(self, *asked, **named)
            raise Crash

    with pytest.raises(Crash):
        refunds.request(refund.id, Crashing())
    assert (fresh().state, balances()) == ("requested", REQUESTED)
    refunds.request(refund.id, SimulatedGateway())

    assert (fresh().state, SimulatedRefund.select().count()) == ("pending", 1)


def test_sixteen_requests_at_once_make_one_refund(refund: Refund) -> None:
    outcomes = race(16, lambda _: refunds.request(refund.id, SimulatedGateway()))

    assert [one for one in outcomes if one is not None] == []
    assert SimulatedRefund.select().count() == 1
    assert LedgerTransfer.select().where(LedgerTransfer.kind == "refund_requested").count() == 1
    assert fresh().state == "pending"


def test_sixteen_answers_at_once_are_recorded_once(
    refund: Refund, clock: time_machine.Traveller
) -> None:
    refunds.request(refund.id, SimulatedGateway())
    clock.shift(30)

    assert race(16, lambda _: refunds.follow(refund.id, SimulatedGateway())) == [None] * 16
    assert (fresh().state, balances()) == ("succeeded", SUCCEEDED)


def test_a_refusal_is_a_failure_with_its_reason(refund: Refund) -> None:
    refunds.request(refund.id, Refusing())

    assert (fresh().state, fresh().reason) == ("failed", "the card was closed")
    assert balances() == HELD
    assert [one.id for one in refunds.failed()] == [refund.id]
    assert list(refunds.underway()) == []
    assert ledger.check() == []


def test_the_gateways_ceiling_is_a_refusal(refund: Refund) -> None:
    SimulatedPayment.update(captured_minor=4996).execute()
    refunds.request(refund.id, SimulatedGateway())

    assert fresh().state == "failed"
    assert "exceeds" in fresh().reason


@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_a_refund_that_the_bank_gives_up_is_held_again(refund: Refund, end: str) -> None:
    refunds.request(refund.id, SimulatedGateway())
    refunds.follow(refund.id, Telling(state=end, reason="account closed"))

    assert (fresh().state, fresh().reason, balances()) == (end, "account closed", HELD)
    letters = OutboxMessage.select().where(OutboxMessage.kind == "mail:refund-failed")
    assert [one.payload for one in letters] == [{"refund_id": refund.id}]
    assert [one.id for one in refunds.failed()] == [refund.id]


def test_a_refund_that_the_bank_sends_back_later_is_held_again(
    refund: Refund, clock: time_machine.Traveller
) -> None:
    refunds.request(refund.id, SimulatedGateway())
    clock.shift(30)
    refunds.follow(refund.id, SimulatedGateway())
    refunds.follow(refund.id, Telling(state="failed", reason="returned by the bank"))

    assert (fresh().state, balances()) == ("failed", HELD)
    assert ledger.check() == []


@pytest.mark.parametrize("late", ["pending", "requires_action", "canceled"])
def test_a_late_answer_takes_nothing_back(
    refund: Refund, clock: time_machine.Traveller, late: str
) -> None:
    refunds.request(refund.id, SimulatedGateway())
    clock.shift(30)
    refunds.follow(refund.id, SimulatedGateway())
    before = fresh().__data__
    refunds.follow(refund.id, Telling(state=late))

    assert fresh().__data__ == before
    assert balances() == SUCCEEDED


def test_an_answer_of_another_amount_is_not_believed(refund: Refund) -> None:
    refunds.request(refund.id, SimulatedGateway())

    with pytest.raises(ValueError, match="another amount"):
        refunds.follow(refund.id, Telling(amount_minor=4998, state="succeeded"))
    assert fresh().state == "pending"


def test_what_no_gateway_took_becomes_a_payout(app: Flask, clock: time_machine.Traveller) -> None:
    refund = held_refund(gateway="none", method="")
    clock.move_to(CLOSED)
    gateway = Flaky()
    refunds.request(refund.id, gateway)
    refunds.request(refund.id, gateway)
    refunds.follow(refund.id, gateway)

    assert (fresh().state, gateway.calls, balances()) == ("requested", [], REQUESTED)
    assert [one.id for one in refunds.payouts()] == [refund.id]
    assert list(refunds.underway()) == []


def test_money_never_goes_back_by_another_gateway(
    app: Flask, clock: time_machine.Traveller
) -> None:
    refund = held_refund(gateway="stripe")
    clock.move_to(CLOSED)

    with pytest.raises(outbox.Deferred, match="stripe"):
        refunds.request(refund.id, SimulatedGateway())
    assert (fresh().state, balances()) == ("held", HELD)


def test_the_key_is_the_refunds_own_and_goes_with_it(refund: Refund) -> None:
    sent: dict[str, Any] = {}

    class Listening(SimulatedGateway):
        def create_refund(
            self,
            payment_reference: str,
            amount_minor: int,
            currency: str,
            idempotency_key: str,
            metadata: Mapping[str, str],
        ) -> GatewayRefund:
            sent.update(key=idempotency_key, metadata=dict(metadata), amount=amount_minor)
            raise GatewayAway

    with pytest.raises(GatewayAway):
        refunds.request(refund.id, Listening())
    key = fresh().idempotency_key
    assert sent == {"key": key, "metadata": {"refund_key": key}, "amount": 4997}


def test_following_leaves_the_asking_to_the_message(refund: Refund) -> None:
    """Else one of two that ask might be refused, the other not, and the refusal be believed."""
    gateway = Flaky("never sent")
    with pytest.raises(GatewayAway):
        refunds.request(refund.id, gateway)
    claim = claiming.claim(("refund",))
    assert claim is not None
    refunds.follow(refund.id, gateway)
    claiming.mark_deferred(claim, "no connection")
    refunds.follow(refund.id, gateway)
    assert gateway.calls == ["create", "find", "find"]
    assert _askings().count() == 1


def test_following_writes_a_new_message_where_none_waits(refund: Refund) -> None:
    with pytest.raises(GatewayAway):
        refunds.request(refund.id, Flaky("never sent"))
    claim = claiming.claim(("refund",))
    assert claim is not None
    claiming.mark_quarantined(claim, "no connection")

    assert race(8, lambda _: refunds.follow(refund.id, SimulatedGateway())) == [None] * 8
    assert _askings().count() == 1
    refunds.request(refund.id, SimulatedGateway())
    assert (fresh().state, SimulatedRefund.select().count()) == ("pending", 1)


def _askings() -> Any:
    waiting = outbox.is_waiting()
    return OutboxMessage.select().where(waiting & (OutboxMessage.kind == "refund"))


def test_what_the_gateway_knows_is_recorded_even_while_a_worker_is_asking(refund: Refund) -> None:
    with pytest.raises(GatewayAway):
        refunds.request(refund.id, Flaky("answer lost"))
    assert claiming.claim(("refund",)) is not None

    refunds.follow(refund.id, SimulatedGateway())
    assert fresh().state == "pending"
