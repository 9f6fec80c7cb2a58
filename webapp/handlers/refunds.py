"""The mail to a person whose refund did not arrive (rule M7)."""

from webapp.actions import refunds
from webapp.handlers import Errand
from webapp.mailer import Letter, unlinked
from webapp.models import Acceptance, Refund, User


def failed(errand: Errand) -> bool:
    """Nobody is told of what has been mended meanwhile."""
    refund_id = errand.message.payload["refund_id"]
    refund: Refund | None = refunds.failed().where(Refund.id == refund_id).first()
    if refund is None:
        return False
    acceptance: Acceptance = refund.share.settlement.acceptance
    user: User = acceptance.user
    facts = {
        "name": unlinked(user.name),
        "organisation": unlinked(acceptance.organisation.name),
        "amount": refund.amount_minor,
        "currency": refund.currency,
        "method": unlinked(refund.payment.method),
        "is_credit_possible": acceptance.organisation.currency == refund.currency,
    }
    return errand.mail(Letter("refund_failed", user.email, user.locale, facts))
