"""Invoices: opened once, paid once."""

from datetime import date

import pytest
from flask import Flask

from tests.money import ACCEPTED, make_account, make_organisation
from tests.races import race
from webapp.actions import invoices
from webapp.errors import Invalid, NotThere
from webapp.models import Account, AuditEvent, Invoice

DUE = date(2026, 12, 15)


@pytest.fixture
def account(app: Flask) -> Account:
    return make_organisation()


def add(account: Account, number: str = "F-1", total_minor: int = 12000, **fields: int) -> Invoice:
    return invoices.add(
        account, number, issued_on=date(2026, 11, 15), due_on=DUE, total_minor=total_minor, **fields
    )


def test_an_invoice_is_open_until_it_is_paid(account: Account) -> None:
    add(account)
    assert [(one.number, one.owed_minor) for one in invoices.open_of(account)] == [("F-1", 12000)]

    paid = invoices.mark_paid(account, "F-1")

    assert (paid.owed_minor, invoices.open_of(account)) == (0, [])


def test_paying_twice_pays_once(account: Account) -> None:
    add(account)
    invoices.mark_paid(account, "F-1")
    invoices.mark_paid(account, "F-1")

    assert AuditEvent.select().where(AuditEvent.kind == "invoice:paid").count() == 1


def test_the_earliest_due_comes_first(account: Account) -> None:
    add(account, "late")
    Invoice.update(due_on=None).where(Invoice.number == "late").execute()
    add(account, "later")
    Invoice.update(due_on=date(2027, 1, 1)).where(Invoice.number == "later").execute()
    add(account, "first")

    assert [one.number for one in invoices.open_of(account)] == ["first", "later", "late"]


def test_a_voided_invoice_is_neither_open_nor_payable(account: Account) -> None:
    add(account)
    Invoice.update(voided_at=ACCEPTED).execute()

    assert invoices.open_of(account) == []
    with pytest.raises(Invalid):
        invoices.mark_paid(account, "F-1")


def test_anothers_invoice_is_not_there(account: Account) -> None:
    add(account)

    with pytest.raises(NotThere):
        invoices.mark_paid(make_organisation(), "F-1")
    with pytest.raises(NotThere):
        invoices.mark_paid(account, "F-2")


@pytest.mark.parametrize(("total", "tax"), [(0, 0), (-1, 0), (100, 101), (100, -1)])
def test_amounts_that_contradict_each_other_are_refused(
    account: Account, total: int, tax: int
) -> None:
    with pytest.raises(Invalid):
        add(account, total_minor=total, tax_minor=tax)
    assert not Invoice.select().exists()


def test_a_closed_account_gets_no_invoice(app: Flask) -> None:
    with pytest.raises(Invalid):
        add(make_account(closed_at=ACCEPTED))


def test_sixteen_openings_of_one_number_open_one(account: Account) -> None:
    outcomes = race(16, lambda _: add(account))

    assert sum(isinstance(one, Invoice) for one in outcomes) == 1
    assert sum(isinstance(one, Invalid) for one in outcomes) == 15
