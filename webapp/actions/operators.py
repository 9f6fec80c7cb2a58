"""The seller's people: whoever follows money and reports here."""

from typing import Any

from webapp import outbox
from webapp.models import Account, Membership


def tell(kind: str, **payload: Any) -> None:
    """A mail of this kind to each of them, with `user_id` beside the payload. Call inside the
    transaction of what it tells."""
    is_one = (Account.kind == "operator") & Membership.ended_at.is_null()
    for member in Membership.select().join(Account).where(is_one).order_by(Membership.id):
        outbox.write(kind, {**payload, "user_id": member.user_id})
