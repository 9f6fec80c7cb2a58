"""A month's end: documents, gateway and ledger agree, or what differs is found and named."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask

from invoices import ledger as transfers
from invoices.ledger import LedgerAccountRef, Transfer
from tests.effects import carry_out
from tests.failed import failed_refund, payout, seller, tried
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED
from tests.people import session_of
from webapp import clock as now
from webapp.actions import (
    failed_refunds,
    invoices,
    ledger,
    month_end,
    refunds,
    settlements,
    statements,
    undo,
)
from webapp.actions.month_end.found import Found
from webapp.actions.months import Month
from webapp.models import (
    Account,
    AuditEvent,
    OutboxMessage,
    Payment,
    Reconciliation,
    Refund,
    Settlement,
    Statement,
)
from webapp.payments.simulated import SimulatedGateway, SimulatedPayment, SimulatedRefund, faults

NOVEMBER = Month(date(2026, 11, 1))
GATEWAY = SimulatedGateway()


@pytest.fixture
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def organisation(clock: time_machine.Traveller) -> Account:
    return make_owned()


def leave(organisation: Account, email: str) -> Refund:
    """A refund that was asked of the gateway, and is under way."""
    user = make_person(email)
    acceptance = join(user, organisation, "refund")
    undo.send_now(user, acceptance.id)
    (share,) = settlement_of(acceptance).shares
    refund = Refund.get(Refund.share == share)
    refunds.request(refund.id, GATEWAY)
    return tried(refund)


def arrive(organisation: Account, email: str, clock: time_machine.Traveller) -> Refund:
    refund = leave(organisation, email)
    clock.shift(30)
    refunds.follow(refund.id, GATEWAY)
    return tried(refund)


def give(organisation: Account, email: str) -> None:
    user = make_person(email)
    acceptance = join(user, organisation, "credit")
    undo.send_now(user, acceptance.id)
    settlements.release(settlement_of(acceptance).id)


def named(found: Found) -> list[str]:
    return [one.name for one in found.differences]


def compare(month: Month = NOVEMBER) -> Found:
    return month_end.compare(month, GATEWAY)


def test_a_month_of_everything_agrees(organisation: Account, clock: time_machine.Traveller) -> None:
    arrive(organisation, "arrived@example.org", clock)
    leave(organisation, "underway@example.org")
    join(make_person("held@example.org"), organisation, "refund")
    undone = make_person("undone@example.org")
    undo.undo(undone, join(undone, organisation, "refund").id)
    undone = make_person("back@example.org")
    undo.undo(undone, join(undone, organisation, "credit").id)
    give(organisation, "given@example.org")
    user, failed = failed_refund("failed@example.org", organisation)
    failed_refunds.hand_over(user, session_of(user), failed.id)
    by_hand = payout()
    failed_refunds.pay_by_hand(seller(), by_hand.id, "VIR-1", now.today("Europe/Paris"))
    invoices.add(organisation, "F-1", issued_on=None, due_on=None, total_minor=3000)
    refunds.follow(Refund.get(Refund.state == "pending").id, GATEWAY)

    found = compare()
    figures = found.figures["EUR"]

    assert (named(found), found.outside, found.unasked) == ([], 0, 0)
    assert (figures["refund"], figures["refund#"]) == (6 * 4997, 6)
    assert (figures["refund cancelled"], figures["refund cancelled#"]) == (4997, 1)
    assert (figures["account_credit"], figures["account_credit cancelled"]) == (3 * 4997, 4997)
    assert (figures["refund_succeeded"], figures["paid by hand"]) == (2 * 4997, 4997)
    assert (figures["closing refund_held"], figures["closing refund_requested"]) == (4997, 4997)
    assert figures["closing credit_available"] == 2 * 4997 - 3000
    assert (figures["ours arrived#"], figures["gateway arrived#"]) == (1, 1)
    assert (figures["ours under way#"], figures["gateway under way#"]) == (1, 1)
    assert (figures["ours by hand#"], figures["ours refused#"]) == (1, 1)


def test_what_is_open_goes_over_into_the_next_month(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    leave(organisation, "underway@example.org")
    give(organisation, "given@example.org")
    november, december = compare(), compare(NOVEMBER.next)

    for kind in ("refund_requested", "credit_available"):
        closing = november.figures["EUR"][f"closing {kind}"]
        assert (closing, december.figures["EUR"][f"opening {kind}"]) == (4997, 4997)
    assert (named(november), named(december)) == ([], [])


def test_currencies_are_never_added(organisation: Account) -> None:
    tokyo = make_owned("Tokyo", currency="JPY")
    user = make_person("yen@example.org", 5000, currency="JPY")
    join(user, tokyo, "credit")
    leave(organisation, "euro@example.org")

    found = compare()
    assert sorted(found.figures) == ["EUR", "JPY"]
    assert found.figures["JPY"]["account_credit"] == 1333
    assert found.figures["EUR"]["refund"] == 4997


def test_another_amount_at_the_gateway_is_named(organisation: Account) -> None:
    refund = leave(organisation, "ann@example.org")
    SimulatedRefund.update(amount_minor=4996).execute()

    (one,) = compare().differences
    assert (one.name, one.subject) == ("another amount", f"refund:{refund.id}")
    assert (one.ours_minor, one.theirs_minor, one.payment) == (4997, 4996, refund.payment.reference)
    assert not one.is_explained


def test_a_refund_that_the_gateway_lost_is_named(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    arrive(organisation, "ann@example.org", clock)
    SimulatedRefund.update(refund_key="another").execute()

    found = compare()
    assert sorted(named(found)) == ["not ours", "unknown there"]
    assert found.unexplained == 2


def test_a_refund_that_nobody_here_asked_for_is_named(organisation: Account) -> None:
    refund = leave(organisation, "ann@example.org")
    GATEWAY.create_refund(refund.payment.reference, 100, "EUR", "elsewhere", {})

    (one,) = compare().differences
    assert (one.name, one.theirs_minor, one.is_explained) == ("not ours", 100, False)


def test_one_that_the_import_knows_explains_itself(organisation: Account) -> None:
    refund = leave(organisation, "ann@example.org")
    GATEWAY.create_refund(refund.payment.reference, 100, "EUR", "elsewhere", {})
    Payment.update(returned_elsewhere_minor=100).execute()

    (one,) = compare().differences
    assert (one.name, one.is_explained) == ("given back elsewhere", True)


def test_refunds_of_other_payments_are_only_counted(organisation: Account) -> None:
    SimulatedPayment.create(reference="pi_shop", currency="EUR", captured_minor=500)
    GATEWAY.create_refund("pi_shop", 500, "EUR", "shop", {})

    found = compare()
    assert (named(found), found.outside) == ([], 1)


def test_a_gateway_that_is_ahead_explains_itself(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    leave(organisation, "ann@example.org")
    clock.shift(30)  # it arrived, and nobody has asked yet

    (one,) = compare().differences
    assert (one.name, one.is_explained) == ("gateway ahead", True)


def test_a_gateway_that_is_behind_does_not(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    arrive(organisation, "ann@example.org", clock)
    SimulatedPayment.update(fate="stays").execute()

    (one,) = compare().differences
    assert (one.name, one.is_explained) == ("another state", False)


def test_a_refund_that_is_still_to_be_asked_explains_itself(organisation: Account) -> None:
    user = make_person("ann@example.org")
    acceptance = join(user, organisation, "refund")
    undo.send_now(user, acceptance.id)
    faults.ask_for("create_refund", "never sent")
    with pytest.raises(Exception, match="never sent"):
        refunds.request(Refund.get().id, GATEWAY)

    assert named(compare()) == ["not asked yet"]


def test_a_row_that_the_ledger_contradicts_is_named(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    refund = arrive(organisation, "ann@example.org", clock)
    Refund.update(state="failed").execute()

    found = compare()
    assert ("row and ledger", f"refund:{refund.id}") in [
        (one.name, one.subject) for one in found.differences
    ]


def test_a_transfer_without_a_statement_is_named(organisation: Account) -> None:
    leave(organisation, "ann@example.org")
    account_id = Settlement.get().account_id
    ledger.post([transfers.refund_held(4711, account_id, "EUR", 500)])

    (one,) = compare().differences
    assert (one.name, one.subject, one.number) == ("document and ledger", "settlement:4711", "")
    assert (one.ours_minor, one.theirs_minor, one.is_explained) == (0, 500, False)


def test_a_transfer_of_no_event_of_ours_is_named(organisation: Account) -> None:
    leave(organisation, "ann@example.org")
    account_id = Settlement.get().account_id
    sides = (LedgerAccountRef(account_id, kind, "EUR") for kind in ("prepaid", "refund_held"))
    ledger.post([Transfer("by hand:1", *sides, 700, "mended")])

    (one,) = compare().differences
    assert (one.name, one.subject) == ("balance", "refunds")
    assert one.theirs_minor - one.ours_minor == 700


def test_a_statement_without_its_transfer_is_named(organisation: Account) -> None:
    leave(organisation, "ann@example.org")
    settlement = Settlement.get()
    (issued,) = Statement.select().where(Statement.settlement == settlement)
    again = statements.core.Statement.from_json(issued.inputs)
    statements.issue(
        "refund", settlement, settlement.account, issued.user, "fr", lambda heading: again
    )

    (one,) = compare().differences
    assert (one.name, one.number) == ("document and ledger", issued.number)
    assert (one.ours_minor, one.theirs_minor) == (2 * 4997, 4997)


def test_midnight_between_two_sides_explains_itself(
    organisation: Account, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_person("ann@example.org")
    clock.move_to(NOVEMBER.ends_at - timedelta(seconds=1))
    post = ledger.post
    monkeypatch.setattr(ledger, "post", lambda posted: (post(posted), clock.shift(2)))
    join(user, organisation, "credit")

    found = [compare(month) for month in (NOVEMBER, NOVEMBER.next)]
    assert [set(named(one)) for one in found] == [{"other month"}, {"other month"}]


def test_asking_twice_is_asking_once(organisation: Account) -> None:
    by = seller()

    assert month_end.ask(by, NOVEMBER)
    assert not month_end.ask(by, NOVEMBER)
    assert month_end.ask(by, NOVEMBER.previous)
    assert OutboxMessage.select().where(OutboxMessage.kind == "reconcile").count() == 2
    assert AuditEvent.select().where(AuditEvent.kind == "month:reconciled").count() == 2


def test_what_was_found_is_kept_with_its_time(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    leave(organisation, "ann@example.org")
    month_end.ask(seller(), NOVEMBER)
    row = Reconciliation.get()
    clock.shift(10)

    assert month_end.carry_out(row.id, GATEWAY, lambda: None)
    assert not month_end.carry_out(row.id, GATEWAY, lambda: None)
    known = month_end.of(NOVEMBER)
    assert known.underway is None
    assert known.done is not None
    assert known.done.found is not None
    assert known.done.finished_at == ACCEPTED + timedelta(seconds=10)
    assert known.done.found["figures"]["EUR"]["refund"] == 4997
    assert month_end.ask(seller(), NOVEMBER)
    assert month_end.of(NOVEMBER).done == known.done


def test_each_month_is_compared_once_after_its_end(
    clock: time_machine.Traveller, app: Flask
) -> None:
    month_end.ask(None, NOVEMBER)  # before its end: that is not the last word
    month_end.carry_out(Reconciliation.get().id, GATEWAY, lambda: None)
    clock.move_to(NOVEMBER.ends_at)
    for _ in range(3):
        month_end.ask_for_last_month()
        clock.shift(timedelta(hours=1))

    rows = Reconciliation.select().where(Reconciliation.month_on == NOVEMBER.first)
    assert rows.count() == 2


def test_the_worker_does_it_and_waits_for_a_gateway_that_is_away(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    leave(organisation, "ann@example.org")
    month_end.ask(seller(), NOVEMBER)
    faults.ask_for("list_refunds", "busy")

    assert carry_out("reconcile") == 1
    assert month_end.of(NOVEMBER).done is None
    clock.shift(60)
    assert carry_out("reconcile") == 1
    known = month_end.of(NOVEMBER)
    assert (known.done is not None, known.underway) == (True, None)
