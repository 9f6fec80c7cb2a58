"""Joining stops the gateway's charging of the plan that was left, and undoing takes that back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.money import ACCEPTED, make_account, make_organisation, make_plan, make_user
from webapp import clock as present
from webapp.actions import charging, joining, quotes, sessions, undo
from webapp.handlers import Errand, rounds
from webapp.models import Acceptance, Invitation, OutboxMessage, Session, Subscription, User
from webapp.outbox import claiming
from webapp.payments.gateway import GatewayRefusal
from webapp.payments.simulated import (
    SimulatedGateway,
    SimulatedSubscription,
    faults,
    subscribe,
)
from webapp.policy import policy
from webapp.smtp import Post

DAY = timedelta(hours=24)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as travelled:
        yield travelled


@pytest.fixture
def user(app: Flask) -> User:
    """Owns a plan that the gateway charges."""
    account = make_account()
    make_plan(account, gateway_reference="sub_1")
    subscribe("sub_1")
    return make_user("camille@example.org", account, is_owner=True)


def accept(user: User) -> Acceptance:
    """Joins a new organisation, in the one transaction that does all of it."""
    organisation = make_organisation()
    inviter = make_user(f"{organisation.public_id}@example.org", organisation, is_owner=True)
    now = present.now()
    invitation = Invitation.create(
        account=organisation,
        email=user.email,
        locale="fr",
        inviter=inviter,
        created_at=now,
        expires_at=now + timedelta(days=30),
        delivery="sent",
        delivery_at=now,
    )
    membership = user.membership()
    assert membership is not None
    offered = quotes.current(membership.account, now)
    token = quotes.sign(offered, invitation) if offered else ""
    session = Session.get_by_id(_session(user).id)
    return joining.accept(invitation.id, session, "refund", token)


def _session(user: User) -> Session:
    viewer = sessions.viewer_of(sessions.start(user, agent="a test"))
    assert viewer is not None
    return viewer.session


def drain() -> None:
    """What is due of the charging; mails and refunds are other tests' matter."""
    kinds = ("subscription:end", "subscription:cancel", "subscription:keep")
    with Post() as post:
        while (claim := claiming.claim(kinds)) is not None:
            rounds.carry_out(Errand(claim, post))


def charged() -> tuple[bool, bool]:
    """Does it end with its period; is it over?"""
    found = SimulatedSubscription.get()
    return found.ends_with_period, found.is_canceled


def test_joining_ends_it_with_its_period_and_cancels_it_when_the_window_closes(
    user: User, clock: time_machine.Traveller
) -> None:
    accept(user)
    drain()
    assert charged() == (True, False)
    clock.shift(DAY)
    drain()

    assert charged() == (True, True)


def test_undoing_lets_it_go_on(user: User, clock: time_machine.Traveller) -> None:
    acceptance = accept(user)
    drain()
    undo.undo(user, acceptance.id)
    drain()
    assert charged() == (False, False)
    clock.shift(DAY)
    drain()

    assert charged() == (False, False)


def test_giving_the_undo_up_cancels_it_now(user: User) -> None:
    acceptance = accept(user)
    undo.send_now(user, acceptance.id)
    drain()

    assert charged()[1]


def test_an_end_that_comes_late_does_not_outdo_the_undoing(
    user: User, clock: time_machine.Traveller
) -> None:
    faults.ask_for("end_subscription_at_period_end", "never sent")
    acceptance = accept(user)
    drain()
    undo.undo(user, acceptance.id)
    drain()
    clock.shift(timedelta(minutes=5))
    drain()

    assert charged() == (False, False)


def test_undone_while_the_gateway_was_asked_it_is_told_so_at_once(user: User) -> None:
    acceptance = accept(user)

    class Slow(SimulatedGateway):
        def end_subscription_at_period_end(self, reference: str) -> None:
            undo.undo(user, acceptance.id)
            SimulatedGateway.end_subscription_at_period_end(self, reference)

    assert charging.settle(Subscription.get(gateway_reference="sub_1").id, Slow())
    assert charged() == (False, False)


def test_undone_and_left_again_it_ends_again(user: User, clock: time_machine.Traveller) -> None:
    undo.undo(user, accept(user).id)
    accept(user)
    drain()
    assert charged() == (True, False)
    clock.shift(DAY)
    drain()

    assert charged() == (True, True)


def test_a_lost_answer_is_asked_for_again(user: User, clock: time_machine.Traveller) -> None:
    faults.ask_for("end_subscription_at_period_end", "answer lost", "never sent")
    accept(user)
    for _ in range(3):
        drain()
        clock.shift(timedelta(seconds=31))

    assert charged() == (True, False)


def test_what_can_no_longer_be_kept_is_put_before_the_operator(user: User) -> None:
    acceptance = accept(user)
    drain()
    SimulatedSubscription.update(is_canceled=True).execute()
    undo.undo(user, acceptance.id)
    drain()

    (kept,) = OutboxMessage.select().where(OutboxMessage.quarantined_at.is_null(False))
    assert kept.kind == "subscription:keep"
    assert "has ended" in kept.error
    with pytest.raises(GatewayRefusal):
        charging.settle(Subscription.get(gateway_reference="sub_1").id, SimulatedGateway())


def test_a_plan_that_no_gateway_charges_needs_nothing(user: User) -> None:
    Subscription.update(gateway_reference=None).execute()
    undo.undo(user, accept(user).id)
    undo.send_now(user, accept(user).id)

    kinds = {one.kind for one in OutboxMessage.select()}
    assert not {one for one in kinds if one.startswith("subscription:")}
    assert not charging.settle(Subscription.get().id, SimulatedGateway())
    assert not charging.settle(999, SimulatedGateway())


def test_without_an_undo_window_it_is_canceled_at_once(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(policy(), undo_hours=0)
    monkeypatch.setattr(joining, "policy", lambda: settings)
    accept(user)
    drain()

    assert charged()[1]
