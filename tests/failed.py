"""Refunds that did not arrive, as the gateway and the worker leave them."""

from typing import Any

from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import make_account, make_user
from webapp.actions import refunds, undo
from webapp.models import Account, Membership, Refund, User
from webapp.payments.simulated import SimulatedGateway, faults


def failed_refund(
    email: str = "camille@example.org", organisation: Account | None = None, **plan: Any
) -> tuple[User, Refund]:
    """A person's refund of 49.97 EUR that the gateway refused just now; `plan` as for
    make_person."""
    user = make_person(email, **plan)
    acceptance = join(user, organisation or make_owned(), "refund")
    undo.send_now(user, acceptance.id)
    (share,) = settlement_of(acceptance).shares
    refund = Refund.get(Refund.share == share)
    faults.ask_for("create_refund", "refused")
    refunds.request(refund.id, SimulatedGateway())
    return user, tried(refund)


def payout(**plan: Any) -> Refund:
    """A refund of what no gateway took, waiting to be paid by hand."""
    user = make_person("paul@example.org", gateway="none", method="", **plan)
    acceptance = join(user, make_owned(), "refund")
    undo.send_now(user, acceptance.id)
    (share,) = settlement_of(acceptance).shares
    refund = Refund.get(Refund.share == share)
    refunds.request(refund.id, SimulatedGateway())
    return tried(refund)


def seller() -> Membership:
    """Somebody of the operator's finance."""
    account = Account.get_or_none(Account.kind == "operator") or make_account("operator", "Seller")
    user = make_user(f"finance{User.select().count()}@seller.example", account, is_finance=True)
    membership = user.membership()
    assert membership is not None
    return membership


def tried(refund: Refund) -> Refund:
    """As it stands by now."""
    found: Refund = Refund.get_by_id(refund.id)
    return found
