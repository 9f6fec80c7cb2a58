"""The pages of statements: who sees which, as page, as fragment, and as PDF."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests.books import read_csv
from tests.money import (
    ACCEPTED,
    browser_of,
    make_account,
    make_organisation,
    make_user,
    settled,
)
from webapp.actions import invoices, refunds, settlements, statement_list, statements
from webapp.models import Refund, Settlement, Statement, User
from webapp.payments.simulated import SimulatedGateway

HTMX = {"HX-Request": "true"}


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    return browser_of(app, make_user("seller@example.org", make_account("operator", "Seller")))


def settled_on(day: int, choice: str = "refund", name: str = "camille") -> Settlement:
    with time_machine.travel(datetime(2026, 11, day, 12, tzinfo=UTC), tick=False):
        return settled(choice, f"{name}{day}@example.org")


def numbers(client: FlaskClient, address: str = "/statements", **headers: str) -> list[str]:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return re.findall(r'<tr id="statement-([^"]+)"', response.text)


def test_nobody_signed_out_sees_anything(app: Flask) -> None:
    settled("refund")
    client = app.test_client()

    for address in ("/statements", "/statements/R-2026-000001.pdf"):
        assert client.get(address).status_code == 303
        assert "sign-in" in client.get(address, headers=HTMX).headers["HX-Redirect"]


def test_a_person_sees_their_own_and_nobody_elses(app: Flask) -> None:
    anne, bob = settled("refund", "anne@example.org"), settled("refund", "bob@example.org")

    assert numbers(browser_of(app, anne.acceptance.user)) == ["R-2026-000001"]
    assert numbers(browser_of(app, bob.acceptance.user)) == ["R-2026-000002"]


def test_an_organisation_learns_nothing_of_a_refund(app: Flask) -> None:
    organisation = settled("refund", "anne@example.org").organisation
    owner = browser_of(app, make_user("owner@example.org", organisation, is_owner=True))

    page = owner.get("/statements").text
    assert "anne" not in page.lower()
    assert "R-2026" not in page
    for number in ("R-2026-000001", "R-2026-000009"):
        assert owner.get(f"/statements/{number}.pdf").status_code == 404
        assert owner.get(f"/statements?after={number}").status_code == 404
        assert numbers(owner, f"/statements?q={number}") == []


def test_an_organisations_finance_sees_its_account_credit_only(app: Flask) -> None:
    organisation = settled("credit", "anne@example.org").organisation
    finance = browser_of(app, make_user("finance@example.org", organisation, is_finance=True))
    admin = browser_of(app, make_user("admin@example.org", organisation, is_admin=True))

    assert numbers(finance) == ["A-2026-000001"]
    assert "Anne" in finance.get("/statements").text
    assert finance.get("/statements/C-2026-000001.pdf").status_code == 404
    assert numbers(admin) == []


def test_the_operator_sees_all_of_them_the_newest_first(operator: FlaskClient) -> None:
    settled_on(21)
    settled_on(22, "credit")

    assert numbers(operator) == ["A-2026-000001", "C-2026-000001", "R-2026-000001"]


def test_credit_that_invoices_took_is_no_longer_called_available(app: Flask) -> None:
    def state(client: FlaskClient) -> str:
        row = re.search(r'<td class="status">(.*?)</td>', client.get("/statements").text, re.DOTALL)
        assert row is not None
        return " ".join(re.sub(r"<[^>]+>", " ", row[1]).split())

    def in_a_file() -> tuple[str, str]:
        (row,) = read_csv(finance.get("/statements.csv").text)
        return row["State"], row["Credit left"]

    with time_machine.travel(ACCEPTED, tick=False) as day:
        settlement = settled("credit", "anne@example.org")
        organisation = settlement.organisation
        opened: dict[str, Any] = {"account": organisation, "issued_on": None, "due_on": None}
        finance = browser_of(app, make_user("finance@example.org", organisation, is_finance=True))
        assert (state(finance), in_a_file()) == ("on hold", ("on hold", ""))
        day.shift(timedelta(hours=25))
        settlements.release(settlement.id)
        assert (state(finance), in_a_file()) == ("available", ("available", "49.97"))
        invoices.add(number="F-1", total_minor=3_000, **opened)
        assert state(finance) == "partly used €19.97 left"
        assert in_a_file() == ("partly used", "19.97")
        invoices.add(number="F-2", total_minor=3_000, **opened)
        assert (state(finance), in_a_file()) == ("used up", ("used up", "0.00"))
        # The person is told what became of their own, and nothing of the organisation's.
        anne = browser_of(app, settlement.acceptance.user)
        assert state(anne) == "transferred"
        for client, is_told in ((finance, True), (anne, False)):
            assert ('<option value="used"' in client.get("/statements").text) is is_told


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("", [23, 22, 21, 20]),
        ("from=2026-11-22", [23, 22]),
        ("to=2026-11-21", [21, 20]),
        ("from=2026-11-21&to=2026-11-22", [22, 21]),
        ("kind=credit", []),
        ("kind=refund&q=camille2", [23, 22, 21, 20]),
        ("q=CAMILLE21", [21]),
        ("q=camille22%40example.org", [22]),
        ("q=r-2026-000001", [20]),
        ("q=%25", []),
        ("q=_", []),
        ("q=%00", [23, 22, 21, 20]),
        ("from=0001-01-01&to=9999-12-31", [23, 22, 21, 20]),
        ("from=+&to=", [23, 22, 21, 20]),
    ],
)
def test_the_filter_finds_by_kind_day_person_and_number(
    operator: FlaskClient, query: str, days: list[int]
) -> None:
    for day in (20, 21, 22, 23):
        settled_on(day)

    found = [int(number[-6:]) + 19 for number in numbers(operator, f"/statements?{query}")]
    assert found == days


def test_a_day_is_the_sellers_day(operator: FlaskClient) -> None:
    with time_machine.travel(datetime(2026, 11, 21, 23, 30, tzinfo=UTC), tick=False):
        settled("refund")

    assert numbers(operator, "/statements?from=2026-11-22&to=2026-11-22") == ["R-2026-000001"]
    assert numbers(operator, "/statements?to=2026-11-21") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("to=20261123", "to"),
        ("to=2026-W47-1", "to"),
        ("from=2026-11-23&to=2026-11-22", "to"),
        ("kind=invoice", "kind"),
        ("from=%00", "from"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_filter_that_cannot_be_read_is_shown_again(
    operator: FlaskClient, query: str, field: str, headers: dict[str, str]
) -> None:
    settled("refund")
    response = operator.get(f"/statements?{query}", headers=headers)

    assert response.status_code == 422
    assert response.text.count('aria-invalid="true"') == 1
    error = re.search(rf'id="{field}-error"[^>]*>([^<]+)<', response.text)
    assert error is not None
    assert len(error[1]) > 20
    assert "R-2026" not in response.text


def test_credit_that_stands_in_two_rows_of_the_totals_is_said_to_count_once(
    operator: FlaskClient,
) -> None:
    settled("credit")
    note = "is in both rows, and counts once"

    assert note in operator.get("/statements").text
    assert note not in operator.get("/statements?kind=credit").text


def test_a_fragment_is_the_list_alone(operator: FlaskClient) -> None:
    settled("refund")
    response = operator.get("/statements", headers=HTMX)

    assert response.text.lstrip().startswith('<section id="statements"')
    assert "<html" not in response.text
    assert "HX-Request" in response.headers["Vary"]
    assert "<html" in operator.get("/statements", headers={**HTMX, "HX-Boosted": "true"}).text


def test_older_ones_are_a_press_away(
    operator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement_list, "AT_ONCE", 2)
    for day in (20, 21, 22, 22, 23):
        settled_on(day, name=f"camille{Statement.select().count()}")

    seen, address = [], "/statements?kind=refund"
    while address:
        page = operator.get(address).text
        seen += re.findall(r'<tr id="statement-R-2026-00000(\d)"', page)
        more = re.search(r'id="statements-more">\s*<a[^>]*href="([^"]+)"', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert seen == ["5", "4", "3", "2", "1"]


@pytest.mark.parametrize("after", ["x", "R-2026-999999", "%00", "'"])
def test_a_place_that_is_not_there_is_not_found(operator: FlaskClient, after: str) -> None:
    assert operator.get(f"/statements?after={after}").status_code == 404


def test_the_pdf_is_the_documents_own_bytes(operator: FlaskClient) -> None:
    settled("refund")
    statements.render(Statement.get().id)
    response = operator.get("/statements/R-2026-000001.pdf")

    assert response.status_code == 200
    assert hashlib.sha256(response.data).hexdigest() == Statement.get().sha256
    assert response.mimetype == "application/pdf"
    assert response.headers["Content-Disposition"] == 'attachment; filename="R-2026-000001.pdf"'
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_until_it_is_rendered_the_pdf_says_come_back(operator: FlaskClient) -> None:
    settled("refund")
    response = operator.get("/statements/R-2026-000001.pdf")

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert 'href="/statements/R-2026-000001.pdf"' in response.text


def test_a_row_asks_again_until_its_pdf_is_there(operator: FlaskClient) -> None:
    settled("refund")
    waiting = operator.get("/statements").text
    statements.render(Statement.get().id)
    ready = operator.get("/statements?q=R-2026-000001", headers=HTMX).text

    assert ".pdf" not in waiting
    assert 'hx-get="/statements?q=R-2026-000001"' in waiting
    assert 'href="/statements/R-2026-000001.pdf"' in ready
    assert "data-poll" not in ready


@pytest.mark.parametrize(
    "number", ["R-2026-000002", "R-2026-000001%00", "%00", "..%2f", "x" * 3000]
)
def test_a_pdf_that_is_not_there_is_not_found(operator: FlaskClient, number: str) -> None:
    settled("refund")

    assert operator.get(f"/statements/{number}.pdf").status_code == 404


def test_the_page_tells_where_the_refund_is(app: Flask) -> None:
    with time_machine.travel(ACCEPTED, tick=False) as clock:
        user: User = settled("refund").acceptance.user
        assert 'data-status="held"' in _page(app, user)
        assert "24 November 2026" in _page(app, user)
        clock.move_to(ACCEPTED + timedelta(hours=25))
        assert 'data-status="requested"' in _page(app, user)
        refunds.request(Refund.get().id, SimulatedGateway())
        clock.shift(30)
        refunds.follow(Refund.get().id, SimulatedGateway())
        assert 'data-status="succeeded"' in _page(app, user)
        assert "ARN0" in _page(app, user)


def test_the_page_tells_of_a_refund_that_failed(app: Flask) -> None:
    user: Any = settled("refund", undo_until=ACCEPTED).acceptance.user
    Refund.update(state="failed").execute()

    assert 'data-status="failed"' in _page(app, user)


def test_without_any_statement_the_page_says_so(app: Flask) -> None:
    client = browser_of(app, make_user("a@example.org", make_organisation(), is_owner=True))

    for address, icon in (("/statements", "file-text"), ("/statements?q=x", "search")):
        empty = client.get(address).text.partition('class="empty"')[2]
        assert f"#{icon}" in empty.partition("</div>")[0]


def _page(app: Flask, user: User) -> str:
    return browser_of(app, user).get("/statements").text
