"""Atelier Dumas: its members, and invitations in every state that an admin meets."""

from datetime import timedelta
from typing import Any

from webapp import clock, texts
from webapp.actions import (
    accounts,
    deliveries,
    invitations,
    joining,
    previews,
    profile,
    quotes,
    sessions,
)
from webapp.actions.account_checks import Billed
from webapp.actions.invitations import Offer
from webapp.demo import individuals
from webapp.models import Account, Invitation, Membership, OutboxMessage, User
from webapp.policy import policy

OWNER = "claire.dumas@atelier-dumas.example"
ADMIN = "hugo.lefevre@atelier-dumas.example"
FINANCE = "nadia.benali@atelier-dumas.example"
# address, name, department, job title, flags of the membership
MEMBERS: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    (ADMIN, "Hugo Lefèvre", "Direction", "Responsable informatique", {"is_admin": True}),
    (FINANCE, "Nadia Benali", "Comptabilité", "Comptable", {"is_finance": True}),
    ("elise.moreau@atelier-dumas.example", "Élise Moreau", "Conception", "Architecte", {}),
    ("karim.haddad@atelier-dumas.example", "Karim Haddad", "Conception", "Dessinateur", {}),
    ("sofia.rossi@atelier-dumas.example", "Sofia Rossi", "Atelier", "Ébéniste", {}),
    ("jules.petit@atelier-dumas.example", "Jules Petit", "Atelier", "Apprenti", {}),
    ("manon.girard@atelier-dumas.example", "Manon Girard", "Ventes", "Chargée de clientèle", {}),
)
NOTE = "Nous rassemblons tous nos abonnements dans le compte de l’atelier."


def load(password_hash: str) -> None:
    account = accounts.create_organisation(
        "Atelier Dumas",
        OWNER,
        "EUR",
        25,
        "fr",
        policy().billing_zone,
        Billed("8 quai de la Fosse\n44000 Nantes", "FR", "FR40303265045"),
        password_hash,
    )
    _name_owner(account)
    for number, member in enumerate(MEMBERS):
        _add_member(account, password_hash, 200 - 20 * number, *member)
    owner = Membership.get(Membership.account == account, Membership.is_owner)
    _invite_waiting(owner)
    _invite_answered(owner)
    # Those whose mail is still to be sent: they can be followed from the first moment.
    for email in (individuals.FREE, individuals.YEARLY, individuals.OWING):
        invite(owner, email, note=NOTE)


def _name_owner(account: Account) -> None:
    began_at = clock.now() - timedelta(days=220)
    profile.rename(User.get(User.email == OWNER), "Claire Dumas")
    Membership.update(joined_at=began_at).where(Membership.account == account).execute()
    Account.update(recommendation="credit", created_at=began_at).where(
        Account.id == account.id
    ).execute()


def _add_member(
    account: Account,
    password_hash: str,
    days: int,
    email: str,
    name: str,
    department: str,
    job_title: str,
    flags: dict[str, Any],
) -> None:
    joined_at = clock.now() - timedelta(days=days)
    user = User.create(
        email=email,
        name=name,
        password_hash=password_hash,
        locale="fr",
        folded=texts.folded(name, email),
        created_at=joined_at,
    )
    Membership.create(
        user=user,
        account=account,
        department=department,
        job_title=job_title,
        licence="licensed",
        joined_at=joined_at,
        **flags,
    )


def _invite_waiting(owner: Membership) -> None:
    sent = invite(owner, "Paul Renaud <paul.renaud@mail.example>", 2, department="Atelier")
    _mailed(sent, 2, "sent")
    deferred = invite(owner, "lucie.bernard@lent.example", 0)
    words = "451 4.7.1 Greylisting in action, please come back later"
    soon = clock.now() + timedelta(minutes=40)
    _mailed(deferred, 0, "deferred", words, soon)
    OutboxMessage.update(left_at=None, leaves_at=soon, attempts=4, error=words).where(
        OutboxMessage.invitation == deferred
    ).execute()
    refused = invite(owner, "Victor Lemoine <victor.lemoin@mail.example>", 1)
    words = "550 5.1.1 <victor.lemoin@mail.example>: Recipient address rejected: User unknown"
    _mailed(refused, 1, "refused", words)
    days = policy().invitation_days + 2
    expired = invite(owner, "Agathe Millet <agathe.millet@mail.example>", days, department="Ventes")
    _mailed(expired, days, "sent")


def _invite_answered(owner: Membership) -> None:
    declined = invite(owner, "Bruno Keller <bruno.keller@mail.example>", 5)
    _mailed(declined, 5, "sent")
    with clock.ago(timedelta(days=4)):
        invitations.decline(declined, "Je garde mon abonnement pour mes projets personnels.")
    revoked = invite(owner, "stagiaire@mail.example", 9, department="Conception")
    _mailed(revoked, 9, "sent")
    with clock.ago(timedelta(days=8)):
        invitations.revoke(owner, revoked.id)


def invite(owner: Membership, written: str, days: int = 0, **offer: Any) -> Invitation:
    """Invited some days ago."""
    with clock.ago(timedelta(days=days)):
        rows = previews.preview(owner.account, written).ready
        return invitations.invite(owner, rows, Offer(**offer)).invitations[0]


def _mailed(
    invitation: Invitation, days: int, kind: str, words: str = "", next_try_at: Any = None
) -> None:
    """As if a worker had taken the mail to the mail server at that time."""
    message = OutboxMessage.get(OutboxMessage.invitation == invitation)
    with clock.ago(timedelta(days=days)):
        deliveries.note(message, kind, words, next_try_at)
        OutboxMessage.update(left_at=clock.now(), attempts=1).where(
            OutboxMessage.id == message.id
        ).execute()


def join(invitation: Invitation, choice: str = "credit") -> None:
    """Somebody who has joined with that choice: it can still be undone."""
    user = User.get(User.email == invitation.email)
    viewer = sessions.viewer_of(sessions.start(user, "demo"))
    offered = quotes.current(viewer.account, clock.now()) if viewer else None
    if viewer is None or offered is None:
        raise LookupError(invitation.email)
    token = quotes.sign(offered, invitation)
    joining.accept(invitation.id, viewer.session, choice, token)
    sessions.end_others(user, keep=None)
