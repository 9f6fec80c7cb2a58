"""A line's values, checked: what it says about an account, its period, payments and invoices."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from invoices.periods import BillingPeriod
from webapp import texts
from webapp.imports import columns, from_csv
from webapp.imports.amounts import ImportedInvoice, ImportedPayment, Money, invoice, payment
from webapp.imports.fields import Fields, shown

MOST_NAME = 120
MOST_ADDRESS = 500
KEYS = {
    *("email", "name", "password_hash", "locale", "plan", "currency", "billing_zone"),
    *("address", "country", "tax_id", "period_start", "period_end", "trial_end"),
    *("payments", "invoices", "other_users"),
}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a line names nothing: the account's own, else the operator's settings.
    `gateway` is that of payments that have a reference."""

    locale: str
    currency: str
    billing_zone: str
    gateway: str


@dataclass(frozen=True, slots=True)
class OtherUser:
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """`account` are columns of Account that the line names. `period` is None when the line names
    none, or names (`is_free`) that there is none."""

    email: str
    currency: str
    account: dict[str, str]
    password_hash: str | None
    plan: str | None
    billing_zone: str | None
    period: BillingPeriod | None
    is_free: bool
    payments: tuple[ImportedPayment, ...]
    invoices: tuple[ImportedInvoice, ...]
    other_users: tuple[OtherUser, ...]


def row(values: dict[str, Any], is_json: bool, defaults: Defaults) -> Row:
    """Raises RowRefused with the first reason found."""
    fields = Fields(values)
    email = fields.address()
    currency = columns.currency(fields)
    period = _period(fields)
    zone = columns.zone(fields)
    money = Money(
        currency or defaults.currency, zone or defaults.billing_zone, defaults.gateway, period
    )
    return Row(
        email=email,
        currency=money.currency,
        account=_account(fields, currency),
        password_hash=columns.password_hash(fields),
        plan=fields.text("plan", 64) or None,
        billing_zone=zone,
        period=period,
        is_free=fields.names("period_start") and period is None,
        payments=_payments(fields, is_json, money),
        invoices=_invoices(fields, is_json, money),
        other_users=_other_users(fields, email) if is_json else (),
    )


def fingerprint(values: dict[str, Any]) -> str:
    """Of everything that a line says; the part after the point is of its password hash alone."""
    whole = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return f"{_sha256(whole)}.{password_fingerprint(values.get('password_hash'))}"


def password_fingerprint(password_hash: Any) -> str:
    is_given = isinstance(password_hash, str) and password_hash.strip()
    return _sha256(password_hash.strip())[:16] if is_given else ""


def owner(values: dict[str, Any]) -> str:
    """The address of the line's own person. Raises RowRefused."""
    return Fields(values).address()


def other_addresses(values: dict[str, Any]) -> list[str]:
    """The addresses of other users as they are written, good and bad."""
    listed = values.get("other_users")
    if not isinstance(listed, list):
        return []
    found = (one.get("email") for one in listed if isinstance(one, dict))
    return [one for one in found if isinstance(one, str)]


def _account(fields: Fields, currency: str | None) -> dict[str, str]:
    found = {
        "name": fields.text("name", MOST_NAME),
        "address": texts.cleaned_note(fields.raw("address"), MOST_ADDRESS),
        "country": columns.country(fields),
        "tax_id": fields.text("tax_id", 40),
    }
    named = {name: value for name, value in found.items() if fields.names(name)}
    locale = columns.locale(fields)
    if locale:
        named["locale"] = locale
    if currency:
        named["currency"] = currency
    return named


def _period(fields: Fields) -> BillingPeriod | None:
    start, end = fields.day("period_start"), fields.day("period_end")
    if start is None and end is None:
        return None
    if start is None or end is None:
        missing = "period_start" if start is None else "period_end"
        raise fields.refuse(missing, "is missing: a billing period has a start and an end")
    trial_end = fields.day("trial_end")
    try:
        return BillingPeriod(start, end, trial_end)
    except ValueError:
        why = f"{end} is not after period_start: the end is the first day of the next period"
        raise fields.refuse("period_end", why) from None


def _payments(fields: Fields, is_json: bool, money: Money) -> tuple[ImportedPayment, ...]:
    given = fields.objects("payments") if is_json else from_csv.payments(fields, money)
    found = tuple(one for one in (payment(each, money) for each in given) if one)
    _once(fields, "payments", "reference", [one.reference for one in found])
    return found


def _invoices(fields: Fields, is_json: bool, money: Money) -> tuple[ImportedInvoice, ...]:
    given = fields.objects("invoices") if is_json else from_csv.invoices(fields, money)
    found = tuple(one for one in (invoice(each) for each in given) if one)
    _once(fields, "invoices", "number", [one.number for one in found])
    return found


def _other_users(fields: Fields, owner: str) -> tuple[OtherUser, ...]:
    found = tuple(
        OtherUser(one.address(), one.text("name", MOST_NAME))
        for one in fields.objects("other_users")
    )
    _once(fields, "other_users", "address", [owner, *(one.email for one in found)])
    return found


def _once(fields: Fields, name: str, what: str, found: list[str]) -> None:
    repeated = next((one for at, one in enumerate(found) if one in found[:at]), None)
    if repeated is not None:
        raise fields.refuse(name, f"the {what} {shown(repeated)} is there twice")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
