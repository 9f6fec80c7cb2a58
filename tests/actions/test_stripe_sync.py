"""Customers brought in from Stripe: whole, again, in part, and never those who have joined."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests import stripe_records as records
from tests.money import ACCEPTED, make_organisation, make_user, settle
from tests.snapshots import everything
from tests.stripe_server import StripeServer
from webapp import policy
from webapp.actions import accounts, invoices, ledger, quotes, refunds, undo
from webapp.actions.imports import Counts
from webapp.actions.stripe_sync import Sync, bring, defaults, organisations
from webapp.errors import Invalid, NotThere
from webapp.models import (
    Account,
    Invoice,
    LedgerTransfer,
    Membership,
    Payment,
    Refund,
    Subscription,
    SyncState,
    User,
)
from webapp.payments.gateway import GatewayAway
from webapp.payments.simulated import SimulatedPayment, SimulatedRefund, capture
from webapp.payments.source import Unmappable
from webapp.payments.stripe.gateway import StripeGateway
from webapp.payments.stripe.source import StripeSource

EMAIL = "cus_1@example.org"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as travelled:
        yield travelled


@pytest.fixture
def server(app: Flask) -> Iterator[StripeServer]:
    policy.use(replace(app.config["SETTINGS"], payments="stripe"))
    with StripeServer() as server:
        server.put(records.tax_rate())
        yield server


@pytest.fixture
def camille(server: StripeServer) -> StripeServer:
    """A customer with a plan that one card paid for."""
    server.put(records.customer(), records.subscription(), records.invoice(), records.intent())
    capture("pi_1", "EUR", 18739)
    return server


def source(server: StripeServer) -> StripeSource:
    return StripeSource("sk_test_sync", server.address)


def sync(server: StripeServer, **how: Any) -> tuple[Counts, list[str]]:
    named: list[str] = []
    job = Sync(source(server), defaults(), lambda who, why: named.append(f"{who}: {why}"))
    return job.run(**how), named


def bring_in(server: StripeServer, reference: str = "cus_1") -> tuple[str, list[str]]:
    return bring(reference, source(server), defaults())


def row(model: Any) -> Any:
    """The only one there is."""
    (found,) = model.select()
    return found


def change(server: StripeServer, kind: str, id: str, **changes: Any) -> None:
    server.records[kind][id] |= changes


def test_a_customer_becomes_an_account_with_plan_payment_and_invoice(
    camille: StripeServer,
) -> None:
    assert bring_in(camille) == ("imported", [])

    account, user, plan = row(Account), row(User), row(Subscription)
    assert (account.kind, account.name, account.gateway_customer) == (
        *("individual", "Camille Roux"),
        "cus_1",
    )
    assert account.address == "4 quai Saint-Vincent\n69001 Lyon"
    assert (account.country, account.tax_id, account.currency) == ("FR", "FR83404833048", "EUR")
    assert (user.email, user.locale, row(Membership).is_owner) == (EMAIL, "fr", True)
    assert (plan.plan, plan.gateway_reference, plan.billing_zone) == (
        *("Pro", "sub_1"),
        "Europe/Paris",
    )
    assert (plan.period_start_on, plan.period_end_on) == (date(2026, 11, 1), date(2026, 12, 1))
    payment = row(Payment)
    assert (payment.gateway, payment.reference, payment.method) == (
        *("stripe", "pi_1"),
        "Visa •••• 4242",
    )
    assert (payment.captured_minor, payment.tax_minor, payment.tax_rate) == (18739, 3123, "20")
    assert (payment.invoice_number, payment.invoice_on) == ("F-in_1", date(2026, 11, 1))
    assert (row(Invoice).number, row(Invoice).owed_minor) == ("F-in_1", 0)
    offered = quotes.current(account, ACCEPTED)
    assert offered is not None
    assert (offered.gross_minor, offered.tax_minor) == (4997, 833)
    assert ledger.check() == []


def test_bringing_in_again_changes_nothing(camille: StripeServer) -> None:
    bring_in(camille)
    before = everything()

    assert bring_in(camille) == ("unchanged", [])
    assert everything() == before


def test_what_is_brought_in_can_be_refunded_by_the_same_gateway(
    camille: StripeServer, clock: time_machine.Traveller
) -> None:
    bring_in(camille)
    settle(User.get(User.email == EMAIL), make_organisation(), "refund")
    clock.shift(timedelta(hours=24))
    refunds.request(row(Refund).id, StripeGateway("sk_test_sync", camille.address))

    assert (row(Refund).state, row(SimulatedRefund).amount_minor) == ("pending", 4997)


@pytest.mark.parametrize(
    ("status", "is_paid"),
    [("active", True), ("past_due", True), ("unpaid", True), ("trialing", True)]
    + [(one, False) for one in ("canceled", "incomplete", "incomplete_expired", "paused")],
)
def test_a_plan_is_one_that_is_in_force(camille: StripeServer, status: str, is_paid: bool) -> None:
    change(camille, "subscription", "sub_1", status=status)
    bring_in(camille)

    assert bool(row(Account).subscription()) == is_paid
    assert Payment.select().count() == (1 if is_paid else 0)


def test_a_plan_that_ended_at_stripe_ends_here(camille: StripeServer) -> None:
    bring_in(camille)
    change(camille, "subscription", "sub_1", status="canceled")

    assert bring_in(camille) == ("updated", [])
    assert row(Account).subscription() is None
    assert row(Subscription).ended_at is not None


def test_a_renewal_begins_a_new_period_with_its_own_payment(
    camille: StripeServer, clock: time_machine.Traveller
) -> None:
    bring_in(camille)
    january = datetime(2027, 1, 1, 8, tzinfo=UTC)
    camille.put(
        records.subscription(start=records.END, end=january),
        records.invoice(id="in_2", paid_by=("pi_2",), start=records.END, end=january),
        records.intent("pi_2"),
    )
    clock.move_to(datetime(2026, 12, 5, tzinfo=UTC))

    assert bring_in(camille) == ("updated", [])
    plan = row(Account).subscription()
    assert (plan.period_start_on, plan.gateway_reference) == (date(2026, 12, 1), "sub_1")
    assert [one.reference for one in quotes.payments_of(plan)] == ["pi_2"]
    assert ledger.check() == []


def test_days_are_those_of_the_plans_own_zone(camille: StripeServer) -> None:
    late = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    camille.put(records.subscription(start=late))
    bring_in(camille)
    assert row(Subscription).period_start_on == date(2026, 11, 1)

    Subscription.update(billing_zone="America/New_York").execute()
    change(camille, "customer", "cus_1", name="Camille R.")
    bring_in(camille)
    plan = row(Account).subscription()
    assert plan.period_start_on == date(2026, 10, 31)
    assert plan.billing_zone == "America/New_York"


def test_a_trial_is_worth_nothing(camille: StripeServer) -> None:
    trial = records.stamp(records.END)
    camille.put(records.subscription(status="trialing", trial_end=trial))
    camille.records["invoice"].clear()
    bring_in(camille)

    offered = quotes.current(row(Account), ACCEPTED)
    assert offered is None or offered.gross_minor == 0


def test_several_payments_of_one_invoice_share_its_tax(server: StripeServer) -> None:
    server.put(
        records.customer(),
        records.subscription(),
        records.invoice(paid_by=("pi_1", "ch_2", "prec_3"), total=18000),
        records.intent("pi_1", 6000),
        records.charge(
            "ch_2",
            6000,
            payment_method_details={"type": "sepa_debit", "sepa_debit": {"last4": "3000"}},
        ),
    )
    bring_in(server)

    payments = {one.reference: one for one in Payment.select()}
    assert {name: (one.gateway, one.method) for name, one in payments.items()} == {
        "pi_1": ("stripe", "Visa •••• 4242"),
        "ch_2": ("stripe", "SEPA •••• 3000"),
        "prec_3": ("none", ""),
    }
    assert [one.captured_minor for one in payments.values()] == [6000] * 3
    assert [one.tax_minor for one in payments.values()] == [1041] * 3


def test_an_invoice_that_was_paid_outside_of_stripe_becomes_a_payment_to_give_back_by_hand(
    camille: StripeServer,
) -> None:
    change(camille, "invoice", "in_1", payments={"object": "list", "data": []})
    bring_in(camille)

    payment = row(Payment)
    assert (payment.gateway, payment.reference) == ("none", "in_1")
    assert payment.captured_minor == 18739


def test_an_open_invoice_blocks_until_it_is_paid(camille: StripeServer) -> None:
    camille.put(records.open_invoice(amount_remaining=5000))
    bring_in(camille)
    (owed,) = invoices.open_of(row(Account))
    assert (owed.number, owed.owed_minor) == ("F-in_open", 5000)
    assert owed.pay_url == "https://invoice.stripe.com/i/in_open"
    assert owed.due_on == date(2026, 12, 1)

    change(camille, "invoice", "in_open", status="paid", amount_paid=18739, amount_remaining=0)
    assert bring_in(camille)[0] == "updated"
    assert invoices.open_of(row(Account)) == []


def being_paid() -> list[str]:
    return [one.number for one in Invoice.select().where(Invoice.is_being_paid)]


def test_an_invoice_is_being_paid_from_the_debit_until_the_money_is_there(
    camille: StripeServer,
) -> None:
    camille.put(records.open_invoice(paying=("pi_open",)), records.open_invoice(id="in_other"))
    camille.put(records.unpaid_intent(status="requires_payment_method"))
    bring_in(camille)
    assert being_paid() == []

    camille.put(records.unpaid_intent())
    assert bring_in(camille) == ("updated", [])
    assert being_paid() == ["F-in_open"]
    assert bring_in(camille) == ("unchanged", [])

    camille.put(records.intent("pi_open"))
    change(camille, "invoice", "in_open", status="paid", amount_paid=18739, amount_remaining=0)
    assert bring_in(camille) == ("updated", [])
    assert being_paid() == []
    assert [one.number for one in invoices.open_of(row(Account))] == ["F-in_other"]


@pytest.mark.parametrize("status", ["requires_payment_method", "requires_action", "canceled"])
def test_a_debit_that_failed_leaves_the_invoice_to_be_paid(
    camille: StripeServer, status: str
) -> None:
    camille.put(records.open_invoice(paying=("pi_open",)), records.unpaid_intent())
    bring_in(camille)
    assert being_paid() == ["F-in_open"]

    camille.put(records.unpaid_intent(status=status))
    assert bring_in(camille) == ("updated", [])
    assert being_paid() == []
    assert [one.number for one in invoices.open_of(row(Account))] == ["F-in_open"]


def test_a_second_try_that_is_under_way_counts_after_a_first_that_failed(
    camille: StripeServer,
) -> None:
    camille.put(records.open_invoice(paying=("pi_first", "pi_second")))
    camille.put(records.unpaid_intent("pi_first", "canceled"), records.unpaid_intent("pi_second"))
    bring_in(camille)

    assert being_paid() == ["F-in_open"]


def test_what_is_under_way_for_one_account_says_nothing_of_another(camille: StripeServer) -> None:
    invoices.add(make_organisation(), "F-in_open", issued_on=None, due_on=None, total_minor=18739)
    camille.put(records.open_invoice(paying=("pi_open",)), records.unpaid_intent())
    bring_in(camille)

    owner = Account.get(Account.gateway_customer == "cus_1")
    assert [one.account for one in Invoice.select().where(Invoice.is_being_paid)] == [owner]


@pytest.mark.parametrize("status", ["void", "uncollectible"])
@pytest.mark.parametrize("rest", [18739, 5000])
def test_an_invoice_that_was_taken_back_or_written_off_blocks_no_more(
    camille: StripeServer, status: str, rest: int
) -> None:
    camille.put(records.open_invoice(amount_remaining=rest))
    bring_in(camille)
    change(camille, "invoice", "in_open", status=status)

    assert bring_in(camille)[0] == "updated"
    assert invoices.open_of(row(Account)) == []
    assert bring_in(camille) == ("unchanged", [])


def test_drafts_and_open_invoices_far_back_are_told_apart(camille: StripeServer) -> None:
    camille.records["invoice"].clear()
    camille.put(records.open_invoice(id="in_old"))
    camille.put(*(records.invoice(id=f"in_{at}", subscription="sub_0") for at in range(101)))
    camille.put(records.open_invoice(id="in_draft", status="draft", number=None))
    bring_in(camille)

    assert [one.number for one in invoices.open_of(row(Account))] == ["F-in_old"]


def test_an_open_invoice_far_back_that_is_paid_blocks_no_more(camille: StripeServer) -> None:
    camille.records["invoice"].clear()
    camille.put(records.open_invoice(id="in_old"))
    camille.put(*(records.invoice(id=f"in_{at}", subscription="sub_0") for at in range(101)))
    bring_in(camille)
    change(camille, "invoice", "in_old", status="paid", amount_remaining=0)

    assert bring_in(camille) == ("updated", [])
    assert invoices.open_of(row(Account)) == []


def returned(server: StripeServer, minor: int, state: str = "succeeded", key: str = "") -> None:
    """Somebody gave `minor` back at Stripe."""
    SimulatedRefund.create(
        reference=f"re_{SimulatedRefund.select().count()}",
        payment=SimulatedPayment.get(),
        refund_key=key,
        amount_minor=minor,
        state=state,
        created_at=ACCEPTED,
    )
    server.records["payment_intent"]["pi_1"]["latest_charge"]["amount_refunded"] = 1


def test_what_was_given_back_before_is_worth_nothing_here(camille: StripeServer) -> None:
    returned(camille, 10000)
    returned(camille, 500, "failed")
    bring_in(camille)

    payment = row(Payment)
    assert (payment.returned_minor, payment.returned_elsewhere_minor) == (10000, 10000)
    assert payment.returned_tax_minor == 1667
    assert ledger.balances(payment.account_id)["prepaid", "EUR"] == 8739
    assert ledger.check() == []
    assert bring_in(camille) == ("unchanged", [])


def test_more_that_is_given_back_later_and_what_the_bank_sends_back_are_followed(
    camille: StripeServer,
) -> None:
    bring_in(camille)
    for minor in (10000, 8739):
        returned(camille, minor)
        assert bring_in(camille) == ("updated", [])
    assert row(Payment).returned_minor == 18739
    assert row(Payment).returned_tax_minor == 3123
    SimulatedRefund.update(state="failed").where(SimulatedRefund.reference == "re_0").execute()

    assert bring_in(camille) == ("updated", [])
    assert row(Payment).returned_minor == 8739
    assert 0 < row(Payment).returned_tax_minor < 3123
    kinds = [one.kind for one in LedgerTransfer.select().order_by(LedgerTransfer.id)]
    assert kinds == [
        *("captured", "returned_before", "returned_before"),
        "returned_before_reversed",
    ]
    assert ledger.check() == []


def disputed(server: StripeServer, status: str) -> None:
    server.records["payment_intent"]["pi_1"]["latest_charge"]["disputed"] = True
    server.put(records.dispute(status=status))


@pytest.mark.parametrize(
    "status", ["warning_needs_response", "warning_under_review", "needs_response", "under_review"]
)
def test_a_disputed_payment_blocks_until_the_dispute_is_decided(
    camille: StripeServer, status: str
) -> None:
    bring_in(camille)
    disputed(camille, status)
    assert bring_in(camille) == ("updated", [])
    assert [one.reference for one in quotes.disputed(row(Account))] == ["pi_1"]
    assert bring_in(camille) == ("unchanged", [])

    disputed(camille, "won")
    assert bring_in(camille) == ("updated", [])
    assert quotes.disputed(row(Account)) == []
    assert row(Payment).returned_minor == 0


def test_what_a_lost_dispute_took_is_worth_nothing_here(camille: StripeServer) -> None:
    disputed(camille, "lost")
    camille.records["dispute"]["du_1"]["amount"] = 10000
    bring_in(camille)

    assert (row(Payment).returned_elsewhere_minor, row(Payment).is_disputed) == (10000, False)
    assert ledger.check() == []
    assert bring_in(camille) == ("unchanged", [])


def test_a_dispute_in_another_currency_is_named(camille: StripeServer) -> None:
    disputed(camille, "lost")
    camille.records["dispute"]["du_1"]["currency"] = "usd"

    with pytest.raises(Unmappable, match="du_1 is in another currency"):
        bring_in(camille)


def test_a_refund_under_way_there_is_known_until_it_has_arrived(camille: StripeServer) -> None:
    bring_in(camille)
    returned(camille, 700)
    returned(camille, 500, "pending")
    assert bring_in(camille) == ("updated", [])
    assert (row(Payment).returned_elsewhere_minor, row(Payment).returning_minor) == (1200, 500)
    assert bring_in(camille) == ("unchanged", [])

    SimulatedRefund.update(state="succeeded").execute()
    assert bring_in(camille) == ("updated", [])
    assert (row(Payment).returned_elsewhere_minor, row(Payment).returning_minor) == (1200, 0)
    assert len([one for one in LedgerTransfer.select() if one.kind == "returned_before"]) == 1
    assert ledger.check() == []


def test_our_own_refunds_are_not_counted_twice(
    camille: StripeServer, clock: time_machine.Traveller
) -> None:
    bring_in(camille)
    user = User.get(User.email == EMAIL)
    settlement = settle(user, make_organisation(), "refund")
    returned(camille, 4997, key=row(Refund).idempotency_key)
    undo.undo(user, settlement.acceptance.id)

    assert bring_in(camille) == ("unchanged", [])
    assert row(Payment).returned_elsewhere_minor == 0


def test_more_given_back_than_is_left_is_named(camille: StripeServer) -> None:
    bring_in(camille)
    Payment.update(returned_minor=15000).execute()
    returned(camille, 10000)

    outcome, left_out = bring_in(camille)
    assert outcome == "unchanged"
    assert left_out == [
        "payment pi_1: 10000 was given back at the gateway, 3739 minor units are left here"
    ]
    assert row(Payment).returned_minor == 15000


def test_a_person_who_has_joined_is_never_touched(camille: StripeServer) -> None:
    bring_in(camille)
    user = User.get(User.email == EMAIL)
    settlement = settle(user, make_organisation(), "credit")
    camille.put(records.open_invoice())
    change(camille, "customer", "cus_1", name="Somebody Else", email="new@example.org")
    returned(camille, 100)
    before = everything()

    assert bring_in(camille) == ("unchanged", [])
    assert everything() == before
    undo.undo(user, settlement.acceptance.id)
    assert bring_in(camille)[0] == "updated"
    assert Account.get(Account.gateway_customer == "cus_1").name == "Somebody Else"


@pytest.mark.parametrize("status", ["needs_response", "lost"])
def test_a_dispute_after_joining_is_known_and_nothing_else_is_touched(
    camille: StripeServer, status: str
) -> None:
    bring_in(camille)
    settle(User.get(User.email == EMAIL), make_organisation(), "credit")
    disputed(camille, status)
    change(camille, "customer", "cus_1", name="Somebody Else")

    assert bring_in(camille) == ("updated", [])
    assert row(Payment).is_disputed
    assert row(Payment).returned_elsewhere_minor == 0
    assert Account.get(Account.gateway_customer == "cus_1").name != "Somebody Else"
    assert bring_in(camille) == ("unchanged", [])
    disputed(camille, "won")
    assert bring_in(camille) == ("updated", [])
    assert not row(Payment).is_disputed


def test_who_has_joined_and_left_again_does_not_get_the_plan_back(camille: StripeServer) -> None:
    """Even though Stripe has not heard of its end yet (rule M10)."""
    bring_in(camille)
    user = User.get(User.email == EMAIL)
    settle(user, make_organisation(), "credit")
    present = user.membership()
    assert present is not None
    present.end(ACCEPTED)
    own = accounts.open_individual(user, "EUR").account
    before = everything()
    change(camille, "customer", "cus_1", name="Somebody Else")

    assert bring_in(camille) == ("unchanged", [])
    assert everything() == before
    assert own.subscription() is None


def test_a_new_address_at_stripe_makes_no_second_account(camille: StripeServer) -> None:
    bring_in(camille)
    change(camille, "customer", "cus_1", email="new@example.org", name="Camille R.")

    assert bring_in(camille) == ("updated", [])
    assert (row(User).email, row(User).name) == (EMAIL, "Camille R.")


@pytest.mark.parametrize(
    ("put", "reason"),
    [
        ([records.customer(email=None)], "has no mail address"),
        ([records.customer(email="nonsense")], "address"),
        (
            [records.customer(), records.subscription(), records.subscription(id="sub_2")],
            "has several subscriptions in force: sub_2, sub_1",
        ),
        (
            [records.customer(), records.subscription(), records.invoice()],
            "has records that can't be read: No such payment_intent: pi_1",
        ),
        ([records.customer(), {**records.subscription(), "items": {}}], "of an unknown form"),
        ([records.customer(metadata={"affluent_account": "x"})], "names 'x'"),
    ],
)
def test_a_customer_who_cannot_be_mapped_is_named_and_skipped(
    server: StripeServer, put: list[dict[str, Any]], reason: str
) -> None:
    # A copy: what the server changes is this test's alone.
    server.put(*json.loads(json.dumps(put)), records.customer("cus_2"))
    counts, named = sync(server)

    assert (counts.imported, counts.refused) == (1, 1)
    (said,) = named
    assert said.startswith("cus_1: ")
    assert reason in said
    assert row(Account).gateway_customer == "cus_2"


def test_two_customers_of_one_address_are_one_account_and_a_refusal(server: StripeServer) -> None:
    server.put(records.customer(), records.customer("cus_2", email=EMAIL.upper()))
    counts, named = sync(server)

    assert (counts.imported, counts.refused) == (1, 1)
    assert named == [f"cus_1: {EMAIL} is the customer cus_2 already"]


def test_records_in_another_currency_are_left_out_and_named(camille: StripeServer) -> None:
    camille.put(
        records.open_invoice(currency="usd"),
        records.invoice(id="in_2", currency="usd", paid_by=("pi_2",)),
        records.intent("pi_2"),
    )
    outcome, left_out = bring_in(camille)

    assert outcome == "imported"
    assert left_out == [
        "payment pi_2 is in USD, the account is in EUR",
        "invoice F-in_open is in USD, the account is in EUR",
    ]
    assert (row(Payment).reference, row(Invoice).number) == ("pi_1", "F-in_1")


def test_a_customer_who_was_deleted_changes_nothing(camille: StripeServer) -> None:
    bring_in(camille)
    before = everything()
    camille.put({"id": "cus_1", "object": "customer", "deleted": True})

    assert bring_in(camille) == ("unchanged", [])
    assert bring_in(camille, "cus_nowhere") == ("unchanged", [])
    assert everything() == before


def many(server: StripeServer, number: int) -> None:
    server.put(*(records.customer(f"cus_{at}") for at in range(number)))


def test_everybody_is_read_once_and_then_only_who_has_changed(
    server: StripeServer, clock: time_machine.Traveller
) -> None:
    many(server, 120)
    assert (sync(server)[0].imported, Account.select().count()) == (120, 120)
    clock.shift(timedelta(hours=1))
    change(server, "customer", "cus_7", name="Another Name")
    server.put(
        records.event(server.records["customer"]["cus_7"], ACCEPTED + timedelta(minutes=30)),
        records.event(records.invoice("cus_8"), ACCEPTED + timedelta(minutes=40), "invoice.paid"),
        records.event(records.customer("cus_9"), ACCEPTED + timedelta(minutes=40), "other.kind"),
        records.customer("cus_new"),
        records.event(
            records.customer("cus_new"), ACCEPTED + timedelta(minutes=50), "customer.created"
        ),
    )
    server.asked.clear()
    counts, named = sync(server)

    assert (counts.imported, counts.updated, counts.unchanged, named) == (1, 1, 1, [])
    asked = {one.path for one in server.asked if one.path.startswith("/v1/customers")}
    assert asked == {f"/v1/customers/{one}" for one in ("cus_7", "cus_8", "cus_new")}


def test_nothing_new_asks_for_nobody(server: StripeServer, clock: time_machine.Traveller) -> None:
    many(server, 3)
    sync(server)
    server.asked.clear()
    counts, _ = sync(server)

    assert (counts.imported, counts.updated, counts.unchanged) == (0, 0, 0)
    assert {one.path for one in server.asked} == {"/v1/events"}


def test_what_changed_of_a_payment_is_told_by_its_charge(
    server: StripeServer, clock: time_machine.Traveller
) -> None:
    many(server, 3)
    server.put(records.charge("ch_1", customer="cus_1"), records.charge("ch_2", customer="cus_2"))
    sync(server)
    later = ACCEPTED + timedelta(minutes=30)
    server.put(
        records.event(records.dispute(charge="ch_1"), later, "charge.dispute.created"),
        records.event({"id": "re_1", "object": "refund", "charge": "ch_2"}, later, "refund.failed"),
        # One whose charge is not there any more stops nobody else's.
        records.event(
            {"id": "re_2", "object": "refund", "charge": "ch_gone"}, later, "refund.failed"
        ),
        records.event({"id": "re_3", "object": "refund", "charge": None}, later, "refund.failed"),
    )
    clock.shift(timedelta(hours=1))
    server.asked.clear()
    sync(server)

    asked = {one.path for one in server.asked if one.path.startswith("/v1/customers")}
    assert asked == {"/v1/customers/cus_1", "/v1/customers/cus_2"}


def test_keeping_up_reads_who_has_changed_and_never_the_whole(
    server: StripeServer, clock: time_machine.Traveller
) -> None:
    many(server, 3)

    def keep_up() -> Counts:
        return Sync(source(server), defaults(), lambda who, why: None).keep_up()

    assert (keep_up(), server.asked) == (Counts(), [])
    sync(server)
    clock.shift(timedelta(hours=1))
    change(server, "customer", "cus_1", name="Another Name")
    server.put(records.event(server.records["customer"]["cus_1"], ACCEPTED + timedelta(minutes=9)))
    assert keep_up().updated == 1
    assert keep_up().updated == 0
    clock.shift(timedelta(days=29))
    server.asked.clear()

    assert (keep_up(), server.asked) == (Counts(), [])


def test_a_month_of_silence_reads_everybody_again(
    server: StripeServer, clock: time_machine.Traveller
) -> None:
    many(server, 3)
    sync(server)
    clock.shift(timedelta(days=29))

    assert sync(server)[0].unchanged == 3


def test_everybody_is_read_again_when_asked_for(server: StripeServer) -> None:
    many(server, 3)
    sync(server)

    assert sync(server, is_whole=True)[0].unchanged == 3


def test_a_sync_that_was_cut_off_goes_on_where_it_was(server: StripeServer) -> None:
    many(server, 10)
    cut_off_after(server, 6)
    with pytest.raises(GatewayAway):
        sync(server)
    done = Account.select().count()
    assert 0 < done < 10
    assert row(SyncState).after == f"cus_{10 - done}"
    server.asked.clear()
    counts, _ = sync(server)

    assert (counts.imported, counts.unchanged) == (10 - done, 0)
    assert Account.select().count() == 10
    assert (row(SyncState).after, row(SyncState).began_at) == ("", None)


def test_a_sync_whose_place_is_gone_begins_again(server: StripeServer) -> None:
    many(server, 4)
    SyncState.create(source="stripe", began_at=ACCEPTED, after="cus_gone")

    assert sync(server)[0].imported == 4


def cut_off_after(server: StripeServer, customers: int) -> None:
    """Stripe goes away once so many customers were asked for, and comes back."""
    answer, left = server.answer, [customers]

    def cut(request: Any) -> Any:
        if request.path.startswith("/v1/customers/"):
            left[0] -= 1
        if left[0] == -1:
            server.answer = answer  # type: ignore[method-assign]
            return 503, {"error": {"message": "Stripe is away"}}
        return answer(request)

    server.answer = cut  # type: ignore[method-assign]


def test_an_organisation_is_linked_by_its_metadata_and_gets_its_invoices(
    server: StripeServer,
) -> None:
    organisation = make_organisation()
    server.put(
        records.customer(metadata={"affluent_account": organisation.public_id}),
        records.open_invoice(),
    )
    assert bring_in(server) == ("updated", [])
    invoice = row(Invoice)
    assert (invoice.account, invoice.owed_minor) == (organisation, 18739)
    assert invoice.pay_url.startswith("https://")
    assert row(Account).gateway_customer == "cus_1"
    assert bring_in(server) == ("unchanged", [])

    change(server, "invoice", "in_open", status="paid", amount_remaining=0)
    assert bring_in(server) == ("updated", [])
    assert row(Invoice).owed_minor == 0


def test_an_organisations_invoice_is_being_paid_while_the_debit_is_under_way(
    server: StripeServer,
) -> None:
    organisations.link(make_organisation().public_id, "cus_1")
    server.put(records.customer(), records.open_invoice(paying=("pi_open",)))
    server.put(records.unpaid_intent())
    bring_in(server)
    assert being_paid() == ["F-in_open"]
    assert bring_in(server) == ("unchanged", [])

    server.put(records.unpaid_intent(status="requires_payment_method"))
    assert bring_in(server) == ("updated", [])
    assert being_paid() == []


def test_an_organisations_invoice_that_was_taken_back_is_void(server: StripeServer) -> None:
    organisations.link(make_organisation().public_id, "cus_1")
    server.put(records.customer(), records.open_invoice())
    bring_in(server)
    change(server, "invoice", "in_open", status="void")

    assert bring_in(server) == ("updated", [])
    assert row(Invoice).voided_at is not None
    assert bring_in(server) == ("unchanged", [])


def test_an_organisation_is_linked_to_one_customer_only(app: Flask) -> None:
    first, second = make_organisation("One"), make_organisation("Two")
    for _ in range(2):
        assert organisations.link(first.public_id, "cus_1").gateway_customer == "cus_1"

    for public_id, customer in ((first.public_id, "cus_2"), (second.public_id, "cus_1")):
        with pytest.raises(Invalid):
            organisations.link(public_id, customer)
    with pytest.raises(NotThere):
        organisations.link("nowhere", "cus_3")


def test_a_member_of_an_organisation_who_is_a_customer_too_is_left_alone(
    server: StripeServer,
) -> None:
    make_user(EMAIL, make_organisation(), is_admin=True)
    server.put(records.customer())
    before = everything()

    assert bring_in(server) == ("unchanged", [])
    assert everything() == before


def test_an_unmappable_customer_leaves_no_trace(server: StripeServer) -> None:
    server.put(records.customer(email="nonsense"))
    before = everything()

    with pytest.raises(Unmappable):
        bring_in(server)
    assert everything() == before
