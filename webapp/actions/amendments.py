"""Changing what a pending invitation offers (rule I10); its address is mended elsewhere."""

from webapp.actions import invitations
from webapp.actions.audit import record
from webapp.database import locked, transaction
from webapp.errors import Invalid, NotAllowed, Stale
from webapp.models import Account, Invitation, Membership
from webapp.permissions import GRANT_ADMIN, INVITE, may


def standing(invitation: Invitation) -> str:
    """What a form says that its reader saw: who changes what is no longer so, changes nothing."""
    return "+".join((*invitation.roles, invitation.licence))


def amend(by: Membership, invitation_id: int, role: str, licence: str, seen: str) -> Invitation:
    """Offers this role and licence from now on; no mail is sent, and the link stays. The same
    again changes nothing. Invalid for a choice that there is not, NotAllowed when only an owner
    may give or take the role, Stale when the invitation is no longer what was seen."""
    for name, value, known in (
        ("role", role, invitations.ROLES),
        ("licence", licence, invitations.LICENCES),
    ):
        if value not in known:
            raise Invalid("choice", field=name)
    with transaction():
        account: Account = locked(Account.select().where(Account.id == by.account_id)).get()
        fresh = Membership.get_by_id(by.id)
        if not may(fresh, INVITE):
            raise NotAllowed("role")
        invitation = invitations.find(account, invitation_id)
        if (invitation.is_admin or role == "admin") and not may(fresh, GRANT_ADMIN):
            raise NotAllowed("grant_admin")
        if invitation.status == "pending" and standing(invitation) == f"{role}+{licence}":
            return invitation
        _claim(invitation, role, licence, seen)
        record(by, "invitation:amended", f"invitation:{invitation.id}", role=role, licence=licence)
    return invitations.find(account, invitation_id)


def _claim(invitation: Invitation, role: str, licence: str, seen: str) -> None:
    changed = (
        Invitation.update(is_admin=role == "admin", is_finance=role == "finance", licence=licence)
        .where(
            Invitation.id == invitation.id,
            Invitation.status == "pending",
            Invitation.is_admin == invitation.is_admin,
            Invitation.is_finance == invitation.is_finance,
            Invitation.licence == invitation.licence,
        )
        .execute()
        if seen == standing(invitation)
        else 0
    )
    if changed != 1:
        raise Stale("invitation", invitation_id=invitation.id)
