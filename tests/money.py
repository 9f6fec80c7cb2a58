"""People with plans, organisations that they join, and the acceptance between them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from invoices import ledger as transfers
from webapp import clock
from webapp.actions import ledger, quotes, sessions, settlements
from webapp.database import transaction
from webapp.models import (
    Acceptance,
    Account,
    Invitation,
    Membership,
    Payment,
    Settlement,
    Subscription,
    User,
)
from webapp.payments import simulated
from webapp.permissions import Viewer

# Eight unused days of thirty on this day: 49.97 of 187.39 (rule M2's example).
ACCEPTED = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
PERIOD = (date(2026, 11, 1), date(2026, 12, 1))


def make_account(kind: str = "individual", name: str = "Camille Roux", **fields: Any) -> Account:
    values = {
        "public_id": clock.new_public_id(),
        "kind": kind,
        "name": name,
        "address": "4 quai Saint-Vincent\n69001 Lyon",
        "country": "FR",
        "currency": "EUR",
        "locale": "fr",
        "created_at": ACCEPTED - timedelta(days=90),
    }
    account: Account = Account.create(**{**values, **fields})
    return account


def make_organisation(name: str = "Atelier Dumas", **fields: Any) -> Account:
    account = make_account("organisation", name, **{"seats": 25, **fields})
    Subscription.create(
        account=account, plan="organisation", currency=account.currency, billing_zone="Europe/Paris"
    )
    return account


def make_user(email: str, account: Account, **fields: Any) -> User:
    """A user with an active membership; `is_owner` and the other flags are the membership's."""
    flags = {name: fields.pop(name) for name in list(fields) if name.startswith("is_")}
    values = {"name": email.partition("@")[0].title(), "locale": "fr"}
    user: User = User.create(
        email=email, folded=email, created_at=account.created_at, **{**values, **fields}
    )
    Membership.create(user=user, account=account, joined_at=account.created_at, **flags)
    return user


def make_plan(account: Account, *paid: int, **fields: Any) -> Subscription:
    """A monthly plan, its payments (187.39 with 31.23 of tax when none is named) captured with
    the simulated gateway and in the ledger. `gateway`, `method`, `tax_rate` are the payments'."""
    period = {"period_start_on": PERIOD[0], "period_end_on": PERIOD[1]}
    values = {"currency": account.currency, "billing_zone": "Europe/Paris", **period}
    own = {name: fields.pop(name) for name in list(fields) if name in Subscription._meta.fields}
    subscription: Subscription = Subscription.create(
        account=account, plan="pro", **{**values, **own}
    )
    for minor in paid or (18739,):
        make_payment(subscription, minor, **fields)
    return subscription


def make_payment(subscription: Subscription, minor: int = 18739, **fields: Any) -> Payment:
    account = subscription.account
    values = {
        "gateway": "simulated",
        "reference": f"ch_{clock.new_public_id()}",
        "method": "Visa •••• 4242",
        "tax_minor": (minor + 3) // 6,
        "tax_rate": "20",
        "captured_at": datetime(2026, 11, 1, 8, tzinfo=UTC),
        "invoice_number": "F-2026-0113",
        "invoice_on": PERIOD[0],
    }
    payment: Payment = Payment.create(
        account=account,
        subscription=subscription,
        currency=subscription.currency,
        captured_minor=minor,
        **{**values, **fields},
    )
    ledger.post([transfers.captured(payment.id, account.id, payment.currency, minor)])
    if payment.gateway == "simulated":
        simulated.capture(payment.reference, payment.currency, minor)
    return payment


def make_acceptance(user: User, organisation: Account, **fields: Any) -> Acceptance:
    """The move of `user` as accepting makes it: one membership ends, another begins, the account
    closes and its plan ends. Held for a day from ACCEPTED."""
    left = user.membership()
    assert left is not None
    subscription = left.account.subscription()
    left.end(ACCEPTED)
    Account.update(closed_at=ACCEPTED).where(Account.id == left.account).execute()
    if subscription is not None:
        subscription.end(ACCEPTED)
    acceptance: Acceptance = Acceptance.create(
        invitation=_invitation(user, organisation),
        user=user,
        organisation=organisation,
        membership=Membership.create(user=user, account=organisation, joined_at=ACCEPTED),
        left_membership=left,
        closed_account=left.account,
        ended_subscription=subscription,
        accepted_at=ACCEPTED,
        **{"undo_until": ACCEPTED + timedelta(hours=24), **fields},
    )
    return acceptance


def settle(user: User, organisation: Account, choice: str, **fields: Any) -> Settlement:
    """Accepts and settles, in one transaction, what the user's plan is worth on ACCEPTED."""
    membership = user.membership()
    assert membership is not None
    account = membership.account
    offered = quotes.current(account, ACCEPTED)
    assert offered is not None
    with transaction():
        acceptance = make_acceptance(user, organisation, **fields)
        return settlements.settle(acceptance, account, offered, choice)


def settled(choice: str, email: str = "camille@example.org", **fields: Any) -> Settlement:
    """A new person with a paid plan joined a new organisation with `choice`."""
    account = make_account(name=email.partition("@")[0].title())
    user = make_user(email, account, is_owner=True)
    make_plan(account)
    return settle(user, make_organisation(), choice, **fields)


def _invitation(user: User, organisation: Account) -> Invitation:
    inviter = (
        Membership.select().where(Membership.account == organisation, Membership.is_owner).first()
    )
    invitation: Invitation = Invitation.create(
        account=organisation,
        email=user.email,
        locale="fr",
        inviter=inviter.user if inviter else user,
        created_at=ACCEPTED - timedelta(days=2),
        expires_at=ACCEPTED + timedelta(days=28),
        status="accepted",
        answered_at=ACCEPTED,
        delivery="sent",
        delivery_at=ACCEPTED,
    )
    return invitation


def viewer_of(user: User) -> Viewer:
    """The person as a request sees them, in a new session."""
    viewer = sessions.viewer_of(sessions.start(user, agent="a test"))
    assert viewer is not None
    return viewer


def browser_of(app: Flask, user: User, locale: str = "en") -> FlaskClient:
    """A browser in which `user` is signed in, and reads `locale`."""
    User.update(locale=locale).where(User.id == user.id).execute()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = sessions.start(user, agent="a test")
        cookie["_fresh"] = True
    return client
