"""Several invitations at once (rule I10): all in one transaction, each by the rules of one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from webapp.actions import invitations
from webapp.database import locked, transaction
from webapp.errors import NotAllowed, NotThere, Stale, TooMany
from webapp.models import Account, Invitation, Membership

MOST = 500


@dataclass(frozen=True, slots=True)
class Done:
    """How many were changed, and how many stayed as they were: answered or cancelled meanwhile,
    or mailed too often."""

    changed: int
    kept: int


def resend(by: Membership, ids: Iterable[int]) -> Done:
    """Mails a new link for each. NotAllowed when the person may not invite at all."""
    if why := invitations.why_not_inviting(by):
        raise NotAllowed(why)
    return _each(by, ids, invitations.resend)


def revoke(by: Membership, ids: Iterable[int]) -> Done:
    """Kills the link of each at once."""
    return _each(by, ids, invitations.revoke)


def _each(
    by: Membership, ids: Iterable[int], verb: Callable[[Membership, int], Invitation]
) -> Done:
    """An id that is not the account's is passed over, like one that is not there."""
    changed = kept = 0
    with transaction():
        locked(Account.select(Account.id).where(Account.id == by.account_id)).first()
        for id in sorted(set(ids))[:MOST]:
            try:
                verb(by, id)
            except NotThere:
                continue
            except (NotAllowed, Stale, TooMany):
                kept += 1
            else:
                changed += 1
    return Done(changed, kept)
