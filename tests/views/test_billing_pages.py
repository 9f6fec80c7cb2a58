"""An organisation's movements, invoice pages and copies, as its finance and the operator's see
them."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from flask import Flask

from tests.actions.test_account_book import give
from tests.client import Browser, words_of
from tests.failed import failed_refund, seller
from tests.joined import join, make_owned, make_person
from tests.money import ACCEPTED, make_user
from tests.people import session_of
from webapp.actions import account_book, failed_refunds, invoice_copies, invoices
from webapp.models import Account, Invoice, InvoiceCopy, Statement, User

DAY = date(2026, 11, 1)


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def organisation(clock: time_machine.Traveller) -> Account:
    return make_owned()


@pytest.fixture
def finance(app: Flask, organisation: Account) -> Browser:
    user = make_user("f@dumas.example", organisation, is_finance=True, locale="en")
    return Browser(app).sign_in_as(user)


def stranger(app: Flask) -> Browser:
    user = make_user("r@petit.example", make_owned("Maison Petit"), is_owner=True)
    return Browser(app).sign_in_as(user)


def operator(app: Flask) -> Browser:
    user = seller().user
    User.update(locale="en").where(User.id == user.id).execute()
    return Browser(app).sign_in_as(user)


def add(organisation: Account, number: str = "F-1", **fields: object) -> Invoice:
    values = {"issued_on": DAY, "due_on": DAY, "total_minor": 12000, "tax_minor": 2000, **fields}
    return invoices.add(organisation, number, **values)  # type: ignore[arg-type]


def test_the_day_from_which_credit_is_available_stands_beside_it(
    finance: Browser, organisation: Account
) -> None:
    join(make_person("ann@example.org"), organisation, "credit")

    page = words_of(finance.get("/billing"))
    assert "On hold available from 24 November 2026 at 10:15 (Europe/Paris) €49.97" in page


def test_an_invoice_names_the_credit_that_it_took(finance: Browser, organisation: Account) -> None:
    give(organisation, "ann@example.org")
    invoice = add(organisation)

    assert "€49.97 from Ann, A-2026-000001" in words_of(finance.get("/billing"))
    page = words_of(finance.get(f"/billing/invoices/{invoice.id}"))
    # The total stands above what paid it: credit is no discount.
    assert page.index("Total of the invoice €120.00") < page.index("Credit brought by Ann")
    assert "Still due €70.03" in page


def test_a_statement_is_linked_once_it_can_be_had(finance: Browser, organisation: Account) -> None:
    give(organisation, "ann@example.org")
    invoice = add(organisation)
    address = f"/billing/invoices/{invoice.id}"
    link = 'href="/statements/A-2026-000001.pdf"'

    assert link not in finance.get(address).text
    Statement.update(rendered_at=ACCEPTED, pdf=b"%PDF", sha256="x").execute()
    assert link in finance.get(address).text
    assert link in finance.get("/billing").text
    assert link in finance.get("/billing/movements").text


def test_a_voided_invoice_shows_what_it_gave_back(finance: Browser, organisation: Account) -> None:
    give(organisation, "ann@example.org")
    invoice = add(organisation)
    invoices.void(organisation, "F-1")

    page = words_of(finance.get(f"/billing/invoices/{invoice.id}"))
    assert "given back on 23 November 2026" in page
    assert "Still due €0.00" in page


def test_movements_read_as_sentences(finance: Browser, organisation: Account) -> None:
    give(organisation, "ann@example.org")
    add(organisation)

    page = words_of(finance.get("/billing/movements"))
    for words in (
        "Movements: November 2026, in EUR",
        "Opening balance €0.00 €0.00",
        "Credit brought by Ann, on hold A-2026-000001 23 November 2026 +€49.97 – €49.97 €0.00",
        "Credit brought by Ann is available A-2026-000001 23 November 2026 −€49.97 +€49.97",
        "Paid on invoice F-1 from Ann, A-2026-000001 23 November 2026 – −€49.97 €0.00 €0.00",
        "Closing balance €0.00 €0.00",
    ):
        assert words in page
    assert "settlement" not in page
    assert "December 2026" not in page


def test_nothing_tells_an_organisation_of_a_refund(finance: Browser, organisation: Account) -> None:
    user, refund = failed_refund(organisation=organisation)
    failed_refunds.hand_over(user, session_of(user), refund.id)
    invoice = add(organisation)

    for address in ("/billing", "/billing/movements", f"/billing/invoices/{invoice.id}"):
        assert "refund" not in words_of(finance.get(address)).lower(), address


def test_months_lead_to_each_other(finance: Browser, organisation: Account) -> None:
    page = finance.get("/billing/movements?month=2026-09").text

    assert re.findall(r'href="([^"]+)" rel="(?:prev|next)"', page) == [
        "/billing/movements?currency=EUR&amp;month=2026-08",
        "/billing/movements?currency=EUR&amp;month=2026-10",
    ]
    assert finance.get("/billing/movements?month=soon").status_code == 404
    assert finance.get("/billing/movements?currency=USD").status_code == 404
    assert finance.get("/billing/movements?after=x").status_code == 404


def test_long_months_have_pages(
    finance: Browser, organisation: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ann", "bob", "cem"):
        give(organisation, f"{name}@example.org")
    monkeypatch.setattr(account_book, "AT_ONCE", 4)

    first = finance.get("/billing/movements")
    assert "To carry over" in words_of(first)
    more = re.search(r'href="([^"]*after=[^"]*)"', first.text)
    assert more is not None
    second = words_of(finance.get(more[1].replace("&amp;", "&")))
    assert "Carried over" in second
    assert "Closing balance €0.00 €149.91" in second


def test_others_billing_is_not_there(app: Flask, finance: Browser, organisation: Account) -> None:
    invoice = add(organisation)
    copy = invoice_copies.make(seller(), invoice)
    invoice_copies.render(copy.id)
    address, named = f"/billing/invoices/{invoice.id}", f"organisation={organisation.public_id}"
    pages = (
        address,
        f"{address}/copies/{copy.id}.pdf",
        f"/billing?{named}",
        f"/billing/movements?{named}",
    )

    theirs, sellers = stranger(app), operator(app)
    for page in pages:
        assert finance.get(page).status_code == 200
        assert sellers.get(page).status_code == 200
        assert theirs.get(page).status_code == 404
    assert theirs.post(f"{address}/copies").status_code == 404
    assert sellers.get("/billing?organisation=%00").status_code == 404


def test_a_copy_is_asked_for_and_then_always_the_same(
    finance: Browser, organisation: Account
) -> None:
    invoice = add(organisation, '=F/1 "x"')
    address = f"/billing/invoices/{invoice.id}"

    assert finance.post(f"{address}/copies").status_code == 303
    copy = InvoiceCopy.get()
    page = finance.get(address)
    assert "being prepared…" in page.text
    assert 'hx-trigger="poll"' in page.text
    assert "Prepare a new copy" not in page.text
    waiting = finance.get(f"{address}/copies/{copy.id}.pdf")
    assert (waiting.status_code, waiting.location) == (303, address)

    invoice_copies.render(copy.id)
    assert 'hx-trigger="poll"' not in finance.get(address).text
    answers = [finance.get(f"{address}/copies/{copy.id}.pdf") for _ in range(2)]
    assert answers[0].data == answers[1].data
    assert answers[0].mimetype == "application/pdf"
    assert answers[0].headers["Cache-Control"] == "private, no-store"
    assert re.fullmatch(
        r'attachment; filename="2026-11-23-\w+-\d+-\d+\.pdf"',
        answers[0].headers["Content-Disposition"],
    )
    finance.post(f"{address}/copies")
    assert InvoiceCopy.select().count() == 1
    invoices.mark_paid(organisation, invoice.number)
    assert "Prepare a new copy" in finance.get(address).text
