"""The mails to those who look after an account's money: new credit, failed refunds, the month that
is over. Who has left, or holds the role no more, learns nothing."""

from typing import Any

from webapp.actions import ledger, month_sums, refunds
from webapp.handlers import Errand
from webapp.mailer import Letter, unlinked
from webapp.models import Account, Membership, Refund, User
from webapp.permissions import SEE_BILLING, may


def credit_available(errand: Errand) -> bool:
    """To an organisation's: what came, and what is there by now."""
    membership = _still_concerned(errand)
    if membership is None:
        return False
    credits = [
        {
            "currency": currency,
            "count": count,
            "minor": minor,
            "available": ledger.balance(membership.account_id, "credit_available", currency),
        }
        for currency, count, minor in errand.message.payload["credits"]
    ]
    return _tell(errand, membership, "credit_available", {"credits": credits})


def refunds_failed(errand: Errand) -> bool:
    """To the seller's; of what has been mended meanwhile nobody is told."""
    payload = errand.message.payload
    membership = _still_concerned(errand)
    failed = list(refunds.failed().where(Refund.id.in_(payload["refund_ids"])))
    if membership is None or not failed:
        return False
    more = payload["count"] - len(payload["refund_ids"])
    facts = {
        "refunds": [_named(one) for one in failed],
        "more": more,
        "count": len(failed) + more,
    }
    return _tell(errand, membership, "refunds_failed", facts)


def month(errand: Errand) -> bool:
    """To either's: what happened, by currency. Whoever has turned it off meanwhile gets none."""
    membership = _still_concerned(errand)
    if membership is None or not membership.user.wants_digest:
        return False
    account: Account = membership.account
    is_seller = account.kind == "operator"
    name = errand.message.payload["month"]
    facts = {
        "first": month_sums.span(name)[0],
        "happened": month_sums.of(account, name),
        "is_seller": is_seller,
        "to_see_to": month_sums.to_see_to() if is_seller else 0,
    }
    return _tell(errand, membership, "month", facts)


def _named(refund: Refund) -> dict[str, Any]:
    person: User = refund.share.settlement.acceptance.user
    return {
        "amount": refund.amount_minor,
        "currency": refund.currency,
        "who": unlinked(person.name) or person.email,
        "reason": unlinked(refund.reason),
    }


def _still_concerned(errand: Errand) -> Membership | None:
    user: User | None = User.get_or_none(User.id == errand.message.payload["user_id"])
    membership = None if user is None else user.membership()
    if membership is None or membership.account_id != errand.message.payload["account_id"]:
        return None
    return membership if may(membership, SEE_BILLING) else None


def _tell(errand: Errand, membership: Membership, name: str, more: dict[str, Any]) -> bool:
    user: User = membership.user
    facts = {
        "name": unlinked(user.name),
        "organisation": unlinked(membership.account.name),
        **more,
    }
    return errand.mail(Letter(name, user.email, user.locale, facts))
