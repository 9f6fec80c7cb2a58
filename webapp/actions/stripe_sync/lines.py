"""A customer as the line that an import would read: the one way in which accounts come."""

from datetime import datetime
from typing import Any

from invoices.periods import local_day
from webapp.payments.source import SourceCustomer, SourceInvoice, SourcePayment, SourcePlan


def fields(customer: SourceCustomer, email: str, zone: str) -> dict[str, Any]:
    """What the customer's records say, in days of `zone`; what they leave open is not named."""
    named = {
        "name": customer.name,
        "locale": customer.locale,
        "currency": customer.currency,
        "address": customer.address,
        "country": customer.country,
        "tax_id": customer.tax_id,
    }
    return {
        "email": email,
        **{name: value for name, value in named.items() if value},
        **_plan(customer.plan, zone),
        "payments": [
            _payment(one, zone) for one in customer.payments if is_mappable(customer, one)
        ],
        "invoices": [
            _invoice(one, zone)
            for one in customer.invoices
            if is_mappable(customer, one) and not one.is_void and one.total_minor > 0
        ],
    }


def is_mappable(customer: SourceCustomer, one: SourcePayment | SourceInvoice) -> bool:
    """Nothing is ever converted: an account has one currency (rule M1)."""
    return not customer.currency or one.currency == customer.currency


def left_out(customer: SourceCustomer) -> list[str]:
    """The records in another currency that matter: paid for this period, or still owed."""
    payments = [one for one in customer.payments if not is_mappable(customer, one)]
    owed = [
        one
        for one in customer.invoices
        if not is_mappable(customer, one) and not one.is_void and one.paid_minor < one.total_minor
    ]
    why = f"the account is in {customer.currency}"
    return [
        *(f"payment {one.reference} is in {one.currency}, {why}" for one in payments),
        *(f"invoice {one.number} is in {one.currency}, {why}" for one in owed),
    ]


def _plan(plan: SourcePlan | None, zone: str) -> dict[str, Any]:
    if plan is None:
        return {"period_start": None, "period_end": None}
    return {
        **({"plan": plan.name} if plan.name else {}),
        "period_start": _day(plan.start, zone),
        "period_end": _day(plan.end, zone),
        **({"trial_end": _day(plan.trial_end, zone)} if plan.trial_end else {}),
    }


def _payment(payment: SourcePayment, zone: str) -> dict[str, Any]:
    return {
        "reference": payment.reference,
        "gateway": payment.gateway,
        "captured_minor": payment.captured_minor,
        "tax_minor": payment.tax_minor,
        **({"tax_rate": payment.tax_rate} if payment.tax_rate else {}),
        "captured_at": payment.captured_at.isoformat(),
        "method": payment.method,
        "invoice_number": payment.invoice_number,
        "invoice_on": _day(payment.invoice_at, zone),
    }


def _invoice(invoice: SourceInvoice, zone: str) -> dict[str, Any]:
    return {
        "number": invoice.number,
        "issued_on": _day(invoice.issued_at, zone),
        "due_on": _day(invoice.due_at, zone),
        "total_minor": invoice.total_minor,
        "tax_minor": invoice.tax_minor,
        "paid_minor": invoice.paid_minor,
        "pay_url": invoice.pay_url,
    }


def _day(instant: datetime | None, zone: str) -> str | None:
    return None if instant is None else local_day(instant, zone).isoformat()
