"""An organisation, another one, and everybody who comes to them: one person of each kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import time_machine
from flask import Flask

from tests.client import Browser
from tests.money import ACCEPTED, make_account, make_organisation, make_plan, make_user
from webapp import clock, passwords
from webapp.actions import accounts, deliveries, invitations, sessions
from webapp.actions.invitations import Offer
from webapp.actions.previews import preview
from webapp.models import (
    Acceptance,
    Account,
    Invitation,
    Membership,
    OutboxMessage,
    Session,
    Settlement,
    Statement,
    User,
)
from webapp.permissions import Viewer

PASSWORD = "many small streams make a river"
PASSWORD_HASH = passwords.hashed(PASSWORD)

# Everybody who can stand before a page. The invitee holds the mailed link; so does the link's
# holder, who is not signed in, and the other invitee, who is signed in and not the one it is for.
ROLES = (
    "nobody",
    "link holder",
    "individual",
    "invitee",
    "other invitee",
    "member",
    "finance",
    "admin",
    "owner",
    "removed member",
    "foreign owner",
    "operator",
)
HOLDERS = ("link holder", "invitee", "other invitee")


@contextmanager
def on_the_day() -> Iterator[Any]:
    """Time stands still on the day that amounts are worked out for: eight unused days of thirty."""
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@dataclass(frozen=True)
class Cast:
    """`users` by role; `invitation` is the invitee's, `token` its mailed link's."""

    app: Flask
    organisation: Account
    elsewhere: Account
    users: dict[str, User]
    invitation: Invitation
    token: str
    foreign_invitation: Invitation
    foreign_token: str

    def browser(self, role: str) -> Browser:
        """A new browser of this person, with the link where they hold it."""
        browser = Browser(self.app)
        if role in self.users:
            browser.sign_in_as(self.users[role])
        if role in HOLDERS:
            browser.get(f"/join/{self.token}")
        return browser

    def membership(self, role: str) -> Membership:
        return membership_of(self.users[role])

    def session(self, role: str) -> Session:
        return session_of(self.users[role])


def make_cast(app: Flask) -> Cast:
    organisation = make_organisation("Atelier Dumas", public_id="dumas0000000")
    elsewhere = make_organisation("Maison Petit", public_id="petit0000000")
    users = {
        "owner": make_member("claire@dumas.example", organisation, is_owner=True),
        "admin": make_member("hugo@dumas.example", organisation, is_admin=True),
        "finance": make_member("lea@dumas.example", organisation, is_finance=True),
        "member": make_member("paul@dumas.example", organisation),
        "foreign owner": make_member("rose@petit.example", elsewhere, is_owner=True),
        "individual": make_individual("ines@example.org"),
        "invitee": make_paying("zoe@example.org"),
        "other invitee": make_individual("max@example.org"),
        "removed member": make_removed("sam@example.org", organisation),
        "operator": make_member("finance@seller.example", make_account("operator", "Seller")),
    }
    invitation = invite(users["admin"], "zoe@example.org")
    foreign = invite(users["foreign owner"], "max@example.org")
    return Cast(
        app, organisation, elsewhere, users,
        invitation, link_of(invitation), foreign, link_of(foreign),
    )  # fmt: skip


def make_member(email: str, account: Account, **fields: Any) -> User:
    """A person who reads English, and whose password is PASSWORD."""
    return make_user(email, account, **{"password_hash": PASSWORD_HASH, "locale": "en", **fields})


def make_individual(email: str, **fields: Any) -> User:
    """A person on a free account of their own."""
    account = make_account(name=email.partition("@")[0].title())
    return make_member(email, account, is_owner=True, **fields)


def make_paying(email: str, *paid: int, **fields: Any) -> User:
    """A person on a monthly plan of their own, worth 49.97 EUR on the day."""
    user = make_individual(email)
    make_plan(membership_of(user).account, *paid, **fields)
    return user


def make_removed(email: str, organisation: Account) -> User:
    """Was an admin of `organisation` until yesterday, and has an account of their own again."""
    user = make_member(email, organisation, is_admin=True)
    membership_of(user).end(clock.now())
    accounts.open_individual(user, organisation.currency)
    return user


def invite(by: User, email: str, **offer: Any) -> Invitation:
    """What the form does with one address; `offer` are fields of Offer."""
    rows = preview(membership_of(by).account, email).ready
    (invitation,) = invitations.invite(membership_of(by), rows, Offer(**offer)).invitations
    return invitation


def link_of(invitation: Invitation) -> str:
    """The token of the newest mail's link, as that mail has it."""
    message = (
        OutboxMessage.select()
        .where(OutboxMessage.invitation == invitation, OutboxMessage.kind == "mail:invitation")
        .order_by(OutboxMessage.id.desc())
        .first()
    )
    drawn = deliveries.draw_link(message)
    assert drawn is not None
    return drawn.token


def membership_of(user: User) -> Membership:
    membership = user.membership()
    assert membership is not None
    return membership


def viewer_of(user: User) -> Viewer:
    """The person in a new session, proven just now."""
    viewer = sessions.viewer_of(sessions.start(user, agent="a test"))
    assert viewer is not None
    return viewer


def session_of(user: User) -> Session:
    return viewer_of(user).session


def written() -> dict[str, int]:
    """How many rows joining has written."""
    moved = OutboxMessage.select().where(
        OutboxMessage.kind.in_(("mail:accepted", "refund", "credit"))
    )
    return {
        "acceptances": Acceptance.select().count(),
        "settlements": Settlement.select().count(),
        "statements": Statement.select().count(),
        "effects": moved.count(),
    }
