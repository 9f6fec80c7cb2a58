"""Stripe's records in our words. They come as plain mappings."""

from collections.abc import Container, Iterable
from datetime import UTC, datetime
from typing import Any

from invoices.money import divide_half_up
from webapp.payments.source import (
    Returned,
    SourceCustomer,
    SourceInvoice,
    SourcePayment,
    SourcePlan,
    Unmappable,
)
from webapp.payments.stripe.amounts import ours

Record = dict[str, Any]

IN_FORCE = ("active", "trialing", "past_due", "unpaid")
# What stands, or may yet: the same that Stripe's own ceiling counts.
UNDER_WAY = ("pending", "requires_action")
STANDING = (*UNDER_WAY, "succeeded")
# Of disputes: what is not decided yet, and what took the money back.
OPEN = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")
LOST = ("lost",)
# An operator names an organisation's account in the customer's metadata.
ACCOUNT = "affluent_account"
BRANDS = {"amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay"}
BANKS = {"sepa_debit": "SEPA", "bacs_debit": "Bacs", "us_bank_account": "ACH"}


def customer(
    record: Record,
    plan: SourcePlan | None,
    invoices: Iterable[Record],
    being_paid: Container[str] = (),
) -> SourceCustomer:
    """Without the payments; `being_paid` are the ids of the invoices of which one is under way."""
    found = tuple(
        invoice(one, one["id"] in being_paid)
        for one in invoices
        if one["status"] != "draft" and one["number"]
    )
    currencies = {one.currency for one in found}
    told = plan.currency if plan else (record.get("currency") or "").upper()
    address = record.get("address") or {}
    return SourceCustomer(
        reference=record["id"],
        email=(record.get("email") or "").strip(),
        name=record.get("name") or "",
        locale=_locale(record),
        currency=told or (currencies.pop() if len(currencies) == 1 else ""),
        address=_address(address),
        country=address.get("country") or "",
        tax_id=_tax_id(record),
        account=(record.get("metadata") or {}).get(ACCOUNT, ""),
        plan=plan,
        invoices=found,
    )


def plan(subscriptions: Iterable[Record]) -> SourcePlan | None:
    """The subscription in force. Raises Unmappable when there are several, or several periods."""
    found = [one for one in subscriptions if one["status"] in IN_FORCE]
    if not found:
        return None
    if len(found) > 1:
        named = ", ".join(one["id"] for one in found)
        raise Unmappable(f"has several subscriptions in force: {named}")
    (subscription,) = found
    items = subscription["items"]["data"]
    periods = {(one["current_period_start"], one["current_period_end"]) for one in items}
    if len(periods) != 1:
        raise Unmappable(f"the items of {subscription['id']} have different periods")
    ((start, end),) = periods
    price = items[0].get("price") or {}
    trial_end = subscription.get("trial_end")
    return SourcePlan(
        reference=subscription["id"],
        name=str(price.get("nickname") or price.get("lookup_key") or price.get("id") or "")[:64],
        currency=subscription["currency"].upper(),
        start=_instant(start),
        end=_instant(end),
        # A trial that lies behind has nothing to do with this period.
        trial_end=_instant(trial_end) if trial_end and trial_end > start else None,
    )


def invoice(record: Record, is_being_paid: bool = False) -> SourceInvoice:
    """One that was written off is owed no more, like one that was voided."""
    currency = record["currency"].upper()
    total, rest = record["total"], record["amount_remaining"]
    return SourceInvoice(
        number=record["number"],
        currency=currency,
        issued_at=issued_at(record),
        due_at=_maybe(record.get("due_date")),
        total_minor=ours(max(total, 0), currency),
        tax_minor=ours(tax(record), currency),
        paid_minor=ours(max(total - max(rest, 0), 0), currency),
        pay_url=record.get("hosted_invoice_url") or "",
        is_void=record["status"] in ("void", "uncollectible"),
        is_being_paid=is_being_paid,
    )


def payment(
    invoice: Record,
    paid: Record,
    charge: Record | None,
    rate: str,
    refunds: Iterable[Record] = (),
    disputes: Iterable[Record] = (),
) -> SourcePayment:
    """What `paid`, one of the invoice's payments, captured of it; `charge` is None for what was
    paid outside of Stripe."""
    disputes = list(disputes)
    currency = invoice["currency"].upper()
    amount, total = paid["amount_paid"], invoice["total"]
    inside = min(divide_half_up(tax(invoice) * amount, total), amount) if total > 0 else 0
    return SourcePayment(
        reference=reference(paid["payment"]) or invoice["id"],
        gateway="none" if charge is None else "stripe",
        currency=currency,
        captured_minor=ours(amount, currency),
        tax_minor=ours(inside, currency),
        tax_rate=rate,
        captured_at=_instant(charge["created"] if charge else _paid_at(invoice, paid)),
        method="" if charge is None else method(charge),
        invoice_number=invoice["number"] or "",
        invoice_at=issued_at(invoice),
        returned=(
            *(_returned(one, currency) for one in refunds if one["status"] in STANDING),
            *(_returned(one, currency) for one in disputes if one["status"] in LOST),
        ),
        is_disputed=any(one["status"] in OPEN for one in disputes),
    )


def _returned(record: Record, currency: str) -> Returned:
    """A refund, or a dispute that was lost."""
    if record["currency"].upper() != currency:
        raise ValueError(f"{record['id']} is in another currency than its payment")
    key = (record.get("metadata") or {}).get("refund_key", "")
    is_under_way = record["status"] in UNDER_WAY
    return Returned(record["id"], key, ours(record["amount"], currency), is_under_way)


def covers(invoice: Record, plan: SourcePlan) -> bool:
    """Was the invoice, at least in part, for the plan's present period?"""
    start, end = plan.start.timestamp(), plan.end.timestamp()
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    if _id(parent.get("subscription")) != plan.reference:
        return False
    periods = [line["period"] for line in invoice["lines"]["data"]]
    return any(period["start"] < end and start < period["end"] for period in periods)


def reference(payment: Record) -> str:
    """Of a payment intent, a charge or a payment record, whichever it is."""
    return _id(payment.get(payment.get("type") or ""))


def tax(invoice: Record) -> int:
    """As Stripe counts; never more than the total."""
    whole = sum(one["amount"] for one in invoice.get("total_taxes") or ())
    return int(min(max(whole, 0), max(invoice["total"], 0)))


def tax_rate_id(invoice: Record) -> str:
    """Of the one rate that was applied; "" where there were none or several."""
    taxes = invoice.get("total_taxes") or ()
    rates = {_id((one.get("tax_rate_details") or {}).get("tax_rate")) for one in taxes}
    return rates.pop() if len(rates) == 1 else ""


def issued_at(invoice: Record) -> datetime | None:
    moments = invoice.get("status_transitions") or {}
    return _maybe(moments.get("finalized_at") or invoice.get("created"))


def method(charge: Record) -> str:
    """`Visa •••• 4242`."""
    details = charge.get("payment_method_details") or {}
    kind = details.get("type") or ""
    about = details.get(kind) or {}
    brand = about.get("brand") or kind
    name = BRANDS.get(brand) or BANKS.get(brand) or brand.replace("_", " ").capitalize()
    last4 = about.get("last4")
    return f"{name} •••• {last4}" if last4 else str(name)


def _paid_at(invoice: Record, paid: Record) -> int:
    moments = paid.get("status_transitions") or {}
    told = (invoice.get("status_transitions") or {}).get("paid_at")
    return int(moments.get("paid_at") or told or invoice["created"])


def _locale(record: Record) -> str:
    """The first that we speak; "" where there is none."""
    preferred = (str(one)[:2].lower() for one in record.get("preferred_locales") or ())
    return next((one for one in preferred if one in ("fr", "en")), "")


def _address(address: Record) -> str:
    """The lines of it, the country apart."""
    place = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    lines = (address.get("line1"), address.get("line2"), place, address.get("state"))
    return "\n".join(line for line in lines if line)


def _tax_id(record: Record) -> str:
    listed = (record.get("tax_ids") or {}).get("data") or ()
    return str(listed[0]["value"]) if listed else ""


def _id(value: Any) -> str:
    """Of what may be given as an id or as a whole record."""
    return str(value["id"]) if isinstance(value, dict) else str(value or "")


def _maybe(moment: int | None) -> datetime | None:
    return None if moment is None else _instant(moment)


def _instant(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
