"""Who may do what: PRODUCT's table as a table, and the declaration each route makes.

A route says `@allows(SEE_USERS)`, or `PUBLIC`, `SIGNED_IN`; a route that says nothing is refused
at start. Capabilities are of a person in the account that they are in; loading through that
account is what keeps other accounts' things out of reach. A person's own account and statements
need no capability: they are theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from webapp.models import Account, Membership, Session, User

PUBLIC = "public"
SIGNED_IN = "signed in"
DEVELOPMENT = "development"

SEE_USERS = "see users"
INVITE = "invite"
MANAGE_MEMBERS = "manage members"
GRANT_ADMIN = "grant the roles owner and admin"
SETTINGS = "settings"
SEE_BILLING = "see billing"
OPERATE = "operate"

# role → capabilities, PRODUCT.md's "Who may do what"
TABLE: dict[str, frozenset[str]] = {
    "owner": frozenset({SEE_USERS, INVITE, MANAGE_MEMBERS, GRANT_ADMIN, SETTINGS, SEE_BILLING}),
    "admin": frozenset({SEE_USERS, INVITE, MANAGE_MEMBERS, SETTINGS}),
    "finance": frozenset({SEE_BILLING}),
    "member": frozenset(),
    "individual": frozenset(),
    "operator": frozenset({SEE_BILLING, OPERATE}),
}

CAPABILITIES = frozenset().union(*TABLE.values())
DECLARATIONS = CAPABILITIES | {PUBLIC, SIGNED_IN, DEVELOPMENT}

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Viewer:
    """The person behind a request: user, session, and the membership in force."""

    user: User
    session: Session
    membership: Membership

    @property
    def account(self) -> Account:
        account: Account = self.membership.account
        return account

    @property
    def roles(self) -> tuple[str, ...]:
        return roles_in(self.membership)

    def may(self, capability: str) -> bool:
        return may(self.membership, capability)


def roles_in(membership: Membership) -> tuple[str, ...]:
    """The roles of the table that a membership stands for."""
    if membership.account.kind == "operator":
        return ("operator",)
    if membership.account.kind == "individual":
        return ("individual",)
    return membership.roles


def may(membership: Membership, capability: str) -> bool:
    return membership.ended_at is None and any(
        capability in TABLE[role] for role in roles_in(membership)
    )


def allows(declaration: str) -> Callable[[View], View]:
    """Declares who may use a route."""
    if declaration not in DECLARATIONS:
        raise ValueError(f"no such capability: {declaration}")

    def declare(view: View) -> View:
        view.allows = declaration  # type: ignore[attr-defined]
        return view

    return declare


def declaration_of(view: Callable[..., Any]) -> str | None:
    return getattr(view, "allows", None)
