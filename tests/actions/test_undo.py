"""Undoing an acceptance, and giving that up early (rule J14)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import local
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED, make_account, make_user
from tests.people import session_of
from tests.races import race
from webapp import clock, outbox
from webapp.actions import joining, ledger, quotes, refunds, settlements, undo
from webapp.errors import Blocked, NotThere, Stale
from webapp.models import (
    Acceptance,
    Account,
    AuditEvent,
    LedgerTransfer,
    Membership,
    OutboxMessage,
    Payment,
    Refund,
    Statement,
    Subscription,
    User,
)
from webapp.models.people import seats_used
from webapp.payments.simulated import SimulatedGateway, SimulatedRefund

CLOSED = ACCEPTED + timedelta(hours=24)
ROUNDS = 12


@pytest.fixture(autouse=True)
def clock_of_the_day() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def organisation(app: Flask) -> Account:
    return make_owned()


def leave(acceptance: Acceptance) -> None:
    """What the worker does once the window has closed."""
    settlement = settlement_of(acceptance)
    if settlement.choice == "credit":
        settlements.release(settlement.id)
        return
    for refund in Refund.select().where(Refund.state == "held"):
        if refund.share.settlement_id == settlement.id:
            refunds.request(refund.id, SimulatedGateway())


def tables() -> list[int]:
    """How many rows there are of what undoing writes."""
    written: Any = (LedgerTransfer, Statement, OutboxMessage, AuditEvent, Membership, Refund)
    return [model.select().count() for model in written]


def numbers() -> list[tuple[str, int | None]]:
    return [(one.number, one.corrects_id) for one in Statement.select().order_by(Statement.id)]


@pytest.mark.parametrize("choice", ["refund", "credit"])
def test_undoing_restores_plan_membership_seat_and_ledger(
    organisation: Account, choice: str
) -> None:
    user = make_person()
    before = user.membership()
    assert before is not None
    balances = ledger.balances(before.account_id)
    acceptance = join(user, organisation, choice, licence="licensed")
    assert (seats_used(organisation), Payment.get().returned_minor) == (1, 4997)

    undone = undo.undo(user, acceptance.id)

    assert undone.undone_at == ACCEPTED
    assert user.membership() == before
    account = Account.get_by_id(before.account_id)
    assert account.closed_at is None
    plan = account.subscription()
    assert plan is not None
    assert (plan.status, plan.ended_at) == ("active", None)
    assert seats_used(organisation) == 0
    assert {at: minor for at, minor in ledger.balances(account.id).items() if minor} == balances
    assert not any(ledger.balances(organisation.id).values())
    payment = Payment.get()
    assert (payment.returned_minor, payment.returned_tax_minor) == (0, 0)
    assert [one.state for one in Refund.select()] == ["canceled"] * (choice == "refund")
    assert list(refunds.failed()) == []
    assert ledger.check() == []


def test_a_refund_statement_is_cancelled_in_its_series(organisation: Account) -> None:
    user = make_person()
    acceptance = join(user, organisation, "refund")
    undo.undo(user, acceptance.id)

    first = Statement.select().order_by(Statement.id).get()
    assert numbers() == [("R-2026-000001", None), ("R-2026-000002", first.id)]


def test_both_statements_of_credit_are_cancelled_in_their_series(organisation: Account) -> None:
    user = make_person()
    acceptance = join(user, organisation, "credit")
    undo.undo(user, acceptance.id)

    mine, theirs, *_ = Statement.select().order_by(Statement.id)
    assert numbers() == [
        ("C-2026-000001", None),
        ("A-2026-000001", None),
        ("C-2026-000002", mine.id),
        ("A-2026-000002", theirs.id),
    ]
    assert [one.account_id for one in (mine, theirs)] == [
        one.account_id for one in Statement.select().where(Statement.corrects.is_null(False))
    ]


def test_a_free_account_is_had_back(organisation: Account) -> None:
    account = make_account(name="Farid")
    user = make_user("farid@example.org", account, is_owner=True)
    acceptance = join(user, organisation)

    undo.undo(user, acceptance.id)

    present = user.membership()
    assert present is not None
    assert (present.account_id, Account.get_by_id(account.id).closed_at) == (account.id, None)
    assert not Subscription.select().where(Subscription.account == account).exists()
    assert not Statement.select().exists()


def test_every_payment_has_back_what_was_shared_out(organisation: Account) -> None:
    user = make_person("camille@example.org", *[4000] * 5)
    acceptance = join(user, organisation, "refund")
    assert Refund.select().count() == 2

    undo.undo(user, acceptance.id)

    assert {(one.returned_minor, one.returned_tax_minor) for one in Payment.select()} == {(0, 0)}
    assert {one.state for one in Refund.select()} == {"canceled"}
    assert ledger.check() == []


def test_the_worker_finds_nothing_left_to_send(
    organisation: Account, clock_of_the_day: time_machine.Traveller
) -> None:
    users = [make_person("ann@example.org"), make_person("bob@example.org")]
    acceptances = [
        join(users[0], organisation, "refund"),
        join(users[1], organisation, "credit"),
    ]
    for user, acceptance in zip(users, acceptances, strict=True):
        undo.undo(user, acceptance.id)
    before = LedgerTransfer.select().count()

    clock_of_the_day.move_to(CLOSED)
    for refund in Refund.select():
        refunds.request(refund.id, SimulatedGateway())
    settlements.release(settlement_of(acceptances[1]).id)

    assert (LedgerTransfer.select().count(), SimulatedRefund.select().count()) == (before, 0)
    assert ledger.check() == []


def test_a_second_undo_changes_nothing(
    organisation: Account, clock_of_the_day: time_machine.Traveller
) -> None:
    user = make_person()
    acceptance = join(user, organisation, "refund")
    first = undo.undo(user, acceptance.id)
    before = tables()
    clock_of_the_day.move_to(CLOSED + timedelta(days=3))

    assert undo.undo(user, acceptance.id).undone_at == first.undone_at
    assert tables() == before


@pytest.mark.parametrize("choice", ["refund", "credit"])
def test_sixteen_undos_at_once_undo_once(organisation: Account, choice: str) -> None:
    user = make_person()
    acceptance = join(user, organisation, choice)

    outcomes = race(16, lambda _: undo.undo(user, acceptance.id))

    assert [one.undone_at for one in outcomes] == [ACCEPTED] * 16
    assert Statement.select().count() == (2 if choice == "refund" else 4)
    assert OutboxMessage.select().where(OutboxMessage.kind == "mail:undone").count() == 1
    assert ledger.check() == []


def test_from_the_last_moment_on_it_is_too_late(
    organisation: Account, clock_of_the_day: time_machine.Traveller
) -> None:
    early, late = make_person("ann@example.org"), make_person("bob@example.org")
    acceptances = [join(early, organisation, "refund"), join(late, organisation, "refund")]

    clock_of_the_day.move_to(CLOSED - timedelta(microseconds=1))
    assert undo.undo(early, acceptances[0].id).undone_at is not None
    clock_of_the_day.move_to(CLOSED)
    before = tables()
    with pytest.raises(Stale):
        undo.undo(late, acceptances[1].id)
    assert tables() == before


def test_who_has_gone_elsewhere_meanwhile_has_nothing_to_undo(organisation: Account) -> None:
    user = make_person()
    acceptance = join(user, organisation, "refund")
    acceptance.membership.end(ACCEPTED)
    Membership.create(user=user, account=make_owned("Maison Petit"), joined_at=ACCEPTED)
    before = tables()

    with pytest.raises(Blocked, match="left_already"):
        undo.undo(user, acceptance.id)
    assert tables() == before


def test_the_last_owner_hands_over_first(organisation: Account) -> None:
    user = make_person()
    acceptance = join(user, organisation, "refund")
    Membership.update(is_owner=False).where(Membership.account == organisation).execute()
    mine = Membership.id == acceptance.membership_id
    Membership.update(is_owner=True).where(mine).execute()

    with pytest.raises(Blocked, match="last_owner"):
        undo.undo(user, acceptance.id)
    make_user("second@dumas.example", organisation, is_owner=True)
    assert undo.undo(user, acceptance.id).undone_at is not None


@pytest.mark.parametrize("verb", [undo.undo, undo.send_now])
def test_somebody_elses_acceptance_is_not_there(
    organisation: Account, verb: Callable[[User, int], Acceptance]
) -> None:
    acceptance = join(make_person(), organisation, "refund")
    other = make_person("other@example.org")

    for at in (acceptance.id, acceptance.id + 1):
        with pytest.raises(NotThere):
            verb(other, at)
    assert Acceptance.get().is_held(ACCEPTED)


@pytest.mark.parametrize("again", ["refund", "credit"])
def test_who_has_undone_can_join_anew_with_a_whole_quote(organisation: Account, again: str) -> None:
    user = make_person()
    first = join(user, organisation, "credit")
    undo.undo(user, first.id)

    second = join(user, organisation, again)

    assert settlement_of(second).gross_minor == 4997
    present = user.membership()
    assert present is not None
    assert present.account_id == organisation.id
    assert Payment.get().returned_minor == 4997
    assert joining.latest_acceptance(user) == second
    assert ledger.check() == []


def test_the_spent_link_shows_the_undone_acceptance_and_accepts_no_more(
    organisation: Account,
) -> None:
    user = make_person()
    acceptance = join(user, organisation, "refund")
    undo.undo(user, acceptance.id)
    before = tables()
    offered = quotes.current(user.membership().account, ACCEPTED)  # type: ignore[union-attr]
    assert offered is not None
    token = quotes.sign(offered, acceptance.invitation)

    shown = joining.accept(acceptance.invitation_id, session_of(user), "refund", token)

    assert (shown, shown.undone_at) == (acceptance, ACCEPTED)
    assert tables() == before


def test_sending_now_gives_the_undo_up(organisation: Account) -> None:
    people = [make_person("ann@example.org"), make_person("bob@example.org")]
    made = [join(people[0], organisation, "refund"), join(people[1], organisation, "credit")]
    for user, acceptance in zip(people, made, strict=True):
        assert undo.send_now(user, acceptance.id).undo_until == ACCEPTED
        with pytest.raises(Stale):
            undo.undo(user, acceptance.id)
        leave(acceptance)

    due = OutboxMessage.select().where(
        OutboxMessage.kind.in_(("refund", "credit")), OutboxMessage.leaves_at <= ACCEPTED
    )
    assert sorted(one.kind for one in due) == ["credit", "refund"]
    assert (Refund.get().state, SimulatedRefund.select().count()) == ("pending", 1)
    assert ledger.balance(organisation.id, "credit_available", "EUR") == 4997
    assert ledger.check() == []


def test_sending_now_again_or_late_changes_nothing(
    organisation: Account, clock_of_the_day: time_machine.Traveller
) -> None:
    user, late = make_person("ann@example.org"), make_person("bob@example.org")
    acceptance, other = join(user, organisation, "refund"), join(late, organisation, "refund")
    undo.send_now(user, acceptance.id)
    before = tables()

    assert undo.send_now(user, acceptance.id).undo_until == ACCEPTED
    clock_of_the_day.move_to(CLOSED)
    assert undo.send_now(late, other.id).undo_until == CLOSED
    assert tables() == before


def test_what_was_undone_is_never_sent(organisation: Account) -> None:
    user = make_person()
    acceptance = join(user, organisation, "refund")
    undo.undo(user, acceptance.id)

    with pytest.raises(Stale):
        undo.send_now(user, acceptance.id)


def test_a_free_move_is_made_final_too(organisation: Account) -> None:
    user = make_user("farid@example.org", make_account(), is_owner=True)
    acceptance = join(user, organisation)
    undo.send_now(user, acceptance.id)

    with pytest.raises(Stale):
        undo.undo(user, acceptance.id)


@pytest.mark.parametrize("choice", ["refund", "credit"])
def test_of_undo_and_send_now_one_wins(organisation: Account, choice: str) -> None:
    for at in range(ROUNDS):
        user = make_person(f"p{at}@example.org")
        acceptance = join(user, organisation, choice)
        verbs = (undo.undo, undo.send_now)

        outcomes = race(2, lambda i, u=user, a=acceptance, v=verbs: v[i](u, a.id))

        assert sorted(type(one).__name__ for one in outcomes) == ["Acceptance", "Stale"], outcomes
        assert_either_undone_or_left(user, acceptance)
    assert ledger.check() == []


@pytest.mark.parametrize("choice", ["refund", "credit"])
def test_of_undo_and_departure_one_wins(
    organisation: Account, choice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's clock is just before the end of the window, the worker's just after."""
    told = local()
    monkeypatch.setattr(clock, "now", lambda: getattr(told, "now", ACCEPTED))

    def run(at: int, user: User, acceptance: Acceptance) -> Any:
        told.now = CLOSED - timedelta(microseconds=1) if at == 0 else CLOSED
        return undo.undo(user, acceptance.id) if at == 0 else leave(acceptance)

    for at in range(ROUNDS):
        user = make_person(f"p{at}@example.org")
        acceptance = join(user, organisation, choice)

        undone, left = race(2, lambda i, u=user, a=acceptance: run(i, u, a))

        assert left is None, left
        assert isinstance(undone, Acceptance | Stale), undone
        assert_either_undone_or_left(user, acceptance)
    assert ledger.check() == []


@pytest.mark.parametrize("choice", ["refund", "credit"])
def test_undoing_after_the_departure_by_a_faster_clock_changes_nothing(
    organisation: Account, choice: str, clock_of_the_day: time_machine.Traveller
) -> None:
    user = make_person("camille@example.org", *[4000] * 5)
    acceptance = join(user, organisation, choice)
    clock_of_the_day.move_to(CLOSED)
    leave(acceptance)
    before = tables()
    clock_of_the_day.move_to(CLOSED - timedelta(seconds=2))

    with pytest.raises(Stale):
        undo.undo(user, acceptance.id)
    assert tables() == before
    assert ledger.check() == []


def assert_either_undone_or_left(user: User, acceptance: Acceptance) -> None:
    """Never both and never neither, whatever it was that was held."""
    fresh = Acceptance.get_by_id(acceptance.id)
    settlement = settlement_of(fresh)
    present = user.membership()
    assert present is not None
    if settlement.choice == "credit":
        key = f"settlement:{settlement.id}:available"
        has_left = ledger.is_posted(key)
    else:
        mine = Refund.select().where(Refund.share.in_(list(settlement.shares)))
        assert len({one.state for one in mine}) == 1
        has_left = all(one.state not in ("held", "canceled") for one in mine)
    if fresh.undone_at is not None:
        assert (has_left, present.account_id) == (False, settlement.account_id)
    else:
        assert present.account_id == settlement.organisation_id
        assert has_left or fresh.undo_until == ACCEPTED


def test_a_departure_while_held_is_deferred(organisation: Account) -> None:
    for email, choice in (("ann@example.org", "refund"), ("bob@example.org", "credit")):
        acceptance = join(make_person(email), organisation, choice)
        with pytest.raises(outbox.Deferred):
            leave(acceptance)


def test_without_a_window_there_is_nothing_to_undo(organisation: Account) -> None:
    user = make_person()
    acceptance = join(user, organisation, "refund")
    moment: datetime = ACCEPTED
    Acceptance.update(undo_until=moment).execute()

    with pytest.raises(Stale):
        undo.undo(user, acceptance.id)
