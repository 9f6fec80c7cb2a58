"""Statements to take away: CSV, XLSX and ZIP, read back and added up to the ledger."""

import hashlib
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import openpyxl
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader

from tests.books import HOSTILE, Books, make_books, read_csv, render_all
from tests.money import ACCEPTED, browser_of, make_account, make_user, settled
from webapp import spreadsheets
from webapp.actions import ledger, statements
from webapp.models import LedgerAccount, LedgerTransfer, Statement

FILES = ("csv", "xlsx", "zip")
# What is read from the database is tried on both in tests/actions; what files are made of it is not
# the engine's.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def books(app: Flask) -> Iterator[Books]:
    with time_machine.travel(ACCEPTED, tick=False) as clock:
        yield make_books(clock)


@pytest.fixture
def operator(app: Flask, books: Books) -> FlaskClient:
    return browser_of(app, books.operator)


def lines(client: FlaskClient, query: str = "") -> list[dict[str, str]]:
    return read_csv(client.get(f"/statements.csv?{query}").text)


def sheet(client: FlaskClient, query: str = "") -> Any:
    content = client.get(f"/statements.xlsx?{query}").data
    return openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]


def archive(client: FlaskClient, query: str = "") -> zipfile.ZipFile:
    response = client.get(f"/statements.zip?{query}")
    assert response.status_code == 200
    return zipfile.ZipFile(io.BytesIO(response.data))


def moved(*kinds: str) -> dict[str, Decimal]:
    """What came to ledger accounts of these kinds from elsewhere, less what went back there, by
    currency."""
    exponents = {"EUR": 2, "JPY": 0, "BHD": 3}
    whole: dict[str, Decimal] = defaultdict(Decimal)
    for transfer in LedgerTransfer.select():
        debit, credit = (
            LedgerAccount.get_by_id(side) for side in (transfer.debit_id, transfer.credit_id)
        )
        sign = (credit.kind in kinds) - (debit.kind in kinds)
        whole[debit.currency] += sign * Decimal(transfer.amount_minor).scaleb(
            -exponents[debit.currency]
        )
    return {currency: amount for currency, amount in whole.items() if amount}


CREDIT = ("credit_held", "credit_available", "credit_used")


def summed(rows: Any, kind: str) -> dict[str, Decimal]:
    """Totals of the rows (kind, currency, total) of a kind."""
    whole: dict[str, Decimal] = defaultdict(Decimal)
    for row_kind, currency, total in rows:
        if row_kind == kind:
            whole[currency] += Decimal(str(total))
    return {currency: amount for currency, amount in whole.items() if amount}


def test_the_csv_adds_up_to_the_ledger(operator: FlaskClient, books: Books) -> None:
    rows = lines(operator)
    amounts = [(row["Kind"], row["Currency"], row["Total"]) for row in rows]

    assert len(rows) == Statement.select().count()
    for row in rows:
        assert Decimal(row["Net"]) + Decimal(row["Tax"]) == Decimal(row["Total"])
        assert (Decimal(row["Total"]) < 0) == bool(row["Cancels"])
    assert summed(amounts, "Account credit statement") == moved(*CREDIT)
    # All that left what people had paid in advance, back to them or over to the organisation.
    left = moved("refund_held", "refund_requested", *CREDIT)
    arrived = {"EUR": Decimal("49.97")}
    refunds, credits = (summed(amounts, f"{kind} statement") for kind in ("Refund", "Credit"))
    assert {
        currency: refunds.get(currency, Decimal()) + credits.get(currency, Decimal())
        for currency in refunds | credits
    } == {currency: amount + arrived.get(currency, 0) for currency, amount in left.items()}
    assert {row["Currency"]: row["Total"] for row in rows if row["Currency"] != "EUR"} == {
        "BHD": "49.973",
        "JPY": "4997",
    }


def test_no_text_of_a_csv_is_a_formula(operator: FlaskClient, books: Books) -> None:
    rows = lines(operator, "q=ann")

    assert {row["Person"] for row in rows} == {f"'{HOSTILE}"}
    assert {row["Email"] for row in rows} == {"'=ann@example.org"}
    for row in lines(operator):
        for name, cell in row.items():
            if name not in ("Net", "Tax", "Total"):
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (name, cell)


def test_the_csv_is_the_same_in_every_language_but_for_its_words(app: Flask, books: Books) -> None:
    english = list(lines(browser_of(app, books.operator))[0].values())
    french = read_csv(browser_of(app, books.operator, "fr").get("/statements.csv").text)

    assert next(iter(french[0])) == "Numéro"
    numbers = [cell for cell in english if cell[:1].isdigit()]
    assert [cell for cell in french[0].values() if cell[:1].isdigit()] == numbers


def test_the_xlsx_has_numbers_and_days(operator: FlaskClient, books: Books) -> None:
    page = sheet(operator)
    headings = [cell.value for cell in page[1]]
    rows = [dict(zip(headings, row, strict=True)) for row in page.iter_rows(min_row=2)]

    assert page.freeze_panes == "A2"
    assert len(rows) == Statement.select().count()
    for row in rows:
        assert all(row[name].data_type == "n" for name in ("Net", "Tax", "Total"))
        decimals = {"EUR": ".00", "JPY": "", "BHD": ".000"}[row["Currency"].value]
        assert row["Total"].number_format == f"#,##0{decimals}"
        assert isinstance(row["Issued"].value, datetime | date)
        # The format's short date, which a program shows as its reader writes days.
        assert row["Issued"].number_format == "mm-dd-yy"
        assert all(cell.data_type != "f" for cell in row.values())
    assert HOSTILE in {row["Person"].value for row in rows}
    amounts = [(row["Kind"].value, row["Currency"].value, row["Total"].value) for row in rows]
    assert summed(amounts, "Account credit statement") == moved(*CREDIT)
    assert [(row["Number"].value, f"{row['Total'].value}") for row in rows] == [
        (row["Number"], f"{float(row['Total']):g}") for row in lines(operator)
    ]


def test_what_one_sheet_cannot_hold_goes_on_in_the_next(
    operator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "ROWS", 4)
    content = operator.get("/statements.xlsx").data
    book = openpyxl.load_workbook(io.BytesIO(content))

    rows = [row for page in book for row in page.iter_rows(min_row=2, values_only=True)]
    assert [page["A1"].value for page in book] == ["Number"] * len(book.worksheets)
    assert book.sheetnames[:3] == ["Statements", "Statements 2", "Statements 3"]
    assert [row[0] for row in rows] == [row["Number"] for row in lines(operator)]


def test_the_zip_holds_every_document_and_its_list(operator: FlaskClient, books: Books) -> None:
    render_all()
    with archive(operator) as found:
        index = read_csv(found.read("index.csv").decode())
        assert [row["File"] for row in index] == found.namelist()[:-1]
        assert [row["Number"] for row in index] == [row["Number"] for row in lines(operator)]
        for row in index:
            content = found.read(row["File"])
            assert hashlib.sha256(content).hexdigest() == row["SHA-256"]
            assert content == f"%PDF {row['Number']}".encode()
            assert row["File"].startswith(f"2026-11-23_{row['Number']}_")
    amounts = [(row["Kind"], row["Currency"], row["Total"]) for row in index]
    assert summed(amounts, "Account credit statement") == moved(*CREDIT)


def test_the_documents_say_what_the_list_says(app: Flask) -> None:
    settlement = settled("credit", "camille@example.org")
    for one in Statement.select(Statement.id):
        statements.render(one.id)
    operator = browser_of(app, make_user("s@example.org", make_account("operator", "Seller")))
    with archive(operator, "month=2026-11") as found:
        for row in read_csv(found.read("index.csv").decode()):
            reader = PdfReader(io.BytesIO(found.read(row["File"])))
            text = " ".join(page.extract_text() for page in reader.pages)
            assert row["Number"] in text
            assert row["Total"].replace(".", ",") in text
            balance = ledger.balances(settlement.organisation_id)["credit_held", "EUR"]
            assert Decimal(row["Total"]).scaleb(2) == balance


def test_the_zip_waits_for_what_is_not_rendered_yet(operator: FlaskClient) -> None:
    render_all(but="R-2026-000002")

    response = operator.get("/statements.zip?month=2026-11")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "1 statement is still being prepared" in response.text
    assert 'href="/statements.zip?missing=listed&amp;month=2026-11"' in response.text
    with archive(operator, "kind=credit") as found:
        assert (
            len(found.namelist())
            == Statement.select().where(Statement.kind == "credit").count() + 1
        )


def test_what_is_missing_is_named_in_the_list(operator: FlaskClient) -> None:
    render_all(but="R-2026-000002")

    response = operator.get("/statements.zip?missing=listed")
    assert "statements-incomplete.zip" in response.headers["Content-Disposition"]
    with archive(operator, "missing=listed") as found:
        index = read_csv(found.read("index.csv").decode())
        missing = [row for row in index if not row["File"]]
        assert [row["Number"] for row in missing] == ["R-2026-000002"]
        assert missing[0]["SHA-256"] == ""
        assert len(found.namelist()) == Statement.select().count()


NAMES = [
    ("", "statements"),
    ("month=2026-11&kind=refund", "statements-2026-11-refund"),
    ("from=2026-11-01&to=2026-11-30", "statements-2026-11"),
    ("from=2026-11-01&to=2026-11-15", "statements-2026-11-01_2026-11-15"),
    ("from=2026-11-23", "statements-from-2026-11-23"),
    ("to=2026-11-23", "statements-until-2026-11-23"),
    ("kind=account_credit&state=failed", "statements-account-credit-failed"),
    ("q=../../etc/%0d%0apasswd", "statements-search"),
]


def test_names_say_what_is_inside_and_sort(operator: FlaskClient) -> None:
    render_all()
    for ending, (query, name) in product(FILES, NAMES):
        response = operator.get(f"/statements.{ending}?{query}")

        assert response.status_code == 200
        assert response.headers["Content-Disposition"] == f"attachment; filename={name}.{ending}"


def test_downloads_are_kept_by_nobody(operator: FlaskClient) -> None:
    render_all()
    for ending in FILES:
        headers = operator.get(f"/statements.{ending}").headers

        assert headers["Cache-Control"] == "private, no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Disposition"].startswith("attachment; ")


def test_a_filter_that_cannot_be_read_is_shown_again(operator: FlaskClient) -> None:
    fields = (("month=2026-13", "month"), ("kind=x", "kind"), ("state=x", "state"))
    for ending, (query, field) in product(FILES, fields):
        response = operator.get(f"/statements.{ending}?{query}")

        assert response.status_code == 422
        assert response.mimetype == "text/html"
        assert f'id="{field}-error"' in response.text


def test_files_hold_what_the_filter_shows(operator: FlaskClient) -> None:
    render_all()
    for query in ("kind=refund&state=failed", "q=undone", "month=2026-10", "state=held"):
        numbers = {row["Number"] for row in lines(operator, query)}

        page = operator.get(f"/statements?{query}").text
        assert all(f'id="statement-{number}"' in page for number in numbers)
        assert page.count('<tr id="statement-') == len(numbers)
        rows = sheet(operator, query).iter_rows(min_row=2, values_only=True)
        assert {row[0] for row in rows} == numbers
        with archive(operator, query) as found:
            index = read_csv(found.read("index.csv").decode())
            assert {row["Number"] for row in index} == numbers


def test_everybody_takes_away_what_they_may_see(app: Flask, books: Books) -> None:
    render_all()
    person = browser_of(app, books.people["handed over"])
    finance, operator = browser_of(app, books.finance), browser_of(app, books.operator)

    assert {row["Number"][0] for row in lines(person)} == {"R"}
    assert {row["Person"] for row in lines(person)} == {"Handed"}
    theirs = lines(finance)
    assert {row["Number"][0] for row in theirs} == {"A"}
    assert {row["Email"] for row in theirs} == {""}
    ours = {row["Number"] for row in lines(operator, "kind=account_credit")}
    elsewhere = {row["Number"] for row in lines(operator, "q=Maison Petit&kind=account_credit")}
    assert {row["Number"] for row in theirs} == ours - elsewhere
    for word in ("refund", "failed", "turned into"):
        assert word not in finance.get("/statements.csv").text.lower()
    with archive(finance) as found:
        assert all("account-credit" in name for name in found.namelist()[:-1])


def test_an_organisation_finds_no_refund_by_its_state(app: Flask, books: Books) -> None:
    finance = browser_of(app, books.finance)

    for state in ("failed", "requested", "credited"):
        assert lines(finance, f"state={state}") == []
    assert lines(finance, "kind=refund") == []


def test_without_the_extra_pages_offer_csv_alone(
    operator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'href="/statements.xlsx"' in operator.get("/statements").text
    monkeypatch.setattr(spreadsheets, "is_installed", lambda: False)

    assert "statements.xlsx" not in operator.get("/statements").text
    response = operator.get("/statements.xlsx")
    assert response.status_code == 501
    assert "requirements-xlsx.txt" in response.text
