"""What the operator's finance does about refunds that failed, and payouts (rules M4, M7)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests.client import Browser, words_of
from tests.failed import failed_refund, payout, seller, tried
from tests.money import ACCEPTED, make_user
from webapp.actions import ledger
from webapp.models import OutboxMessage, Refund, Settlement, User

TODAY = ACCEPTED.date().isoformat()
PAID = {"reference": "VIR-77", "paid_on": TODAY}


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def operator(app: Flask) -> Browser:
    user = seller().user
    User.update(locale="en").where(User.id == user.id).execute()
    return Browser(app).sign_in_as(user)


def test_a_failed_refund_has_three_ways_on(operator: Browser) -> None:
    _, refund = failed_refund()

    assert f'href="/billing/refunds/{refund.id}"' in operator.get("/billing").text
    page = operator.get(f"/billing/refunds/{refund.id}").text

    for way in ("retry", "consent", "payment"):
        assert f'action="/billing/refunds/{refund.id}/{way}"' in page
    assert f'value="{TODAY}"' in page


def test_trying_again_is_said_and_moves_it_on(operator: Browser) -> None:
    _, refund = failed_refund()

    answer = operator.post(f"/billing/refunds/{refund.id}/retry")

    assert (answer.status_code, answer.location) == (303, "/billing")
    page = operator.get("/billing")
    assert "The refund leaves again now." in words_of(page)
    assert f"/billing/refunds/{refund.id}/" not in page.text
    assert [one.state for one in Refund.select().order_by(Refund.id)] == ["failed", "held"]


def test_asking_for_consent_is_said_and_mailed(operator: Browser) -> None:
    _, refund = failed_refund()
    before = OutboxMessage.select().count()

    assert operator.post(f"/billing/refunds/{refund.id}/consent").status_code == 303
    assert "The person gets a mail" in words_of(operator.get("/billing"))
    assert OutboxMessage.select().count() == before + 1
    assert tried(refund).state == "failed"


def test_a_failed_refund_is_noted_as_paid(operator: Browser) -> None:
    _, refund = failed_refund()

    assert operator.post(f"/billing/refunds/{refund.id}/payment", **PAID).status_code == 303
    assert "Noted as paid." in words_of(operator.get("/billing"))
    paid = Refund.select().order_by(Refund.id.desc()).get()
    assert (paid.state, paid.bank_reference) == ("succeeded", "VIR-77")
    assert ledger.check() == []


def test_a_payout_has_only_its_payment(operator: Browser) -> None:
    refund = payout()
    page = operator.get(f"/billing/refunds/{refund.id}").text
    assert f'action="/billing/refunds/{refund.id}/payment"' in page
    assert f'action="/billing/refunds/{refund.id}/retry"' not in page

    assert operator.post(f"/billing/refunds/{refund.id}/payment", **PAID).status_code == 303
    assert f"/billing/refunds/{refund.id}/" not in operator.get("/billing").text
    assert tried(refund).state == "succeeded"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"reference": "", "paid_on": TODAY}, "Write the reference of the transfer."),
        ({"reference": "VIR", "paid_on": "soon"}, "Write a day that is not in the future."),
        ({"reference": "VIR", "paid_on": ""}, "Write a day that is not in the future."),
        (
            {"reference": "VIR", "paid_on": (ACCEPTED + timedelta(days=2)).date().isoformat()},
            "Write a day that is not in the future.",
        ),
        ({}, "Write a day that is not in the future."),
    ],
)
def test_a_form_to_mend_keeps_what_was_typed(
    operator: Browser, form: dict[str, str], words: str
) -> None:
    _, refund = failed_refund()

    answer = operator.post(f"/billing/refunds/{refund.id}/payment", **form)

    assert answer.status_code == 422
    assert words in words_of(answer)
    if form.get("reference"):
        assert f'value="{form["reference"]}"' in answer.text
    assert (tried(refund).state, Refund.select().count()) == ("failed", 1)


@pytest.mark.parametrize("way", ["retry", "consent", "payment"])
def test_a_second_press_changes_nothing(operator: Browser, way: str) -> None:
    _, refund = failed_refund()
    operator.post(f"/billing/refunds/{refund.id}/retry")
    before = [Refund.select().count(), OutboxMessage.select().count()]

    assert operator.post(f"/billing/refunds/{refund.id}/{way}", **PAID).status_code == 409
    assert [Refund.select().count(), OutboxMessage.select().count()] == before


@pytest.mark.parametrize("way", ["retry", "consent", "payment"])
@pytest.mark.parametrize("id", ["4711", "9223372036854775808", "0", "-1", "x"])
def test_a_refund_that_is_none_is_not_there(operator: Browser, way: str, id: str) -> None:
    assert operator.post(f"/billing/refunds/{id}/{way}", **PAID).status_code == 404


@pytest.mark.parametrize("way", ["retry", "consent", "payment"])
def test_only_the_operators_finance_may(app: Flask, way: str) -> None:
    user, refund = failed_refund()
    organisation = Settlement.get().organisation
    owner = make_user("o@dumas.example", organisation, is_owner=True)
    finance = make_user("f@dumas.example", organisation, is_finance=True)

    for one in (user, owner, finance):
        answer = Browser(app).sign_in_as(one).post(f"/billing/refunds/{refund.id}/{way}", **PAID)
        assert answer.status_code == 403
    assert Browser(app).post(f"/billing/refunds/{refund.id}/{way}", **PAID).status_code == 303
    assert (tried(refund).state, Refund.select().count()) == ("failed", 1)
