"""The month's end as a page: asked for, waited for, and read in one line."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from tests.actions.test_month_end import GATEWAY, leave
from tests.client import Browser, words_of
from tests.failed import seller
from tests.joined import make_owned
from tests.money import ACCEPTED
from webapp.actions import month_end
from webapp.models import Reconciliation, User
from webapp.payments.simulated import SimulatedRefund


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def operator(app: Flask) -> Browser:
    user = seller().user
    User.update(locale="en").where(User.id == user.id).execute()
    return Browser(app).sign_in_as(user)


def carry_out() -> None:
    row = Reconciliation.select().order_by(Reconciliation.id.desc()).get()
    month_end.carry_out(row.id, GATEWAY, lambda: None)


def test_a_month_is_asked_for_and_read_in_one_line(operator: Browser) -> None:
    leave(make_owned(), "ann@example.org")
    assert "This month has not been compared yet." in words_of(operator.get("/billing/month-end"))

    answer = operator.post("/billing/month-end", month="2026-11")
    assert (answer.status_code, answer.location) == (303, "/billing/month-end?month=2026-11")
    page = operator.get("/billing/month-end")
    assert 'hx-trigger="poll"' in page.text
    assert 'action="/billing/month-end"' in page.text.partition("<section")[0]

    carry_out()
    page = operator.get("/billing/month-end")
    words = words_of(page)
    assert 'hx-trigger="poll"' not in page.text
    assert "Statements, gateway and ledger agree." in words
    assert "As of 23 November 2026 at 10:15 (Europe/Paris). The month is not over yet." in words
    assert "Refund statements issued 1 statement +€49.97" in words
    assert "under way 1 · €49.97 1 · €49.97" in words


def test_a_difference_is_found_and_named(operator: Browser) -> None:
    refund = leave(make_owned(), "ann@example.org")
    SimulatedRefund.update(amount_minor=4000).execute()
    operator.post("/billing/month-end", month="2026-11")
    carry_out()

    words = words_of(operator.get("/billing/month-end"))
    assert "They do not agree: 1 difference is not explained." in words
    assert "The gateway has another amount." in words
    assert f"Refund no. {refund.id} Payment {refund.payment.reference} €49.97 €40.00" in words


def test_what_explains_itself_is_said_so(operator: Browser, clock: time_machine.Traveller) -> None:
    leave(make_owned(), "ann@example.org")
    clock.shift(30)
    operator.post("/billing/month-end", month="2026-11")
    carry_out()

    words = words_of(operator.get("/billing/month-end"))
    assert "agree; 1 difference explains itself." in words
    assert "The gateway knows more by now" in words


def test_a_second_press_changes_nothing(operator: Browser) -> None:
    for _ in range(2):
        assert operator.post("/billing/month-end", month="2026-10").status_code == 303
    assert Reconciliation.select().count() == 1
    assert operator.post("/billing/month-end", month="x").status_code == 404
    assert operator.get("/billing/month-end?month=2026-13").status_code == 404


def test_a_month_without_anything_says_so(operator: Browser) -> None:
    operator.post("/billing/month-end", month="2026-10")
    carry_out()

    words = words_of(operator.get("/billing/month-end?month=2026-10"))
    assert "Statements, gateway and ledger agree." in words
    assert "Nothing moved in this month." in words
