"""The payments and invoices that a line names, checked against themselves."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from invoices.money import divide_half_up
from invoices.periods import BillingPeriod
from webapp.imports.fields import Fields, first_moment, shown

MOST_REFERENCE = 200
GATEWAYS = ("simulated", "stripe", "none")


@dataclass(frozen=True, slots=True)
class Money:
    """What a line's amounts and instants are read in; `gateway` is that of payments with a
    reference."""

    currency: str
    zone: str
    gateway: str
    period: BillingPeriod | None


@dataclass(frozen=True, slots=True)
class ImportedPayment:
    """`values` are columns of Payment that the line names: a known payment keeps the others.
    `new` are those that a payment not known yet gets besides."""

    reference: str
    values: dict[str, Any]
    new: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImportedInvoice:
    """`values` are columns of Invoice that the line names. `owed_minor`, where the line has it,
    is what is still owed, whatever was paid before."""

    number: str
    values: dict[str, Any]
    owed_minor: int | None


def payment(fields: Fields, money: Money) -> ImportedPayment | None:
    """None for a payment of nothing, such as a trial's."""
    reference = fields.required("reference", MOST_REFERENCE)
    captured, tax = fields.minor("captured_minor"), fields.minor("tax_minor")
    if captured == 0:
        return None
    found: dict[str, Any] = {
        "captured_minor": captured,
        "captured_at": fields.instant("captured_at", money.zone),
        "gateway": _gateway(fields, money),
    }
    values = {name: value for name, value in found.items() if value is not None}
    values |= _tax(fields, captured, tax)
    for name, most in (("method", 64), ("invoice_number", 64)):
        if fields.names(name):
            values[name] = fields.text(name, most)
    if fields.names("invoice_on"):
        values["invoice_on"] = fields.day("invoice_on")
    new: dict[str, Any] = {"gateway": money.gateway}
    if money.period is not None:
        new["captured_at"] = first_moment(money.period.start, money.zone)
    return ImportedPayment(reference, values, new)


def invoice(fields: Fields) -> ImportedInvoice | None:
    """None for an invoice of nothing."""
    number = fields.required("number", 64)
    total, tax, paid = (fields.minor(name) for name in ("total_minor", "tax_minor", "paid_minor"))
    if total == 0:
        return None
    if total is not None and tax is not None and tax > total:
        raise fields.refuse("tax_minor", "is more than the total")
    if total is not None and paid is not None and paid > total:
        raise fields.refuse("paid_minor", "is more than the total")
    found = {"total_minor": total, "tax_minor": tax, "paid_minor": paid}
    values: dict[str, Any] = {name: value for name, value in found.items() if value is not None}
    for name in ("issued_on", "due_on"):
        if fields.names(name):
            values[name] = fields.day(name)
    if fields.names("pay_url"):
        values["pay_url"] = fields.link("pay_url")
    return ImportedInvoice(number, values, fields.minor("owed_minor"))


def _tax(fields: Fields, captured: int | None, tax: int | None) -> dict[str, Any]:
    """The tax inside a payment: as named, or worked out from its rate."""
    found: dict[str, Any] = {}
    if captured is not None and tax is not None and tax > captured:
        raise fields.refuse("tax_minor", "is more than was paid")
    if fields.names("tax_rate"):
        found["tax_rate"] = fields.tax_rate("tax_rate", captured or 0, tax)
    if tax is None and captured is not None and found.get("tax_rate"):
        rate = Fraction(found["tax_rate"])
        tax = divide_half_up(captured * rate.numerator, 100 * rate.denominator + rate.numerator)
    if tax is not None:
        found["tax_minor"] = tax
    return found


def _gateway(fields: Fields, money: Money) -> str | None:
    gateway = fields.raw("gateway")
    if not gateway:
        return None
    if gateway not in GATEWAYS:
        raise fields.refuse("gateway", f"{shown(gateway)} is none of {', '.join(GATEWAYS)}")
    if gateway == "simulated" and money.gateway != "simulated":
        raise fields.refuse("gateway", "'simulated' is for development and tests only")
    return gateway
