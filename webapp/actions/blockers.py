"""What a person must settle before joining (rule J6)."""

from dataclasses import dataclass, field
from typing import Any

from webapp.actions import members
from webapp.actions.standings import Standing
from webapp.models import Account, Invoice, Membership, Payment, Refund, User
from webapp.models.people import has_seat


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing to settle first; `facts` are what its card shows."""

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)


def of(standing: Standing) -> list[Blocker]:
    """Each with what to do. Nothing more is asked of the database where nothing was found."""
    invitation, present = standing.invitation, standing.present
    account: Account = present.account
    found: list[Blocker] = []
    if account.kind == "operator":
        found.append(Blocker("operator"))
    if account.kind == "organisation" and members.is_last_owner(present):
        found.append(Blocker("last_owner", {"organisation": account.name}))
    if standing.is_own:
        found += _of_account(standing)
    if invitation.licence == "licensed" and not has_seat(invitation.account):
        found.append(Blocker("no_seat", {"organisation": invitation.account}))
    return found


def _of_account(standing: Standing) -> list[Blocker]:
    found = [_of_invoice(one) for one in _invoices(standing.owed)]
    found += [Blocker("dispute", {"payment": one}) for one in standing.payments if one.is_disputed]
    found += [_of_refund(one.payment, one.amount_minor) for one in _refunds(standing.underway)]
    found += [
        _of_refund(one, one.returning_minor) for one in standing.payments if one.returning_minor
    ]
    found += [Blocker("other_user", {"member": one}) for one in _members(standing.others)]
    return found


def _of_invoice(invoice: Invoice) -> Blocker:
    """Whoever has paid already is not asked to pay again."""
    return Blocker("being_paid" if invoice.is_being_paid else "invoice", {"invoice": invoice})


def _of_refund(payment: Payment, amount_minor: int) -> Blocker:
    return Blocker("refund", {"payment": payment, "amount_minor": amount_minor})


def _invoices(ids: list[int]) -> Any:
    """The earliest due first."""
    if not ids:
        return []
    found = Invoice.select().where(Invoice.id.in_(ids))
    return found.order_by(Invoice.due_on.asc(nulls="last"), Invoice.id)


def _refunds(ids: list[int]) -> Any:
    if not ids:
        return []
    found = Refund.select(Refund, Payment).join(Payment).where(Refund.id.in_(ids))
    return found.order_by(Refund.changed_at, Refund.id)


def _members(ids: list[int]) -> Any:
    if not ids:
        return []
    found = Membership.select(Membership, User).join(User).where(Membership.id.in_(ids))
    return found.order_by(Membership.id)
