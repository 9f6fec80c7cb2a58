"""Copies of invoices: frozen as they stood, the same while nothing changes."""

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask

from tests.actions.test_account_book import give
from tests.effects import carry_out
from tests.joined import make_owned
from tests.money import ACCEPTED, make_account, make_user
from tests.people import membership_of
from webapp.actions import invoice_copies, invoices
from webapp.errors import NotThere
from webapp.models import Account, AuditEvent, Invoice, InvoiceCopy, Membership, OutboxMessage

DAY = date(2026, 11, 1)


@pytest.fixture
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def organisation(clock: time_machine.Traveller) -> Account:
    return make_owned(address="8 quai de la Fosse\n44000 Nantes", tax_id="FR40303265045")


def owner_of(organisation: Account) -> Membership:
    found: Membership = Membership.get(Membership.account == organisation, Membership.is_owner)
    return found


def add(organisation: Account, number: str = "F-1", total_minor: int = 12000) -> Invoice:
    return invoices.add(
        organisation, number, issued_on=DAY, due_on=DAY, total_minor=total_minor, tax_minor=2000
    )


def make(organisation: Account, invoice: Invoice) -> InvoiceCopy:
    fresh = Invoice.get_by_id(invoice.id)
    return invoice_copies.make(owner_of(organisation), fresh)


def inputs(copy: InvoiceCopy) -> dict[str, object]:
    found: dict[str, object] = InvoiceCopy.get_by_id(copy.id).inputs
    return found


def test_credit_stands_as_a_payment_below_the_total(organisation: Account) -> None:
    give(organisation, "ann@example.org")
    copy = inputs(make(organisation, add(organisation)))

    assert (copy["total_minor"], copy["tax_minor"]) == (12000, 2000)
    assert copy["payments"] == [
        {
            "amount_minor": 4997,
            "on": "2026-11-23",
            "person": "Ann",
            "statement": "A-2026-000001",
        }
    ]


def test_what_money_paid_stands_beside_it(organisation: Account) -> None:
    give(organisation, "ann@example.org")
    invoice = add(organisation)
    invoices.mark_paid(organisation, "F-1")

    payments = inputs(make(organisation, invoice))["payments"]
    assert [(one["amount_minor"], one["statement"]) for one in payments] == [  # type: ignore[attr-defined]
        (4997, "A-2026-000001"),
        (7003, ""),
    ]


def test_while_nothing_changes_there_is_one_copy(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    invoice = add(organisation)
    first = make(organisation, invoice)
    clock.shift(timedelta(days=40))

    assert make(organisation, invoice) == first
    assert OutboxMessage.select().where(OutboxMessage.kind == "render:copy").count() == 1
    assert AuditEvent.select().where(AuditEvent.kind == "invoice:copied").count() == 1
    assert invoice_copies.current(invoice) == first.digest


def test_an_invoice_that_changed_gets_another_and_the_first_stays(
    organisation: Account, clock: time_machine.Traveller
) -> None:
    invoice = add(organisation)
    first = make(organisation, invoice)
    invoice_copies.render(first.id)
    before = bytes(InvoiceCopy.get_by_id(first.id).pdf)
    invoices.mark_paid(organisation, "F-1")
    clock.shift(timedelta(days=1))

    second = make(organisation, invoice)
    invoice_copies.render(first.id)
    assert second.id != first.id
    assert str(second.made_on) == "2026-11-24"
    kept = InvoiceCopy.get_by_id(first.id)
    assert bytes(kept.pdf) == before
    assert kept.sha256 == hashlib.sha256(before).hexdigest()
    assert before.startswith(b"%PDF")


def test_what_was_given_back_is_no_payment(organisation: Account) -> None:
    give(organisation, "ann@example.org")
    invoice = add(organisation)
    invoices.void(organisation, "F-1")

    copy = inputs(make(organisation, invoice))
    assert (copy["payments"], copy["voided_on"]) == ([], "2026-11-23")


def test_a_copy_is_of_its_invoice_only(organisation: Account) -> None:
    one, other = add(organisation), add(organisation, "F-2")
    copy = make(organisation, one)

    assert invoice_copies.document(one, copy.id).pdf is None
    with pytest.raises(NotThere):
        invoice_copies.document(other, copy.id)


def test_who_asked_is_recorded(organisation: Account) -> None:
    operator = make_account("operator", "Seller")
    user = make_user("seller@example.org", operator)
    invoice_copies.make(membership_of(user), add(organisation))

    event = AuditEvent.get(AuditEvent.kind == "invoice:copied")
    assert (event.actor_id, event.account_id) == (user.id, operator.id)


def test_the_worker_renders_it(organisation: Account) -> None:
    copy = make(organisation, add(organisation))

    assert carry_out("render:copy") == 1
    assert bytes(InvoiceCopy.get_by_id(copy.id).pdf).startswith(b"%PDF")
