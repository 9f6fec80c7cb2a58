"""The demo: everybody whom a newcomer is shown, once."""

from dataclasses import replace

import pytest
import time_machine
from flask import Flask

from tests.imports import contents
from webapp import clock, demo, passwords, policy
from webapp.actions import credit_origins, ledger_check, needs_hand, quotes
from webapp.demo import individuals, organisation
from webapp.errors import NotAllowed
from webapp.models import Invitation, Invoice, Refund, User


def test_everybody_on_the_list_is_there_and_can_sign_in(app: Flask) -> None:
    assert demo.load()

    for person in demo.people():
        user = User.get(User.email == person.email)
        assert user.membership() is not None
        assert passwords.verified(demo.PASSWORD, user.password_hash)[0]
    assert ledger_check.check() == []


def test_a_second_load_changes_nothing(app: Flask) -> None:
    demo.load()
    before = contents()

    assert not demo.load()
    assert contents() == before


@pytest.mark.parametrize("day", ["2026-01-31", "2026-11-23", "2028-02-29", "2027-12-31"])
def test_on_any_day_there_is_something_to_give_back(app: Flask, day: str) -> None:
    with time_machine.travel(f"{day}T11:00:00Z"):
        demo.load()

        for email in (individuals.YEARLY, individuals.OWING):
            membership = User.get(User.email == email).membership()
            assert membership is not None
            quote = quotes.current(membership.account, clock.now())
            assert quote is not None
            assert 0 < quote.gross_minor < quote.paid_minor


def test_an_admin_meets_invitations_in_every_state(app: Flask) -> None:
    demo.load()

    shown = {one.shown_status(clock.now()) for one in Invitation.select()}
    assert shown == {"pending", "expired", "refused", "declined", "revoked", "accepted"}
    deliveries = {one.delivery for one in Invitation.select()}
    assert deliveries == {"queued", "sent", "deferred", "refused"}
    owner = User.get(User.email == organisation.OWNER).membership()
    assert owner is not None
    assert owner.account.recommendation == "credit"


def test_finance_meets_what_needs_a_hand_and_an_invoice_that_took_credit(app: Flask) -> None:
    demo.load()

    found = needs_hand.lists()
    assert {name: len(one.rows) for name, one in found.items()} == {
        "failed": 1,
        "payouts": 1,
        "messages": 0,
        "underway": 0,
    }
    assert sorted(one.state for one in Refund.select()) == ["failed", "requested", "succeeded"]
    taken = credit_origins.taken_by([one.id for one in Invoice.select()])
    assert [one.origin.person for uses in taken.values() for one in uses] == ["Julien Lambert"]


def test_production_has_no_demo(app: Flask) -> None:
    policy.use(replace(policy.policy(), env="production"))

    with pytest.raises(NotAllowed):
        demo.load()
    assert User.select().count() == 0
