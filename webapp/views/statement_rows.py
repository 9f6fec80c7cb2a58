"""A statement as one row of a file: headings, widths and cells, in the reader's language. What
needs the request is asked before the file begins to leave."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from flask_babel import gettext as _

from invoices.money import exponent
from webapp.actions.statement_list import Listed
from webapp.i18n import naming
from webapp.models.statement import KINDS
from webapp.permissions import OPERATE, Viewer
from webapp.views import statement_words

Cells = list[str | date | Decimal]


def columns() -> list[tuple[str, int]]:
    """Headings, with the width that a spreadsheet gives them, in characters."""
    return [
        (_("Number"), 16),
        (_("Kind"), 28),
        (_("Issued"), 12),
        (_("Cancels"), 16),
        (_("Customer"), 32),
        (_("Person"), 28),
        (_("Email"), 32),
        (_("Net"), 14),
        (_("Tax"), 14),
        (_("Total"), 14),
        (_("Currency"), 10),
        (_("State"), 20),
        (_("Bank reference"), 24),
        (_("Credit left"), 14),
    ]


def cells_for(viewer: Viewer) -> Callable[[Listed], Cells]:
    """Cancelling statements have amounts below zero, so that a column adds up."""
    kinds = statement_words.documents()
    states = {kind: statement_words.states_of(kind) for kind in KINDS}
    named, sees_addresses = naming(), viewer.may(OPERATE)

    def cells(one: Listed) -> Cells:
        row = one.statement
        # Of whoever brought the credit an organisation reads the name alone, as on the page.
        is_told = sees_addresses or row.kind != "account_credit"
        return [
            row.number,
            kinds[row.kind],
            row.issued_on,
            one.cancels,
            row.customer_name,
            named(one.person.shown_name) if one.person else "",
            one.person.known_email if one.person and is_told else "",
            amount(one.net_minor, row.currency),
            amount(one.tax_minor, row.currency),
            amount(one.gross_minor, row.currency),
            row.currency,
            states[row.kind][one.state],
            ", ".join(one.bank_references),
            "" if one.left_minor is None else amount(one.left_minor, row.currency),
        ]

    return cells


def amount(minor: int, currency: str) -> Decimal:
    """In currency units, with as many decimals as the currency has."""
    return Decimal(minor).scaleb(-exponent(currency))
