"""The mails to a person whose refund did not arrive, and when it did after all (rule M7); and to
the operator, of a payment that is disputed after it was settled."""

from typing import Any

from webapp.actions import disputes, refunds
from webapp.handlers import Errand
from webapp.mailer import Letter, unlinked
from webapp.models import Refund, User
from webapp.policy import policy


def failed(errand: Errand) -> bool:
    """Nobody is told of what has been mended meanwhile."""
    refund_id = errand.message.payload["refund_id"]
    refund: Refund | None = refunds.failed().where(Refund.id == refund_id).first()
    if refund is None:
        return False
    organisation = refund.share.settlement.organisation
    more = {
        "organisation": unlinked(organisation.name),
        "is_credit_possible": organisation.currency == refund.currency,
    }
    return _tell(errand, "refund_failed", refund, more)


def paid(errand: Errand) -> bool:
    """Nobody is told of money that the bank has sent back meanwhile."""
    refund: Refund = Refund.get_by_id(errand.message.payload["refund_id"])
    if refund.state != "succeeded":
        return False
    more = {
        "is_by_hand": refund.is_by_hand,
        "paid_on": refund.paid_on,
        "bank_reference": unlinked(refund.bank_reference),
    }
    return _tell(errand, "refund_paid", refund, more)


def disputed(errand: Errand) -> bool:
    """To the operator's people: a payment that a settlement was made from."""
    payload = errand.message.payload
    shares = [one for one in disputes.of_settled() if one.payment_id == payload["payment_id"]]
    user = User.get_by_id(payload["user_id"])
    membership = user.membership()
    if not shares or membership is None or membership.account.kind != "operator":
        return False
    facts = {
        "name": unlinked(user.name),
        "reference": unlinked(shares[0].payment.reference),
        "organisation": unlinked(shares[0].settlement.organisation.name),
        "amount": sum(one.gross_minor for one in shares),
        "currency": shares[0].settlement.currency,
        "url": f"{policy().base_url}/billing#disputes",
    }
    return errand.mail(Letter("disputed", user.email, user.locale, facts))


def _tell(errand: Errand, name: str, refund: Refund, more: dict[str, Any]) -> bool:
    user: User = refund.share.settlement.acceptance.user
    facts = {
        "name": unlinked(user.name),
        "amount": refund.amount_minor,
        "currency": refund.currency,
        "method": unlinked(refund.payment.method),
        **more,
    }
    return errand.mail(Letter(name, user.email, user.locale, facts))
