"""What the users list can be narrowed to: only what would find somebody."""

from typing import Any

from webapp.models.account import Account
from webapp.models.invitation import Invitation
from webapp.models.user import Membership, User

MOST = 200


def departments(account: Account) -> list[str]:
    """Those of members and invitations, as written, at most MOST."""
    of_members: Any = Membership.select(Membership.department).where(
        Membership.account == account, Membership.ended_at.is_null(), Membership.department > ""
    )
    of_invited: Any = Invitation.select(Invitation.department).where(
        Invitation.account == account, Invitation.department > ""
    )
    found = {
        row[0]
        for query in (of_members, of_invited)
        for row in query.distinct().limit(MOST).tuples()
    }
    return sorted(found, key=str.casefold)[:MOST]


def inviters(account: Account) -> list[User]:
    """Those who have invited somebody, by name."""
    ids = Invitation.select(Invitation.inviter).where(Invitation.account == account).distinct()
    return list(User.select().where(User.id.in_(ids)).order_by(User.folded, User.id).limit(MOST))
