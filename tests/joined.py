"""People who join by the real action, from a pending invitation to the acceptance."""

from datetime import datetime, timedelta
from typing import Any

from tests.money import make_account, make_organisation, make_plan, make_user
from tests.people import session_of
from webapp import clock
from webapp.actions import joining, quotes, sessions
from webapp.database import transaction
from webapp.models import Acceptance, Account, Invitation, Membership, Session, Settlement, User


def make_owned(name: str = "Atelier Dumas", **fields: Any) -> Account:
    """An organisation with an owner, who invites."""
    with transaction():
        organisation = make_organisation(name, **{"created_at": long_ago(), **fields})
        make_user(f"owner{organisation.id}@dumas.example", organisation, is_owner=True)
    return organisation


def make_person(email: str = "camille@example.org", *paid: int, **fields: Any) -> User:
    """On a plan of their own that is worth 49.97 EUR on ACCEPTED, unless `paid` says else.
    `currency` is the account's, all other fields are the plan's and its payments'."""
    with transaction():
        own = {"currency": fields.pop("currency", "EUR"), "created_at": long_ago()}
        account = make_account(name=email.partition("@")[0].title(), **own)
        user = make_user(email, account, is_owner=True)
        make_plan(account, *paid, **fields)
    return user


def make_invitation(user: User, organisation: Account, **offer: Any) -> Invitation:
    """A pending invitation, as its mail left it."""
    now = clock.now()
    owner = Membership.get(Membership.account == organisation, Membership.is_owner)
    invitation: Invitation = Invitation.create(
        account=organisation,
        email=user.email,
        locale="fr",
        inviter=owner.user_id,
        created_at=now,
        expires_at=now + timedelta(days=30),
        delivery="sent",
        delivery_at=now,
        **offer,
    )
    return invitation


def join(user: User, organisation: Account, choice: str = "", **offer: Any) -> Acceptance:
    """Is invited, and accepts what the page shows at this moment."""
    invitation = make_invitation(user, organisation, **offer)
    return joining.accept(invitation.id, session_of(user), choice, shown_to(user, invitation))


def shown_to(user: User, invitation: Invitation) -> str:
    """The signed offer on the invitee's page; "" for a free account."""
    membership = user.membership()
    assert membership is not None
    offered = quotes.current(membership.account, clock.now())
    return "" if offered is None else quotes.sign(offered, invitation)


def settlement_of(acceptance: Acceptance) -> Settlement:
    found: Settlement = Settlement.get(Settlement.acceptance == acceptance)
    return found


def long_ago() -> datetime:
    """When accounts were opened."""
    return clock.now() - timedelta(days=90)


def stale_session_of(user: User) -> Session:
    """Proven too long ago for what can't come back (rule J9)."""
    session = session_of(user)
    too_long_ago = clock.now() - sessions.PROOF_LIFE - timedelta(seconds=1)
    Session.update(proven_at=too_long_ago).where(Session.id == session.id).execute()
    found: Session = Session.get_by_id(session.id)
    return found
