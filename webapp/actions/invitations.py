"""Inviting, resending, revoking, taking over and declining: one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp import clock, outbox
from webapp.actions import limits, throttle
from webapp.actions.audit import record
from webapp.actions.inviting import Asked, write_all
from webapp.actions.inviting import Offer as Offer
from webapp.actions.previews import Row, preview
from webapp.addresses import normalised
from webapp.database import locked, transaction
from webapp.errors import Invalid, NotAllowed, NotThere, Stale, TooMany
from webapp.models import (
    Account,
    Invitation,
    InvitationLink,
    Membership,
    OutboxMessage,
    User,
    facets,
)
from webapp.models.invitation import pending_among, pending_of_admins
from webapp.permissions import GRANT_ADMIN, INVITE, may
from webapp.texts import cleaned, folded

ROLES = ("member", "finance", "admin")
LICENCES = ("basic", "licensed")


@dataclass(frozen=True, slots=True)
class Invited:
    """The invitations that were written, and the rows that somebody else was faster with."""

    invitations: list[Invitation]
    kept: list[Row]


def invite(by: Membership, rows: Sequence[Row], offer: Offer) -> Invited:
    """Invites the ready rows, all in one transaction (rules I1, I2, I5). NotAllowed when the
    person may not, or the plan is not active."""
    with transaction():
        account = ask_to_invite(by, offer.role)
        now = clock.now()
        taken = pending_among(account, [row.email for row in rows])
        free = [row for row in rows if row.email not in taken]
        going = free[: limits.left_today(account, now)]
        written = write_all(by, [Asked(row.email, row.name, offer) for row in going], now)
        gone = {row.email for row in going}
    return Invited(written, [row for row in rows if row.email not in gone])


def why_not_inviting(by: Membership) -> str:
    """Why this person cannot invite just now ("role", "plan"), or "" (rule I1)."""
    if not may(by, INVITE):
        return "role"
    subscription = by.account.subscription()
    return "" if subscription is not None and subscription.status == "active" else "plan"


def ask_to_invite(by: Membership, role: str = "member") -> Account:
    """The account that `by` may invite into, locked; asked again inside the transaction."""
    account = locked_account(by)
    fresh = Membership.get_by_id(by.id)
    reason = why_not_inviting(fresh)
    if reason:
        raise NotAllowed(reason)
    if role == "admin" and not may(fresh, GRANT_ADMIN):
        raise NotAllowed("grant_admin")
    return account


def _mail(invitation: Invitation) -> None:
    outbox.write("mail:invitation", {"invitation_id": invitation.id}, invitation=invitation)


def locked_account(by: Membership) -> Account:
    account: Account = locked(Account.select().where(Account.id == by.account_id)).get()
    return account


def inviting(user: User) -> list[int]:
    """The accounts with an invitation of this person, whatever became of it. Each counts its
    invitations: whoever closes several of them locks those accounts first, as all do who change
    one, so that nobody holds a count that the other waits for."""
    rows: Any = Invitation.select(Invitation.account).where(Invitation.email == user.email)
    return [row[0] for row in rows.distinct().tuples()]


def find(account: Account, invitation_id: int) -> Invitation:
    """The account's invitation of that id, or NotThere."""
    invitation: Invitation | None = Invitation.get_or_none(
        (Invitation.id == invitation_id) & (Invitation.account == account)
    )
    if invitation is None:
        raise NotThere("invitation")
    return invitation


def resend(by: Membership, invitation_id: int) -> Invitation:
    """Starts the days anew and mails a new link; the old one says that a newer one was mailed
    (rule I6). Stale when it was answered or revoked meanwhile."""
    with transaction():
        invitation = _sendable(by, invitation_id)
        if limits.wants_rest(invitation.email, invitation.account, clock.now()):
            raise TooMany("later", retry_after=3600)
        _send_anew(by, invitation, "invitation:resent")
    return find(by.account, invitation.id)


def mend(by: Membership, invitation_id: int, written: str) -> Invitation:
    """Sends the invitation to another address, with a new link; the old one is dead (rule I10).

    Raises Invalid when that is no address ("address"), or one of a member ("member") or of another
    pending invitation ("invited"); TooMany when it was mended or mailed often; Stale when it was
    answered or revoked meanwhile."""
    try:
        email = normalised(written)
    except ValueError as error:
        raise Invalid("address", field="email") from error
    with transaction():
        invitation = _sendable(by, invitation_id)
        if email == invitation.email:
            return resend(by, invitation_id)
        [row] = preview(invitation.account, email).rows
        if row.verdict in ("member", "invited"):
            raise Invalid(row.verdict, field="email")
        throttle.count(f"mend:{invitation.id}", limits.MENDED_A_DAY, limits.DAY)
        if limits.wants_rest(email, invitation.account, clock.now()):
            raise TooMany("later", retry_after=3600)
        _send_anew(
            by,
            invitation,
            "invitation:mended",
            email=email,
            folded=folded(invitation.name, email, invitation.department),
            mended_at=clock.now(),
            muted_at=None,
        )
    return find(by.account, invitation.id)


def _sendable(by: Membership, invitation_id: int) -> Invitation:
    account = ask_to_invite(by)
    invitation = find(account, invitation_id)
    if invitation.is_admin:
        ask_to_invite(by, "admin")
    if invitation.status != "pending":
        raise Stale("invitation", invitation_id=invitation.id)
    return invitation


def _send_anew(by: Membership, invitation: Invitation, kind: str, **changes: Any) -> None:
    now, account = clock.now(), invitation.account
    expires_at = now + account.invitations_live
    changed = (
        Invitation.update(
            expires_at=expires_at,
            remind_at=next(iter(account.reminders(now, expires_at)), None),
            inviter=by.user_id,
            delivery="queued",
            delivery_note="",
            delivery_at=now,
            next_try_at=None,
            **changes,
        )
        .where(Invitation.id == invitation.id, Invitation.status == "pending")
        .execute()
    )
    if changed != 1:
        raise Stale("invitation", invitation_id=invitation.id)
    _end_links(invitation, now)
    outbox.cancel(OutboxMessage.invitation == invitation)
    _mail(invitation)
    record(by, kind, f"invitation:{invitation.id}")


def revoke(by: Membership, invitation_id: int) -> Invitation:
    """Kills the link at once. Stale when it was answered meanwhile; again changes nothing."""
    with transaction():
        account: Account = locked(Account.select().where(Account.id == by.account_id)).get()
        if not may(Membership.get_by_id(by.id), INVITE):
            raise NotAllowed("role")
        invitation = find(account, invitation_id)
        changed = (
            Invitation.update(status="revoked", answered_at=clock.now())
            .where(Invitation.id == invitation.id, Invitation.status == "pending")
            .execute()
        )
        if changed == 1:
            outbox.cancel(OutboxMessage.invitation == invitation)
            record(by, "invitation:revoked", f"invitation:{invitation.id}")
        elif invitation.status != "revoked":
            raise Stale("invitation", invitation_id=invitation.id)
    return find(by.account, invitation.id)


def _end_links(invitation: Invitation, now: datetime) -> None:
    InvitationLink.update(replaced_at=now).where(
        InvitationLink.invitation == invitation, InvitationLink.replaced_at.is_null()
    ).execute()


def orphaned(by: Membership, now: datetime) -> list[int]:
    """The live invitations that wait because their inviter may no longer invite here, or no
    longer make admins, and that `by` may take over (rule I9)."""
    m, i, inviters = Membership, Invitation, facets.inviter_ids(by.account)
    present: Any = (
        m.select(m.user, m.is_owner)
        .where(m.account == by.account_id, m.ended_at.is_null(), m.user.in_(inviters))
        .where(m.is_owner | m.is_admin)
    )
    is_owner = dict(present.tuples())
    gone = [user for user in inviters if user not in is_owner]
    found = {}
    if may(by, GRANT_ADMIN):
        found = {
            id: ends_at
            for id, inviter, ends_at in pending_of_admins(by.account)
            if not is_owner.get(inviter)
        }
    if gone:  # of nobody nothing is asked: SQLite would look at every invitation for it
        waiting: Any = i.select(i.id, i.expires_at).where(
            i.account == by.account_id, i.status == "pending", i.inviter.in_(gone)
        )
        if not may(by, GRANT_ADMIN):
            waiting = waiting.where(~i.is_admin)
        # By inviter, as long as nothing is said of the end.
        found |= dict(waiting.tuples())
    return sorted(id for id, ends_at in found.items() if ends_at > now)


def take_over(by: Membership) -> int:
    """Makes `by` the inviter of all that wait for one, without new mail; returns how many."""
    with transaction():
        account = ask_to_invite(by)
        waiting = orphaned(Membership.get_by_id(by.id), clock.now())
        if waiting:
            Invitation.update(inviter=by.user_id).where(Invitation.id.in_(waiting)).execute()
            record(by, "invitations:taken-over", f"account:{account.id}", count=len(waiting))
    return len(waiting)


def decline(invitation: Invitation, reason: str) -> Invitation:
    """The invitee says no (rule J13). Again changes nothing; Stale when it ended otherwise."""
    with transaction():
        # Accepting locks the account before the invitation: whoever comes second waits there.
        locked(Account.select(Account.id).where(Account.id == invitation.account_id)).first()
        changed = (
            Invitation.update(
                status="declined", answered_at=clock.now(), decline_reason=cleaned(reason, 500)
            )
            .where(Invitation.id == invitation.id, Invitation.status == "pending")
            .execute()
        )
        fresh = Invitation.get_by_id(invitation.id)
        if changed == 1:
            outbox.cancel(OutboxMessage.invitation == fresh)
            record(None, "invitation:declined", f"invitation:{fresh.id}", account=fresh.account_id)
        elif fresh.status != "declined":
            raise Stale("invitation", invitation_id=fresh.id)
    return fresh
