"""What every gateway keeps, whichever it is: one suite, run against each of them."""

from datetime import timedelta

import pytest
import time_machine

from tests.money import ACCEPTED
from tests.races import race
from webapp.payments.gateway import Gateway, GatewayAway, GatewayRefund, GatewayRefusal
from webapp.payments.simulated import (
    KEY_LIFE,
    SETTLING,
    SimulatedCredit,
    SimulatedPayment,
    SimulatedRefund,
    SimulatedSubscription,
    capture,
    faults,
    subscribe,
)

LOST = ["never sent", "answer lost", "key forgotten", "error", "busy"]


@pytest.fixture
def payment(gateway: Gateway) -> str:
    """187.39 EUR."""
    capture("pi_1", "EUR", 18739)
    return "pi_1"


def create(
    gateway: Gateway, payment: str, minor: int = 4997, key: str = "refund-1"
) -> GatewayRefund:
    return gateway.create_refund(payment, minor, "EUR", key, {"refund_key": key})


def fate_of(payment: str, **fate: object) -> None:
    SimulatedPayment.update(**fate).where(SimulatedPayment.reference == payment).execute()


def test_a_refund_is_pending_and_then_succeeds_with_the_banks_reference(
    gateway: Gateway, payment: str, clock: time_machine.Traveller
) -> None:
    made = create(gateway, payment)
    assert (made.state, made.amount_minor, made.currency) == ("pending", 4997, "EUR")
    assert made.bank_reference == ""

    clock.shift(SETTLING)
    arrived = gateway.fetch_refund(made.reference)
    assert (arrived.reference, arrived.state) == (made.reference, "succeeded")
    assert arrived.bank_reference.startswith("ARN")


def test_every_refund_of_a_time_is_listed_whoever_asked_for_it(
    gateway: Gateway, payment: str, clock: time_machine.Traveller
) -> None:
    capture("ch_1", "EUR", 500)
    create(gateway, payment, 100, "too early")
    clock.shift(timedelta(hours=1))
    since = ACCEPTED + timedelta(hours=1)
    ours = create(gateway, payment, 200, "refund-2")
    other = gateway.create_refund("ch_1", 300, "EUR", "by hand", {})
    clock.shift(timedelta(hours=1))
    create(gateway, payment, 400, "too late")

    found = sorted(
        gateway.list_refunds(since, since + timedelta(hours=1)), key=lambda one: one.refund_key
    )
    assert [one.refund.reference for one in found] == [other.reference, ours.reference]
    assert [one.refund_key for one in found] == ["", "refund-2"]
    assert [one.payment_references for one in found] == [("ch_1",), (payment,)]
    assert [one.created_at for one in found] == [since, since]


def test_a_list_that_breaks_off_says_so(gateway: Gateway, payment: str) -> None:
    faults.ask_for("list_refunds", "busy")

    with pytest.raises(GatewayAway):
        list(gateway.list_refunds(ACCEPTED, ACCEPTED + timedelta(days=1)))


def test_a_charge_is_refunded_like_a_payment_intent(gateway: Gateway) -> None:
    capture("ch_1", "EUR", 18739)
    made = create(gateway, "ch_1")

    assert gateway.fetch_refund(made.reference) == made
    assert gateway.find_refund("ch_1", "refund-1") == made


@pytest.mark.parametrize("fate", ["fails", "is canceled"])
def test_a_refund_may_be_given_up_with_a_reason(
    gateway: Gateway, payment: str, clock: time_machine.Traveller, fate: str
) -> None:
    fate_of(payment, fate=fate)
    made = create(gateway, payment)
    clock.shift(SETTLING)

    ended = gateway.fetch_refund(made.reference)
    assert ended.state in ("failed", "canceled")
    assert ended.reason != ""


def test_a_refund_that_had_succeeded_may_come_back(
    gateway: Gateway, payment: str, clock: time_machine.Traveller
) -> None:
    fate_of(payment, fate="comes back")
    made = create(gateway, payment)
    states = []
    for _ in range(4):
        states.append(gateway.fetch_refund(made.reference).state)
        clock.shift(SETTLING)

    assert states == ["pending", "succeeded", "succeeded", "failed"]


def test_a_refund_may_ask_the_customer_for_something(gateway: Gateway, payment: str) -> None:
    fate_of(payment, is_asking=True)

    assert create(gateway, payment).state == "requires_action"


def test_the_same_key_is_the_same_refund(gateway: Gateway, payment: str) -> None:
    assert create(gateway, payment) == create(gateway, payment)
    assert SimulatedRefund.select().count() == 1


def test_the_same_key_with_another_request_is_refused(gateway: Gateway, payment: str) -> None:
    create(gateway, payment)

    with pytest.raises(GatewayRefusal):
        create(gateway, payment, minor=5000)
    assert SimulatedRefund.select().count() == 1


def test_a_key_is_forgotten_after_a_day(
    gateway: Gateway, payment: str, clock: time_machine.Traveller
) -> None:
    first = create(gateway, payment)
    clock.shift(KEY_LIFE - timedelta(minutes=1))
    assert create(gateway, payment).reference == first.reference
    clock.shift(timedelta(minutes=2))

    assert create(gateway, payment).reference != first.reference


def test_refunds_never_exceed_the_payment(gateway: Gateway, payment: str) -> None:
    create(gateway, payment, 18000, "refund-1")
    with pytest.raises(GatewayRefusal):
        create(gateway, payment, 740, "refund-2")

    assert create(gateway, payment, 739, "refund-3").amount_minor == 739


def test_what_failed_may_be_refunded_again(
    gateway: Gateway, payment: str, clock: time_machine.Traveller
) -> None:
    fate_of(payment, fate="fails")
    create(gateway, payment, 18739, "refund-1")
    clock.shift(SETTLING)

    assert create(gateway, payment, 18739, "refund-2").amount_minor == 18739


def test_a_payment_that_is_not_there_is_a_refusal(gateway: Gateway) -> None:
    with pytest.raises(GatewayRefusal):
        create(gateway, "pi_nowhere")


def test_a_refund_that_is_not_there_is_a_refusal(gateway: Gateway) -> None:
    with pytest.raises(GatewayRefusal):
        gateway.fetch_refund("re_nowhere")


def test_a_refund_is_found_by_our_own_key_however_many_there_are(
    gateway: Gateway, payment: str
) -> None:
    first = create(gateway, payment, 1, "refund-0")
    made = {"payment": SimulatedPayment.get(), "amount_minor": 1, "state": "succeeded"}
    SimulatedRefund.insert_many(
        {**made, "reference": f"re_{at}", "refund_key": f"refund-{at}", "created_at": ACCEPTED}
        for at in range(1, 120)
    ).execute()

    assert gateway.find_refund(payment, "refund-0") == first
    assert gateway.find_refund(payment, "refund-120") is None


def test_a_refund_is_not_found_on_another_payment(gateway: Gateway, payment: str) -> None:
    capture("pi_other", "EUR", 18739)
    create(gateway, payment)

    assert gateway.find_refund("pi_other", "refund-1") is None


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_says_nothing_of_what_was_done(
    gateway: Gateway, payment: str, fault: str
) -> None:
    faults.ask_for("create_refund", fault)

    with pytest.raises(GatewayAway):
        create(gateway, payment)
    made = SimulatedRefund.select().count()
    assert made == (1 if fault in ("answer lost", "key forgotten") else 0)
    assert (gateway.find_refund(payment, "refund-1") is not None) == bool(made)


def test_an_error_is_remembered_with_the_key_for_a_day(
    gateway: Gateway, payment: str, clock: time_machine.Traveller
) -> None:
    faults.ask_for("create_refund", "error")
    for _ in range(2):
        with pytest.raises(GatewayAway):
            create(gateway, payment)
    clock.shift(KEY_LIFE + timedelta(seconds=1))

    assert create(gateway, payment).state == "pending"
    assert SimulatedRefund.select().count() == 1


def test_a_key_that_was_forgotten_early_makes_a_second_refund_unless_one_asks(
    gateway: Gateway, payment: str
) -> None:
    faults.ask_for("create_refund", "key forgotten")
    with pytest.raises(GatewayAway):
        create(gateway, payment)

    assert gateway.find_refund(payment, "refund-1") is not None
    create(gateway, payment)
    assert SimulatedRefund.select().count() == 2


def test_a_definite_no_carries_its_reason(gateway: Gateway, payment: str) -> None:
    faults.ask_for("create_refund", "refused")

    with pytest.raises(GatewayRefusal, match="the bank declined"):
        create(gateway, payment)


@pytest.mark.parametrize("fault", ["never sent", "error", "busy"])
def test_asking_may_fail_too(gateway: Gateway, payment: str, fault: str) -> None:
    made = create(gateway, payment)
    faults.ask_for("fetch_refund", fault)
    faults.ask_for("find_refund", fault)

    with pytest.raises(GatewayAway):
        gateway.fetch_refund(made.reference)
    with pytest.raises(GatewayAway):
        gateway.find_refund(payment, "refund-1")


def test_eight_requests_of_one_key_at_once_make_one_refund(gateway: Gateway, payment: str) -> None:
    outcomes = race(8, lambda _: create(gateway, payment))

    assert {one.reference for one in outcomes} == {SimulatedRefund.get().reference}
    assert SimulatedRefund.select().count() == 1


@pytest.fixture
def subscription(gateway: Gateway) -> SimulatedSubscription:
    subscribe("sub_1")
    found: SimulatedSubscription = SimulatedSubscription.get()
    return found


def ends() -> tuple[bool, bool]:
    """Does it end with its period; is it over?"""
    now = SimulatedSubscription.get()
    return now.ends_with_period, now.is_canceled


def test_a_subscription_ends_with_its_period_and_is_kept_again(
    gateway: Gateway, subscription: SimulatedSubscription
) -> None:
    for _ in range(2):
        gateway.end_subscription_at_period_end("sub_1")
        assert ends() == (True, False)
    for _ in range(2):
        gateway.keep_subscription("sub_1")
        assert ends() == (False, False)


def test_keeping_leaves_the_customers_own_wish_to_end_it(
    gateway: Gateway, subscription: SimulatedSubscription
) -> None:
    SimulatedSubscription.update(ends_with_period=True).execute()
    gateway.end_subscription_at_period_end("sub_1")
    gateway.keep_subscription("sub_1")

    assert ends() == (True, False)


def test_a_subscription_is_canceled_once(
    gateway: Gateway, subscription: SimulatedSubscription
) -> None:
    for _ in range(2):
        gateway.cancel_subscription_without_proration("sub_1")
        assert ends() == (False, True)
    gateway.end_subscription_at_period_end("sub_1")

    with pytest.raises(GatewayRefusal, match="has ended"):
        gateway.keep_subscription("sub_1")
    assert ends() == (False, True)


def test_a_subscription_that_is_not_there_is_a_refusal(gateway: Gateway) -> None:
    for change in (
        gateway.end_subscription_at_period_end,
        gateway.keep_subscription,
        gateway.cancel_subscription_without_proration,
    ):
        with pytest.raises(GatewayRefusal):
            change("sub_nowhere")


@pytest.mark.parametrize("fault", ["never sent", "answer lost", "busy"])
def test_a_change_whose_answer_was_lost_is_made_again_without_harm(
    gateway: Gateway, subscription: SimulatedSubscription, fault: str
) -> None:
    faults.ask_for("end_subscription_at_period_end", fault)
    faults.ask_for("cancel_subscription_without_proration", fault)
    with pytest.raises(GatewayAway):
        gateway.end_subscription_at_period_end("sub_1")
    gateway.end_subscription_at_period_end("sub_1")
    assert ends() == (True, False)
    with pytest.raises(GatewayAway):
        gateway.cancel_subscription_without_proration("sub_1")
    gateway.cancel_subscription_without_proration("sub_1")

    assert ends() == (True, True)


@pytest.mark.parametrize("later", [timedelta(), timedelta(days=3)])
@pytest.mark.parametrize("fault", ["", "never sent", "answer lost"])
def test_credit_is_pushed_once_for_each_key(
    gateway: Gateway, clock: time_machine.Traveller, fault: str, later: timedelta
) -> None:
    if fault:
        faults.ask_for("push_credit", fault)
        with pytest.raises(GatewayAway):
            gateway.push_credit("cus_1", 4997, "EUR", "push-1")
    clock.shift(later)
    first = gateway.push_credit("cus_1", 4997, "EUR", "push-1")
    clock.shift(later)

    assert gateway.push_credit("cus_1", 4997, "EUR", "push-1") == first
    assert gateway.push_credit("cus_1", 100, "EUR", "push-2") != first
    pushed = SimulatedCredit.select().order_by(SimulatedCredit.id)
    assert [(one.amount_minor, one.currency) for one in pushed] == [(4997, "EUR"), (100, "EUR")]
