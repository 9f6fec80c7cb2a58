"""What an invitee asks of the organisation: a new link for one that expired (rule J15), and to be
told when a licence is free (rule J6)."""

from datetime import datetime, timedelta
from typing import Any

from webapp import clock, outbox
from webapp.actions import throttle
from webapp.actions.audit import record
from webapp.database import locked, transaction
from webapp.errors import Stale
from webapp.models import Account, Invitation, Membership
from webapp.models.people import has_seat

REST = timedelta(hours=24)
# Of one organisation in a day, so that nobody's inbox fills up by old links.
RENEWALS = 50


def is_renewable(invitation: Invitation, now: datetime) -> bool:
    """May a new link be asked for: once a day."""
    last = invitation.renewal_asked_at
    return invitation.is_expired(now) and (last is None or last <= now - REST)


def for_link(invitation: Invitation) -> bool:
    """Asks whoever can resend the invitation; False when that was done within the day. Stale when
    the invitation is not expired, TooMany when its organisation was asked too often today."""
    now = clock.now()
    if invitation.is_expired(now) and not is_renewable(invitation, now):
        return False
    throttle.count(f"renewals:{invitation.account_id}", RENEWALS, REST)
    with transaction():
        _lock(invitation)
        asked = Invitation.renewal_asked_at
        changed = (
            Invitation.update(renewal_asked_at=now)
            .where(
                Invitation.id == invitation.id,
                Invitation.status == "pending",
                Invitation.expires_at <= now,
                asked.is_null() | (asked <= now - REST),
            )
            .execute()
        )
        if changed != 1 and not Invitation.get_by_id(invitation.id).is_expired(now):
            raise Stale("invitation")
        if changed == 1:
            _ask(invitation, "mail:renewal")
            record(None, "invitation:renewal-asked", f"invitation:{invitation.id}",
                   account=invitation.account_id)  # fmt: skip
    return bool(changed)


def for_seat(invitation: Invitation) -> bool:
    """Remembers that the invitee waits for a licence, and tells whoever invited; False when that
    was known. Stale when there is nothing to wait for."""
    now = clock.now()
    with transaction():
        account = _lock(invitation)
        fresh = Invitation.get_by_id(invitation.id)
        is_short = fresh.licence == "licensed" and not has_seat(account)
        if not (fresh.is_live(now) and is_short):
            raise Stale("invitation")
        if fresh.seat_wanted_at is not None:
            return False
        Invitation.update(seat_wanted_at=now).where(Invitation.id == fresh.id).execute()
        _ask(fresh, "mail:seat-wanted")
        record(None, "invitation:seat-wanted", f"invitation:{fresh.id}", account=account.id)
    return True


def tell_of_seats(now: datetime) -> int:
    """Mails everybody who waits where a licence is free by now; returns how many. The first who
    accepts gets it, and whoever comes too late may wait again. Safe to run twice at once."""
    return sum(_tell(account_id, now) for account_id in _short_of_seats(now))


def _short_of_seats(now: datetime) -> list[int]:
    found: Any = Invitation.select(Invitation.account).where(_waits(now)).distinct().tuples()
    return [row[0] for row in found]


def _waits(now: datetime) -> Any:
    return (
        Invitation.seat_wanted_at.is_null(False)
        & (Invitation.status == "pending")
        & (Invitation.expires_at > now)
    )


def _tell(account_id: int, now: datetime) -> int:
    with transaction():
        account = locked(Account.select().where(Account.id == account_id)).get()
        if not has_seat(account):
            return 0
        mine = _waits(now) & (Invitation.account == account_id)
        waiting = list(Invitation.select().where(mine).order_by(Invitation.seat_wanted_at))
        for invitation in waiting:
            Invitation.update(seat_wanted_at=None).where(Invitation.id == invitation.id).execute()
            outbox.write("mail:seat-free", {"invitation_id": invitation.id}, invitation=invitation)
    return len(waiting)


def _lock(invitation: Invitation) -> Account:
    # As accepting does: whoever comes second decides on what the first left.
    account: Account = locked(Account.select().where(Account.id == invitation.account_id)).get()
    return account


def _ask(invitation: Invitation, kind: str) -> None:
    for user_id in _who_can_help(invitation):
        outbox.write(kind, {"invitation_id": invitation.id, "user_id": user_id})


def _who_can_help(invitation: Invitation) -> list[int]:
    """The inviter, or the owners when the inviter invites no more (rule I9)."""
    present = Membership.select().where(
        Membership.account == invitation.account_id, Membership.ended_at.is_null()
    )
    inviter = present.where(Membership.user == invitation.inviter_id).first()
    if inviter is not None and inviter.is_inviting:
        return [inviter.user_id]
    return [owner.user_id for owner in present.where(Membership.is_owner).order_by(Membership.id)]
