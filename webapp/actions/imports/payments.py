"""The payments that a line names: written with their ledger transfers, or corrected."""

from typing import Any

from peewee import chunked

from invoices.ledger import LedgerAccountRef, Transfer, captured
from webapp.actions import ledger
from webapp.actions.imports import plans
from webapp.actions.imports.effects import Effects
from webapp.actions.imports.inserting import AT_ONCE
from webapp.imports.amounts import ImportedPayment
from webapp.imports.fields import RowRefused, shown
from webapp.imports.rows import Row
from webapp.models import Account, Payment, Subscription

# What a payment has where its line names nothing else; every row of an insert has every column.
NEW = {"method": "", "tax_minor": 0, "tax_rate": None, "invoice_number": "", "invoice_on": None}
MONEY = ("captured_minor", "tax_minor", "gateway")


def follow(
    row: Row,
    account: Account,
    plan: Subscription | None,
    known: dict[str, Payment],
    effects: Effects,
) -> bool:
    """Brings the payments to what the line names; False when they were so already."""
    is_changed = False
    for named in row.payments:
        payment = known.get(named.reference)
        if payment is None:
            _check(named)
            create([(row, account.id, plan.id if plan else None, named)], effects)
            is_changed = True
        elif _correct(row, plan, payment, _with_invoice_day(row, named.values), effects):
            is_changed = True
    return is_changed


def check_new(row: Row) -> None:
    """Raises RowRefused for a payment that lacks something, none being known yet."""
    for named in row.payments:
        _check(named)


def check_currency(row: Row, plan: Subscription | None, known: dict[str, Payment]) -> None:
    """Raises RowRefused when the plan would turn away from the currency it was paid in."""
    for payment in known.values():
        if plan is not None and payment.subscription == plan:
            _keep_currency(row, payment)


def create(wanted: list[tuple[Row, int, int | None, ImportedPayment]], effects: Effects) -> None:
    """New payments, each of an account (id) and the subscription (id) whose period it paid."""
    rows = [
        {
            **NEW,
            **named.new,
            **_with_invoice_day(row, named.values),
            "account": account_id,
            "subscription": plan_id,
            "reference": named.reference,
            "currency": row.currency,
        }
        for row, account_id, plan_id, named in wanted
    ]
    for each, at in zip(rows, _insert(rows), strict=True):
        amount = each["captured_minor"]
        effects.transfers.append(captured(at, each["account"], each["currency"], amount))
        _tell_gateway(each["gateway"], each["reference"], each["currency"], amount, effects)


def taken(row: Row, own: dict[str, Payment]) -> RowRefused | None:
    """The refusal of a line that names a gateway's payment which is another account's."""
    new = [one.reference for one in row.payments if one.reference not in own]
    found = Payment.get_or_none(Payment.reference.in_(new), Payment.gateway != "none")
    if found is None:
        return None
    return RowRefused(f"payments: {shown(found.reference)} is a payment of another account")


def _check(named: ImportedPayment) -> None:
    values = {**named.new, **named.values}
    for name in ("captured_minor", "captured_at"):
        if name not in values:
            raise RowRefused(f"payments: {shown(named.reference)} is new and has no {name}")


def _insert(rows: list[dict[str, Any]]) -> list[int]:
    found: dict[tuple[int, str], int] = {}
    for batch in chunked(rows, AT_ONCE):
        Payment.insert_many(batch).execute()
        accounts = {each["account"] for each in batch}
        for payment in Payment.select().where(Payment.account.in_(accounts)):
            found[payment.account_id, payment.reference] = payment.id
    return [found[each["account"], each["reference"]] for each in rows]


def _correct(
    row: Row,
    plan: Subscription | None,
    payment: Payment,
    values: dict[str, Any],
    effects: Effects,
) -> bool:
    changes = {name: value for name, value in values.items() if getattr(payment, name) != value}
    money = [name for name in MONEY if name in changes]
    after = {**{name: getattr(payment, name) for name in MONEY}, **changes}
    if not _belongs_to(row, payment) and payment.currency != row.currency:
        return False
    _keep_currency(row, payment)
    if money and payment.returned_minor:
        raise _refusal(payment, "was given back in part: its amounts stay as they are")
    if after["tax_minor"] > after["captured_minor"]:
        raise _refusal(payment, "has more tax than was paid")
    if _belongs_to(row, payment) and plan is not None and payment.subscription != plan:
        changes["subscription"] = plan
    if not changes:
        return False
    Payment.update(**changes).where(Payment.id == payment.id).execute()
    more = after["captured_minor"] - payment.captured_minor
    if more:
        effects.transfers.append(_correction(payment, more))
    if money:
        amount = after["captured_minor"]
        _tell_gateway(after["gateway"], payment.reference, payment.currency, amount, effects)
    return True


def _keep_currency(row: Row, payment: Payment) -> None:
    if payment.currency != row.currency:
        why = f"was paid in {payment.currency}, which can't become {row.currency}"
        raise _refusal(payment, why)


def _belongs_to(row: Row, payment: Payment) -> bool:
    """Is it a payment of the line's period? What paid for an earlier one goes on doing so."""
    if row.period is None:
        return False
    return payment.subscription is None or plans.overlaps(row, payment.subscription)


def _correction(payment: Payment, more: int) -> Transfer:
    """The ledger only grows: another amount captured is one more transfer."""
    number = 1
    while ledger.is_posted(f"capture:{payment.id}:corrected:{number}"):
        number += 1
    held = LedgerAccountRef(payment.account_id, "captured", payment.currency)
    prepaid = LedgerAccountRef(payment.account_id, "prepaid", payment.currency)
    debit, credit = (held, prepaid) if more > 0 else (prepaid, held)
    key = f"capture:{payment.id}:corrected:{number}"
    return Transfer(key, debit, credit, abs(more), "captured")


def _with_invoice_day(row: Row, values: dict[str, Any]) -> dict[str, Any]:
    """The day of the original invoice, where the line lists that invoice too (rule D1)."""
    number = values.get("invoice_number")
    for invoice in row.invoices:
        if number and invoice.number == number and invoice.values.get("issued_on"):
            return {"invoice_on": invoice.values["issued_on"], **values}
    return values


def _tell_gateway(
    gateway: str, reference: str, currency: str, captured_minor: int, effects: Effects
) -> None:
    if gateway == "simulated":
        effects.captured.append((reference, currency, captured_minor))


def _refusal(payment: Payment, why: str) -> RowRefused:
    return RowRefused(f"payments: {shown(payment.reference)} {why}")
