"""One seller, one person, one organisation, and the statements between them."""

from datetime import UTC, date, datetime

import pytest

from invoices.parts import Party
from invoices.periods import BillingPeriod
from invoices.proration import Captured, quote
from invoices.settlement import settle
from invoices.statement import account_credit_statement, credit_statement, refund_statement

SELLER = Party(
    "Nuage Réunions SAS",
    "12 rue de la Confluence\n69002 Lyon",
    "FR",
    "FR40303265045",
    "RCS Lyon 303 265 045",
)
CAMILLE = Party("Camille Roux", "4 quai Saint-Vincent\n69001 Lyon", "FR")
DUMAS = Party("Atelier Dumas", "8 rue des Tanneurs\n44000 Nantes", "FR", "FR83404833048")
PAYMENT = Captured(
    reference="ch_3PqX",
    captured_minor=18739,
    tax_minor=3123,
    tax_rate="20",
    method="Visa •••• 4242",
    gateway="stripe",
    captured_on=date(2026, 11, 1),
    invoice_number="F-2026-0113",
    invoice_on=date(2026, 11, 1),
)


@pytest.fixture
def payment():
    return PAYMENT


@pytest.fixture
def seller():
    return SELLER


@pytest.fixture
def statement_of():
    """Make a statement of a kind on 23 November: 8 unused days of 30, 49.97 of 187.39."""

    def build(kind, payments=(PAYMENT,), currency="EUR", trial_end=None, **heading):
        period = BillingPeriod(date(2026, 11, 1), date(2026, 12, 1), trial_end)
        offered = quote(currency, period, date(2026, 11, 23), payments)
        settlement = settle(offered, "refund" if kind == "refund" else "credit", payments)
        heading = {
            "number": "RR-2026-000017",
            "issued_on": date(2026, 11, 23),
            "locale": "fr",
            "seller": SELLER,
            "customer": DUMAS if kind == "account_credit" else CAMILLE,
            "organisation": DUMAS.name,
            "individual": CAMILLE.name,
            "zone": "Europe/Paris",
            "held_until": datetime(2026, 11, 24, 9, 15, tzinfo=UTC),
            **heading,
        }
        if kind == "account_credit":
            return account_credit_statement(settlement, **heading)
        make = {"refund": refund_statement, "credit": credit_statement}[kind]
        return make(settlement, payments, **heading)

    return build
