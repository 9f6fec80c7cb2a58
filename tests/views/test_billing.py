"""Billing: an organisation's balance, credit and invoices; the operator's refunds and messages."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask

from tests import effects
from tests.money import (
    ACCEPTED,
    browser_of,
    make_account,
    make_organisation,
    make_plan,
    make_user,
    settle,
    settled,
)
from webapp.actions import billing, invoices, refunds, settlements
from webapp.models import Account, Invoice, OutboxMessage, Refund
from webapp.payments.simulated import SimulatedGateway


def add(account: Account, number: str, total_minor: int = 12000, **fields: object) -> Invoice:
    days = {"issued_on": date(2026, 11, 1), "due_on": date(2026, 12, 1), **fields}
    return invoices.add(account, number, total_minor=total_minor, **days)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("flags", "status"),
    [({"is_owner": True}, 200), ({"is_finance": True}, 200), ({"is_admin": True}, 403), ({}, 403)],
)
def test_owners_and_finance_see_billing(app: Flask, flags: dict[str, bool], status: int) -> None:
    user = make_user("a@example.org", make_organisation(), **flags)

    assert browser_of(app, user).get("/billing").status_code == status


def test_an_individual_has_no_billing_page(app: Flask) -> None:
    user = make_user("a@example.org", make_account(), is_owner=True)

    assert browser_of(app, user).get("/billing").status_code == 403


def test_signed_out_goes_to_sign_in(app: Flask) -> None:
    assert app.test_client().get("/billing").status_code == 303


def test_what_is_due_and_what_is_credit_stand_apart(app: Flask) -> None:
    account = make_account()
    make_plan(account)
    organisation = make_organisation()
    user = make_user("camille@example.org", account, is_owner=True)
    with time_machine.travel(ACCEPTED, tick=False) as clock:
        settlement = settle(user, organisation, "credit")
        add(organisation, "F-1", 12000)
        add(organisation, "F-2", 3000)
        invoices.mark_paid(organisation, "F-2")
        client = browser_of(app, make_user("f@example.org", organisation, is_finance=True))
        before = client.get("/billing").text
        clock.move_to(ACCEPTED + timedelta(hours=24))
        settlements.release(settlement.id)
        after = client.get("/billing").text

    assert re.findall(r"<dd>([^<]+)</dd>", before) == ["€49.97", "€0.00"]
    assert re.findall(r"<dd>([^<]+)</dd>", after) == ["€0.00", "€49.97"]
    assert "<strong>€120.00</strong>" in before


def test_credit_and_debt_in_two_currencies_are_never_added(app: Flask) -> None:
    organisation = make_organisation()
    add(organisation, "F-1", 12000)
    add(organisation, "F-2", 500, currency="JPY")

    assert billing.owed(organisation) == [("EUR", 12000), ("JPY", 500)]
    assert [one.currency for one in billing.credit(organisation)] == ["EUR"]


def test_each_invoice_says_how_it_stands(app: Flask) -> None:
    organisation = make_organisation()
    add(organisation, "late", due_on=date(2026, 11, 22), pay_url="https://pay.example/late")
    add(organisation, "open", pay_url="javascript:alert(1)")
    add(organisation, "debit", due_on=date(2026, 11, 22), pay_url="https://pay.example/debit")
    invoices.note_being_paid(organisation, ["debit"])
    add(organisation, "undated", due_on=None, issued_on=None)
    add(organisation, "paid")
    invoices.mark_paid(organisation, "paid")
    add(organisation, "void")
    Invoice.update(voided_at=ACCEPTED).where(Invoice.number == "void").execute()
    add(make_organisation(), "another's")

    finance = make_user("f@example.org", organisation, is_finance=True)
    with time_machine.travel(ACCEPTED, tick=False):
        page = browser_of(app, finance).get("/billing").text
    states = re.findall(r'data-status="(\w+)"', page)

    assert states == ["voided", "succeeded", "pending", "pending", "pending", "failed"]
    assert 'href="https://pay.example/late"' in page
    assert "payment under way" in page
    assert "https://pay.example/debit" not in page
    assert "javascript" not in page
    assert "another" not in page


def test_older_invoices_are_a_press_away(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(billing, "AT_ONCE", 2)
    organisation = make_organisation()
    for at in range(5):
        add(organisation, f"F/{at} &")
    client = browser_of(app, make_user("f@example.org", organisation, is_finance=True))

    seen, address = [], "/billing"
    while address:
        page = client.get(address, headers={"HX-Request": "true"}).text
        seen += re.findall(r"F/(\d) &amp;</a>", page)
        more = re.search(r'id="invoices-more">\s*<a[^>]*href="([^"]+)"', page)
        address = more[1] if more else ""
    assert seen == ["4", "3", "2", "1", "0"]
    assert client.get("/billing?after=x").status_code == 404
    assert client.get("/billing?after=%00").status_code == 404


def test_the_operator_sees_what_needs_a_hand(app: Flask) -> None:
    with time_machine.travel(ACCEPTED, tick=False):
        failed = settled("refund", "fay@example.org", undo_until=ACCEPTED)
        settled("refund", "una@example.org", undo_until=ACCEPTED)
        for refund in Refund.select():
            refunds.request(refund.id, SimulatedGateway())
        account = make_account(name="Paul")
        make_plan(account, gateway="none", method="")
        user = make_user("paul@example.org", account, is_owner=True)
        settle(user, make_organisation(), "refund", undo_until=ACCEPTED)
        refunds.request(Refund.select().order_by(Refund.id.desc()).get().id, SimulatedGateway())
    mine = Refund.share.in_([share.id for share in failed.shares])
    Refund.update(state="failed", reason="account closed").where(mine).execute()
    message = effects.message("render", {"statement_id": 1})
    OutboxMessage.update(quarantined_at=ACCEPTED, error="<no> paper").where(
        OutboxMessage.id == message.id
    ).execute()

    operator = make_user("seller@example.org", make_account("operator", "Seller"))
    page = browser_of(app, operator).get("/billing").text.replace("<wbr>", "")
    sections = {part.partition('"')[0]: part for part in page.split('<section id="')[1:]}

    assert "fay@example.org" in sections["list-failed"]
    assert "account closed" in sections["list-failed"]
    assert "paul@example.org" in sections["list-payouts"]
    assert 'data-status="held"' in sections["list-payouts"]
    assert "una@example.org" in sections["list-underway"]
    assert "&lt;no&gt; paper" in sections["list-messages"]
    assert [text.count("@example.org") for text in sections.values()] == [1, 1, 0, 1, 0]
    assert re.findall(r'class="badge"[^>]*>(\d+)<', page) == ["3"]


def test_an_operator_with_nothing_to_do_reads_so(app: Flask) -> None:
    operator = make_user("seller@example.org", make_account("operator", "Seller"))
    page = browser_of(app, operator).get("/billing").text

    sections = page.split("<section ")[1:]

    assert len(sections) == 5
    assert "<table" not in page
