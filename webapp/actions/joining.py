"""Joining: what stands in the way, what would change, and the one transaction that does it."""

from datetime import datetime, timedelta

from webapp import clock, outbox
from webapp.actions import blockers, charging, quotes, sessions, settlements, standings
from webapp.actions.audit import recording
from webapp.actions.quotes import Shown
from webapp.actions.standings import Standing
from webapp.database import as_instant, transaction
from webapp.errors import Blocked, Gone, NotAllowed, Stale
from webapp.models import (
    Acceptance,
    Account,
    Invitation,
    InvitationLink,
    Membership,
    Session,
    User,
    written,
)
from webapp.models.people import has_seat
from webapp.policy import policy


def why_dead(invitation: Invitation, link: InvitationLink | None, now: datetime) -> str:
    """Why the link leads nowhere any more, or "" (rule J15). An answer counts before the age of
    the link: a person who joined through a newer link did join."""
    if invitation.status != "pending":
        return str(invitation.status)
    if link is not None and link.replaced_at is not None:
        return "replaced"
    return "expired" if invitation.is_expired(now) else ""


def why_waiting(invitation: Invitation) -> str:
    """As `standings.why_waiting`, of an invitation alone."""
    inviter = (
        Membership.select(Membership, Account)
        .join(Account)
        .where(
            Membership.user == invitation.inviter_id,
            Membership.account == invitation.account_id,
            Membership.ended_at.is_null(),
        )
        .first()
    )
    return standings.why_waiting(invitation, invitation.account.subscription(), inviter)


def with_licence(invitation: Invitation, licence: str) -> Invitation:
    """The invitation as it would be taken: `licence` "basic" does without the licence that it
    promises, where the organisation allows that while none is free. Stale when it does not."""
    if licence != "basic" or invitation.licence == "basic":
        return invitation
    account: Account = invitation.account
    if not account.basic_when_full or has_seat(account):
        raise Stale("terms")
    invitation.licence = "basic"  # of this copy, which nobody saves
    return invitation


def acceptance_of(invitation: Invitation) -> Acceptance | None:
    found: Acceptance | None = Acceptance.get_or_none(Acceptance.invitation == invitation)
    return found


def latest_acceptance(user: User) -> Acceptance | None:
    found: Acceptance | None = (
        Acceptance.select().where(Acceptance.user == user).order_by(Acceptance.id.desc()).first()
    )
    return found


def accept(
    invitation_id: int,
    session: Session,
    choice: str = "",
    quote_token: str = "",
    licence: str = "",
) -> Acceptance:
    """Everything moves, or nothing does (rule J10); a repeat returns the first acceptance.
    `licence` "basic" does without the licence that is promised, where that is allowed.

    Raises NotAllowed for another person, or for credit without a fresh proof (J9); Gone for a dead
    invitation; Blocked with what stands in the way; Invalid and Stale for the offer (J8).
    """
    shown = quotes.shown(quote_token)
    with transaction(), outbox.together():
        user = standings.lock_user(session.user_id)
        standings.lock_accounts(user)
        standing = standings.of(invitation_id, user, is_deciding=True)
        if standing is None:
            raise NotAllowed("other_person")
        if standing.invitation.status == "accepted":
            return _done_before(standing.invitation, user)
        with_licence(standing.invitation, licence)
        _require_open(standing)
        return _move(standing, user, session, choice, shown)


def _done_before(invitation: Invitation, user: User) -> Acceptance:
    acceptance = acceptance_of(invitation)
    if acceptance is None or acceptance.user_id != user.id:
        raise NotAllowed("other_person")
    return acceptance


def _require_open(standing: Standing) -> None:
    invitation = standing.invitation
    dead = why_dead(invitation, None, clock.now())
    if dead:
        raise Gone(dead)
    if standing.waiting:
        raise Blocked("waiting", reason=standing.waiting)
    if standing.present.account_id == invitation.account_id:
        raise Blocked("member_already")
    found = blockers.of(standing)
    if found:
        raise Blocked("blocked", blockers=found)


def _move(
    standing: Standing, user: User, session: Session, choice: str, shown: Shown | None
) -> Acceptance:
    now = clock.now()
    invitation, quote = standing.invitation, standing.quote(now)
    is_settled = quote is not None and quote.gross_minor > 0
    if is_settled or shown is not None:
        quotes.same_offer(shown, quote, invitation)
    if is_settled and choice == "credit" and not sessions.is_fresh(session):
        raise NotAllowed("proof")
    _end(standing, user, session, now)
    acceptance = _acceptance(standing, user, now)
    charging.stop(acceptance)
    outbox.write("mail:accepted", {"acceptance_id": acceptance.id})
    if quote is not None and is_settled:
        # Last: everybody's next document waits for its number until this is committed.
        account = standing.present.account
        settlements.settle(acceptance, account, quote, choice, standing.payments)
    return acceptance


def _end(standing: Standing, user: User, session: Session, now: datetime) -> None:
    """All that was ends together: the place and what is paid for there, the person's other
    sessions, and every invitation of theirs, with what waits of it."""
    invitation = standing.invitation
    changes = [
        outbox.canceling_of(invitation.email),
        sessions.ending_others(user, keep=session),
        standing.present.ending(now),
        recording(
            invitation.account_id, user.id, "invitation:accepted", f"invitation:{invitation.id}"
        ),
    ]
    if standing.is_own:
        changes.append(standing.present.account.closing(now))
        if standing.plan is not None:
            changes.append(standing.plan.ending(now))
    answered = written.change_together(*changes, _answering(invitation, now))
    if (invitation.id,) not in answered:
        raise Gone(str(Invitation.get_by_id(invitation.id).shown_status(now)))


def _answering(invitation: Invitation, now: datetime) -> written.Change:
    """This one is accepted; the person's others are closed, and stay so (rule J11)."""
    statement = """
        UPDATE invitation SET status = CASE WHEN id = ? THEN 'accepted' ELSE 'superseded' END,
                              answered_at = ?
         WHERE email = ? AND status = 'pending' AND (id <> ? OR expires_at > ?) RETURNING id
    """
    at = as_instant(now)
    return statement, (invitation.id, at, invitation.email, invitation.id, at)


def _acceptance(standing: Standing, user: User, now: datetime) -> Acceptance:
    """Begins what is, and writes down all that undoing needs."""
    invitation = standing.invitation
    membership = Membership.create(
        user=user,
        account=invitation.account,
        is_admin=invitation.is_admin,
        is_finance=invitation.is_finance,
        licence=invitation.licence,
        department=invitation.department,
        job_title=invitation.job_title,
        location=invitation.location,
        joined_at=now,
    )
    acceptance: Acceptance = Acceptance.create(
        invitation=invitation,
        user=user,
        organisation=invitation.account,
        membership=membership,
        left_membership=standing.present,
        closed_account=standing.present.account if standing.is_own else None,
        ended_subscription=standing.plan if standing.is_own else None,
        accepted_at=now,
        undo_until=now + timedelta(hours=policy().undo_hours),
    )
    return acceptance
