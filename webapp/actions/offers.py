"""What an invitation means for one person: made from their real account, shown before anything is
asked (rules J4 to J6). Reading only."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from invoices.proration import Quote
from invoices.settlement import Route, spread
from webapp.actions import blockers, joining, quotes, standings
from webapp.actions.blockers import Blocker
from webapp.errors import NotAllowed, Stale
from webapp.models import Account, Invitation, InvitationLink, Payment, Subscription, User


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a part of a refund goes: the method's own label, empty when no gateway took the
    payment and the part is paid out by hand."""

    method: str
    gateway: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Offer:
    """`quote` is None without a paid plan of one's own; `token` carries the offer, signed, with the
    form.
    `waiting` and `blockers` are what stands in the way."""

    invitation: Invitation
    account: Account
    subscription: Subscription | None
    quote: Quote | None
    token: str
    destinations: list[Destination]
    waiting: str
    blockers: list[Blocker]
    is_member_already: bool
    does_without_licence: bool

    @property
    def organisation(self) -> Account:
        organisation: Account = self.invitation.account
        return organisation

    @property
    def is_settled(self) -> bool:
        """Is there something to give back?"""
        return self.quote is not None and self.quote.gross_minor > 0

    @property
    def is_credit_possible(self) -> bool:
        """Nothing is ever converted between currencies (rule M1)."""
        return self.quote is not None and self.quote.currency == self.organisation.currency

    @property
    def is_open(self) -> bool:
        """Could the person accept just now?"""
        return not (self.waiting or self.blockers or self.is_member_already)


def offer_to(user: User, invitation: Invitation, at: datetime, licence: str = "") -> Offer:
    """`licence` "basic" does without the one that is promised, where that is allowed. NotAllowed
    for another person."""
    standing = standings.of(invitation.id, user)
    if standing is None:
        raise NotAllowed("other_person")
    invitation, account = standing.invitation, standing.present.account
    promised = invitation.licence
    with suppress(Stale):
        invitation = joining.with_licence(invitation, licence)
    quote = standing.quote(at)
    is_member = account.id == invitation.account_id
    return Offer(
        invitation=invitation,
        account=account,
        subscription=standing.plan if standing.is_own else None,
        quote=quote,
        token=quotes.sign(quote, invitation),
        destinations=_destinations(standing.payments, quote),
        waiting=standing.waiting,
        blockers=[] if is_member else blockers.of(standing),
        is_member_already=is_member,
        does_without_licence=promised != invitation.licence,
    )


def _destinations(payments: list[Payment], quote: Quote | None) -> list[Destination]:
    if quote is None or quote.gross_minor == 0:
        return []
    by_reference = {payment.reference: payment for payment in payments}
    routes: list[Route] = spread(
        quote.gross_minor, [quotes.captured(payment) for payment in payments]
    )
    return [
        Destination(
            by_reference[route.reference].method,
            by_reference[route.reference].gateway,
            route.gross_minor,
        )
        for route in routes
    ]


def open_for(email: str, at: datetime) -> list[Invitation]:
    """The live invitations of an address whose mail has left, the newest first: one for each
    organisation that asks."""
    return list(
        Invitation.select(Invitation, Account, User)
        .join_from(Invitation, Account)
        .join_from(Invitation, User)
        .where(
            Invitation.email == email,
            Invitation.status == "pending",
            Invitation.expires_at > at,
            fn.EXISTS(_links().where(InvitationLink.invitation == Invitation.id)),
        )
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )


def link_to(email: str, invitation_id: int, at: datetime) -> InvitationLink | None:
    """The newest link of one of them."""
    if invitation_id not in {one.id for one in open_for(email, at)}:
        return None
    found: InvitationLink | None = (
        _links()
        .where(InvitationLink.invitation == invitation_id)
        .order_by(InvitationLink.id.desc())
        .first()
    )
    return found


def _links() -> Any:
    return InvitationLink.select().where(InvitationLink.replaced_at.is_null())
