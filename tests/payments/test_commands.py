"""The commands `stripe` and `simulated`."""

from dataclasses import replace

import pytest
from click.testing import Result
from flask import Flask

from tests import stripe_records as records
from tests.money import ACCEPTED, make_organisation, settled
from tests.stripe_server import StripeServer
from webapp import policy
from webapp.actions import refunds
from webapp.models import Acceptance, Account, CreditPush, Refund
from webapp.payments.gateway import GatewayAway
from webapp.payments.simulated import SimulatedGateway, SimulatedPayment


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def at_stripe(app: Flask, server: StripeServer, key: str = "sk_test_commands") -> None:
    policy.use(
        replace(
            app.config["SETTINGS"],
            payments="stripe",
            stripe_api_key=key,
            stripe_api_base=server.address,
        )
    )


def test_a_sync_counts_and_names_and_does_it_again(app: Flask, server: StripeServer) -> None:
    at_stripe(app, server)
    server.put(records.customer(), records.customer("cus_2", email=None))
    first, whole, again = (run(app, "stripe", "sync", *more) for more in ((), ("--whole",), ()))

    assert (first.exit_code, first.stdout) == (
        1,
        "imported 1, updated 0, unchanged 0, refused 1\n",
    )
    assert first.stderr == "cus_2: has no mail address\n"
    assert whole.stdout == "imported 0, updated 0, unchanged 1, refused 1\n"
    assert (again.exit_code, again.stdout) == (0, "imported 0, updated 0, unchanged 0, refused 0\n")


def test_a_sync_without_stripe_says_so(app: Flask) -> None:
    result = run(app, "stripe", "sync")

    assert result.exit_code == 1
    assert "Payments are simulated" in result.stderr


@pytest.mark.parametrize(
    ("key", "said"), [("", "STRIPE_API_KEY is not set"), ("sk_test", "start again to go on")]
)
def test_a_sync_that_reaches_nobody_says_so(app: Flask, key: str, said: str) -> None:
    with StripeServer() as server:
        at_stripe(app, server, key)
    result = run(app, "stripe", "sync")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Stripe does not answer")
    assert said in result.stderr


def test_an_organisation_is_linked_and_its_credit_pushed_once(app: Flask) -> None:
    from webapp.actions import settlements

    settlement = settled("credit")
    Acceptance.update(undo_until=ACCEPTED).execute()
    settlements.release(settlement.id)
    account = settlement.organisation.public_id
    early = run(app, "stripe", "push-credit", account)
    assert (early.exit_code, f"stripe link {account}" in early.stderr) == (1, True)

    linked = run(app, "stripe", "link", account, "cus_1")
    pushed, again = (run(app, "stripe", "push-credit", account) for _ in range(2))
    assert linked.stdout.endswith("is the customer cus_1\n")
    assert pushed.stdout == "49.97 EUR on the way to cus_1\n"
    assert again.stdout == "no credit is available, or it is on its way already\n"
    assert CreditPush.select().count() == 1


def test_a_customer_that_is_somebody_elses_is_not_linked(app: Flask) -> None:
    for name in ("One", "Two"):
        make_organisation(name)
    accounts = [one.public_id for one in Account.select().order_by(Account.id)]
    results = [run(app, "stripe", "link", one, "cus_1") for one in (*accounts, "nowhere")]

    assert [one.exit_code for one in results] == [0, 1, 1]
    assert "linked to somebody else already" in results[1].stderr
    assert "no organisation nowhere" in results[2].stderr


def test_faults_and_fates_are_asked_for_by_command(app: Flask) -> None:
    settled("refund")
    Acceptance.update(undo_until=ACCEPTED).execute()
    payment = SimulatedPayment.get().reference
    assert run(app, "simulated", "fault", "create_refund", "busy").exit_code == 0
    assert run(app, "simulated", "fate", payment, "fails").exit_code == 0
    assert run(app, "simulated", "fate", "ch_nowhere", "fails").exit_code == 1
    assert run(app, "simulated", "fault", "create_refund", "nonsense").exit_code == 2

    assert SimulatedPayment.get().fate == "fails"
    with pytest.raises(GatewayAway):
        refunds.request(Refund.get().id, SimulatedGateway())


def test_a_webhook_that_nobody_takes_is_said(app: Flask) -> None:
    result = run(app, "simulated", "webhook", "re_nowhere")

    assert (result.exit_code, "knows no refund" in result.stderr) == (1, True)


def test_nothing_is_simulated_where_payments_are_real(app: Flask, server: StripeServer) -> None:
    at_stripe(app, server)

    assert run(app, "simulated", "fault", "create_refund", "busy").exit_code == 1
