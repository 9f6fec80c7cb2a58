"""What was given back at the gateway, and not by us: it is worth nothing when its owner joins."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from invoices import ledger as transfers
from invoices.money import divide_half_up
from webapp.actions import ledger
from webapp.database import locked
from webapp.models import Payment, Refund
from webapp.payments.source import Returned


class TooMuch(Exception):
    """More was given back there than we hold to be left; the message names the payment."""


def note(payment: Payment, returned: Iterable[Returned]) -> bool:
    """Notes what stands of `returned` besides our own refunds, and what of that is still under
    way; False when it was noted already. What failed at the bank after it was noted is taken
    back. Call inside a transaction."""
    fresh: Payment = locked(Payment.select().where(Payment.id == payment.id)).get()
    others = _of_others(returned)
    elsewhere = sum(one.amount_minor for one in others)
    more = elsewhere - fresh.returned_elsewhere_minor
    under_way = sum(one.amount_minor for one in others if one.is_under_way)
    if more == 0 and under_way == fresh.returning_minor:
        return False
    if fresh.returned_minor + more > fresh.captured_minor:
        raise TooMuch(
            f"payment {payment.reference}: {elsewhere} was given back at the gateway,"
            f" {fresh.captured_minor - fresh.returned_minor} minor units are left here"
        )
    Payment.update(
        returned_minor=Payment.returned_minor + more,
        returned_elsewhere_minor=elsewhere,
        returning_minor=under_way,
        returned_tax_minor=fresh.returned_tax_minor + _tax(fresh, more),
    ).where(Payment.id == payment.id).execute()
    if more:
        ledger.post([_transfer(fresh, more)])
    return True


def _of_others(returned: Iterable[Returned]) -> list[Returned]:
    found = list(returned)
    references = [one.reference for one in found]
    keys = [one.refund_key for one in found if one.refund_key]
    rows: Any = Refund.select(Refund.gateway_reference, Refund.idempotency_key).where(
        Refund.gateway_reference.in_(references) | Refund.idempotency_key.in_(keys)
    )
    ours = {name for row in rows.tuples() for name in row}
    return [one for one in found if one.reference not in ours and one.refund_key not in ours]


def _tax(payment: Payment, more: int) -> int:
    """The tax inside, by the payment's own proportion; all of it on the last return (rule M2)."""
    if payment.returned_minor + more == payment.captured_minor:
        return int(payment.tax_minor - payment.returned_tax_minor)
    share = divide_half_up(payment.tax_minor * abs(more), payment.captured_minor)
    if more < 0:
        return -min(share, payment.returned_tax_minor)
    return int(min(share, payment.tax_minor - payment.returned_tax_minor))


def _transfer(payment: Payment, more: int) -> transfers.Transfer:
    """The ledger only grows: each change is one more transfer."""
    number = 1
    while ledger.is_posted(f"capture:{payment.id}:returned:{number}"):
        number += 1
    key = f"capture:{payment.id}:returned:{number}"
    figures = (payment.id, payment.account_id, payment.currency, abs(more))
    given_back = replace(transfers.returned_before(*figures), key=key)
    return given_back if more > 0 else transfers.reversed_transfer(given_back, key)
