"""A CSV line's payment and invoice in the form of the JSON ones, under the columns' names."""

from typing import Any

from invoices.money import parse_minor
from webapp.imports.amounts import Money
from webapp.imports.fields import Fields

# What a payment's or an invoice's field is called in the heading row.
PAYMENT = {
    "reference": "payment_reference",
    "captured_minor": "paid",
    "tax_minor": "tax",
    "tax_rate": "tax_rate",
    "captured_at": "paid_at",
    "method": "method",
    "invoice_number": "invoice_number",
    "invoice_on": "invoice_date",
}
INVOICE = {"number": "owed_number", "owed_minor": "owed", "due_on": "owed_due"}

# Ways to pay that no gateway can send money back to.
BY_HAND = {
    *("bank transfer", "wire transfer", "transfer", "wire", "cash", "cheque", "check"),
    *("virement", "virement bancaire", "chèque", "espèces"),
}


def payments(fields: Fields, money: Money) -> list[Fields]:
    """The one payment of a line that names an amount paid."""
    found = _renamed(fields, PAYMENT, money.currency)
    if not found.get("captured_minor"):
        if found.get("tax_minor"):
            raise fields.refuse("tax", "there is no amount paid that it could be in")
        return []
    is_by_hand = fields.raw("method").casefold() in BY_HAND
    if not found.get("reference"):
        # Stable, so that the same line again names the same payment.
        found["reference"] = f"import:{money.period.start if money.period else 'free'}"
        is_by_hand = True
    if is_by_hand:
        found["gateway"] = "none"
    return [Fields(found, PAYMENT.__getitem__)]


def invoices(fields: Fields, money: Money) -> list[Fields]:
    """The one unpaid invoice; with a number and nothing owed, that nothing is owed any more."""
    found = _renamed(fields, INVOICE, money.currency)
    if not found.get("owed_minor"):
        if not found.get("number"):
            return []
        found["owed_minor"] = 0
    return [Fields(found, INVOICE.__getitem__)]


def _renamed(fields: Fields, columns: dict[str, str], currency: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, column in columns.items():
        if fields.names(column):
            text = fields.raw(column)
            is_amount = name.endswith("_minor")
            found[name] = _minor(fields, column, currency) if is_amount else text
    return found


def _minor(fields: Fields, column: str, currency: str) -> int | None:
    text = fields.raw(column)
    if not text:
        return None
    try:
        return parse_minor(text, currency)
    except ValueError as error:
        raise fields.refuse(column, str(error)) from None
