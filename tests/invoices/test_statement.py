import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from invoices.periods import BillingPeriod
from invoices.proration import quote
from invoices.settlement import settle
from invoices.statement import (
    Statement,
    account_credit_statement,
    cancelling_statement,
    credit_statement,
)

KINDS = ("refund", "credit", "account_credit")


def frozen(statement):
    return json.loads(json.dumps(statement.to_json()))


def test_a_refund_statement_shows_how_much_why_and_where_to(statement_of):
    statement = statement_of("refund")
    assert (statement.gross_minor, statement.tax_minor, statement.net_minor) == (4997, 833, 4164)
    assert statement.derivation.unused_days == 8
    assert statement.derivation.used_minor == 18739 - 4997
    assert [(one.method, one.gross_minor) for one in statement.destinations] == [
        ("Visa •••• 4242", 4997)
    ]
    assert statement.lines[0].invoice_number == "F-2026-0113"


def test_refunds_to_the_same_method_are_one_destination(statement_of, payment):
    payments = [
        replace(payment, captured_minor=1000, tax_minor=167),
        replace(payment, reference="b", captured_minor=500, tax_minor=83, returned_minor=400),
        replace(payment, reference="c", captured_minor=600, tax_minor=0, gateway="none", method=""),
    ]
    statement = statement_of("refund", payments)
    assert sum(one.gross_minor for one in statement.destinations) == statement.gross_minor
    assert len({(one.method, one.by_hand) for one in statement.destinations}) == len(
        statement.destinations
    )


def test_taxes_add_up_by_rate_however_the_rate_is_written(statement_of, payment):
    rates = ("5.5", "20", "20.0", None, "odd")
    payments = [
        replace(payment, reference=str(at), captured_minor=1000, tax_minor=50, tax_rate=rate)
        for at, rate in enumerate(rates)
    ]
    statement = statement_of("credit", payments)
    assert [total.tax_rate for total in statement.tax_totals] == ["20", "5.5", "odd", None]
    assert sum(total.gross_minor for total in statement.tax_totals) == statement.gross_minor
    assert sum(total.tax_minor for total in statement.tax_totals) == statement.tax_minor
    assert all(
        total.net_minor + total.tax_minor == total.gross_minor for total in statement.tax_totals
    )


def test_the_organisation_learns_the_amount_and_the_name_and_no_more(statement_of):
    statement = statement_of("account_credit")
    assert statement.customer.name == statement.organisation == "Atelier Dumas"
    assert (statement.gross_minor, statement.tax_minor) == (4997, 0)
    written = json.dumps(frozen(statement), ensure_ascii=False)
    for secret in ("Visa", "4242", "ch_3PqX", "F-2026", "18739", "4164", "quai Saint-Vincent"):
        assert secret not in written


@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_written_and_read_again_is_the_same(statement_of, kind):
    statement = statement_of(kind)
    cancelling = cancelling_statement(statement, "RR-2026-000018", date(2026, 11, 24))
    for one in (statement, replace(statement, held_until=None), cancelling):
        again = Statement.from_json(frozen(one))
        assert again == one
        assert frozen(again) == frozen(one)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancelling_statement_restates_everything_and_names_the_first(statement_of, kind):
    statement = statement_of(kind)
    cancelling = cancelling_statement(statement, "RR-2026-000018", date(2026, 11, 24))
    assert cancelling.kind == "cancellation"
    assert cancelling.subject == kind
    assert cancelling.cancels.number == statement.number
    assert (cancelling.gross_minor, cancelling.lines) == (statement.gross_minor, statement.lines)
    with pytest.raises(ValueError, match="can't be cancelled"):
        cancelling_statement(cancelling, "RR-2026-000019", date(2026, 11, 24))


@pytest.mark.parametrize("make", [credit_statement, account_credit_statement])
def test_a_refund_makes_no_statement_of_credit(payment, make):
    period = BillingPeriod(date(2026, 11, 1), date(2026, 12, 1))
    settlement = settle(quote("EUR", period, period.start, [payment]), "refund", [payment])
    arguments = [settlement] if make is account_credit_statement else [settlement, [payment]]
    with pytest.raises(ValueError, match="chose refund, not credit"):
        make(*arguments)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"gross_minor": 4998}, "add up"), ({"tax_minor": 832}, "add up"),
     ({"tax_minor": 5000}, "tax in a statement"), ({"zone": "Nowhere"}, "time zone"),
     ({"held_until": datetime(2026, 11, 24)}, "needs a time zone")],
)  # fmt: skip
def test_a_statement_that_contradicts_itself_is_refused(statement_of, change, reason):
    with pytest.raises(ValueError, match=reason):
        replace(statement_of("refund"), **change)
