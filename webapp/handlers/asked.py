"""The mails about what an invitee asked for, and to whoever an invitee had to remove."""

from typing import Any
from urllib.parse import urlencode

from webapp import clock
from webapp.actions import deliveries
from webapp.handlers import Errand
from webapp.mailer import Letter, unlinked
from webapp.models import Invitation, Membership, User
from webapp.models.people import has_seat
from webapp.policy import policy


def renewal(errand: Errand) -> bool:
    """To whoever can resend an expired invitation."""
    invited = _invited(errand)
    if invited is None or not invited.is_expired(clock.now()):
        return False
    return _to_inviter(errand, invited, "renewal", status="expired")


def seat_wanted(errand: Errand) -> bool:
    """To whoever invited a person for whom no licence is free."""
    invited = _invited(errand)
    if invited is None or not invited.is_live(clock.now()) or has_seat(invited.account):
        return False
    return _to_inviter(errand, invited, "seat_wanted", status="pending")


def _invited(errand: Errand) -> Invitation | None:
    found: Invitation | None = Invitation.get_or_none(
        Invitation.id == errand.message.payload["invitation_id"]
    )
    return found


def _to_inviter(errand: Errand, invited: Invitation, name: str, status: str) -> bool:
    user = User.get_by_id(errand.message.payload["user_id"])
    membership: Membership | None = user.membership()
    if membership is None or membership.account_id != invited.account_id:
        return False  # who left learns no more of the organisation
    query = urlencode({"status": status, "q": invited.email})
    facts = {
        "name": unlinked(user.name),
        "organisation": unlinked(invited.account.name),
        "who": _who(invited),
        "expires_at": invited.expires_at,
        "url": f"{policy().base_url}/users?{query}",
    }
    return errand.mail(Letter(name, user.email, user.locale, facts))


def seat_free(errand: Errand) -> bool:
    """To an invitee who waited for a licence, with a link of its own."""
    drawn = deliveries.draw_link(errand.message)
    if drawn is None:
        return False
    invited = drawn.invitation
    facts = {
        "name": unlinked(invited.name),
        "organisation": unlinked(invited.account.name),
        "link": f"{policy().base_url}/join/{drawn.token}",
        "expires_at": invited.expires_at,
    }
    return errand.mail(Letter("seat_free", invited.email, invited.locale, facts))


def unshared(errand: Errand) -> bool:
    """To a person who was removed from somebody's own account."""
    payload: dict[str, Any] = errand.message.payload
    user, owner = User.get_by_id(payload["user_id"]), User.get_by_id(payload["owner_id"])
    facts = {"name": unlinked(user.name), "owner": _who(owner), "email": user.email}
    return errand.mail(Letter("unshared", user.email, user.locale, facts))


def reported(errand: Errand) -> bool:
    """To the operator's people, of an invitation that somebody reported as unwanted."""
    invited = _invited(errand)
    user = User.get_by_id(errand.message.payload["user_id"])
    membership = user.membership()
    is_operator = membership is not None and membership.account.kind == "operator"
    if invited is None or invited.reported_at is None or not is_operator:
        return False
    facts = {
        "name": unlinked(user.name),
        "organisation": unlinked(invited.account.name),
        "inviter": _who(invited.inviter),
        "report": [unlinked(line) for line in invited.report.splitlines() if line.strip()],
        "url": f"{policy().base_url}/billing#reports",
    }
    return errand.mail(Letter("reported", user.email, user.locale, facts))


def _who(somebody: User | Invitation) -> str:
    name = unlinked(somebody.name)
    return f"{name} ({somebody.email})" if name else str(somebody.email)
