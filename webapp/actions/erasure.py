"""Erasing a person: everything that says who they are goes, but what the law has the seller keep
(statements, invoices, payments, the ledger) and the audit events, which name people by number
only. The user's row stays without a word in it, so that these keep whose they are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp import clock
from webapp.actions import (
    charging,
    forgetting,
    invitations,
    invoices,
    members,
    outcomes,
    quotes,
    second_factor,
    sessions,
)
from webapp.actions.audit import record
from webapp.actions.blockers import Blocker
from webapp.database import locked, transaction
from webapp.errors import Blocked, Invalid, NotAllowed
from webapp.models import (
    Acceptance,
    Account,
    AuditEvent,
    Guess,
    Invitation,
    Invoice,
    KeptMail,
    Membership,
    OutboxMessage,
    Payment,
    Session,
    SignInCode,
    Statement,
    Subscription,
    Throttle,
    UploadRow,
    User,
)
from webapp.models.user import ERASED
from webapp.permissions import Viewer
from webapp.policy import policy


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays: the numbers of the person's statements, and how many of the rest; `named_in` are
    those of organisations that the person gave credit to."""

    statements: tuple[str, ...]
    named_in: int
    invoices: int
    payments: int
    events: int


def kept_of(user: User) -> Kept:
    """As it stands; nothing is written."""
    own = _own_accounts(user)
    issued = Statement.select(Statement.number).where(Statement.user == user)
    of_others = Statement.kind == "account_credit"
    return Kept(
        statements=tuple(one.number for one in issued.where(~of_others).order_by(Statement.id)),
        named_in=issued.where(of_others).count(),
        invoices=Invoice.select().where(Invoice.account.in_(own)).count(),
        payments=Payment.select().where(Payment.account.in_(own)).count(),
        events=AuditEvent.select().where(AuditEvent.actor == user).count(),
    )


def obstacles(membership: Membership, now: datetime) -> list[Blocker]:
    """What has to be settled first, each with what its card shows."""
    account: Account = membership.account
    if account.kind == "operator":
        return [Blocker("operator")]
    if account.kind == "organisation":
        kind = "last_owner" if members.is_last_owner(membership) else "member"
        return [Blocker(kind, {"organisation": account.name}), *_open(membership.user, now)]
    found = [] if not membership.is_owner else _of_account(membership, now)
    return [*found, *_open(membership.user, now)]


def _of_account(membership: Membership, now: datetime) -> list[Blocker]:
    account: Account = membership.account
    found = [Blocker("invoice", {"invoice": one}) for one in invoices.open_of(account)]
    found += [Blocker("dispute", {"payment": one}) for one in quotes.disputed(account)]
    found += [Blocker("other_user", {"user": one.user}) for one in _others(membership)]
    return found


def _others(membership: Membership) -> Any:
    return (
        Membership.select(Membership, User)
        .join(User)
        .where(
            Membership.account == membership.account_id,
            Membership.ended_at.is_null(),
            Membership.user != membership.user_id,
        )
        .order_by(Membership.id)
    )


def plan_to_give_up(membership: Membership) -> Subscription | None:
    """The person's own plan of which something is left: it ends with them, without a refund, and
    they must say that they know. Nobody has to wait for its end to be erased."""
    if membership.account.kind != "individual" or not membership.is_owner:
        return None
    plan: Subscription | None = membership.account.subscription()
    return None if plan is None or _is_over(plan) else plan


def _is_over(plan: Subscription) -> bool:
    """Nothing of it is left, and no gateway goes on charging for it."""
    today = clock.today(plan.billing_zone)
    ended = plan.period_end_on is not None and plan.period_end_on <= today
    return bool(ended and plan.gateway_reference is None)


def _open(user: User, now: datetime) -> list[Blocker]:
    """Money on its way to the person, and what they could still take back."""
    found = []
    for acceptance in Acceptance.select().where(
        Acceptance.user == user, Acceptance.undone_at.is_null()
    ):
        if acceptance.is_held(now):
            found.append(Blocker("held", {"acceptance": acceptance}))
            continue
        settlement = outcomes.settlement_of(acceptance)
        given = outcomes.handed_over(settlement)
        found += [
            Blocker("refund", {"refund": refund})
            for refund in outcomes.refunds_of(settlement)
            if refund.state != "succeeded"
            and refund.share_id not in given
            # What waits for a bank to decide may wait for ever, and needs no address.
            and not (refund.state == "held" and refund.payment.is_disputed)
        ]
    return found


def erase(by: Viewer, gives_up_plan: bool = False) -> Kept:
    """Erases the person; returns what was kept. NotAllowed("proof") without a fresh one, Blocked
    with what stands in the way, Invalid("plan") while there is one to give up. Nobody can undo
    it."""
    with transaction():
        user: User = locked(User.select().where(User.id == by.user.id)).get()
        membership = user.membership()
        if membership is None:
            raise NotAllowed("role")
        own = [account.id for account in _own_accounts(user)]
        ids = [membership.account_id, *own, *invitations.inviting(user)]
        list(locked(Account.select(Account.id).where(Account.id.in_(ids)).order_by(Account.id)))
        if not sessions.is_fresh(by.session):
            raise NotAllowed("proof")
        now = clock.now()
        standing = obstacles(membership, now)
        if standing:
            raise Blocked("erasure", blockers=standing)
        plan = plan_to_give_up(membership)
        if plan is not None and not gives_up_plan:
            raise Invalid("plan", field="plan")
        record(membership, "person:erased", f"user:{user.id}")
        kept = kept_of(user)
        membership.end(now)
        _wipe_accounts(own, now)
        if plan is not None:
            charging.give_up(plan)
        _wipe_invitations(user, now)
        _wipe_traces(user)
        _wipe_user(user, now)
    return kept


def _own_accounts(user: User) -> Any:
    """The individual accounts that the person owns, or owned."""
    return (
        Account.select()
        .join(Membership)
        .where(Membership.user == user, Membership.is_owner, Account.kind == "individual")
        .distinct()
    )


def _wipe_accounts(ids: list[int], now: datetime) -> None:
    """Who it was; by whose number at the gateway stays, or a sync would bring the person back."""
    blank = {"name": "", "address": "", "country": "", "tax_id": "", "imported_digest": None}
    Account.update(**blank).where(Account.id.in_(ids)).execute()
    Account.update(closed_at=now).where(Account.id.in_(ids), Account.closed_at.is_null()).execute()
    # A link to pay leads to a page that names its customer.
    Invoice.update(pay_url="").where(Invoice.account.in_(ids)).execute()
    Subscription.update(status="ended", ended_at=now).where(
        Subscription.account.in_(ids), Subscription.status != "ended"
    ).execute()


def _wipe_invitations(user: User, now: datetime) -> None:
    """Of every organisation."""
    theirs = Invitation.email == user.email
    # Declined ones are no news for anybody any more.
    Invitation.update(status="superseded").where(theirs, Invitation.status == "declined").execute()
    forgetting.invitations([row.id for row in Invitation.select(Invitation.id).where(theirs)], now)
    blank = dict.fromkeys(("name", "department", "job_title", "location"), "")
    UploadRow.update(email="", **blank).where(UploadRow.email == user.email).execute()


def _wipe_traces(user: User) -> None:
    second_factor.forget_all(user)
    Session.delete().where(Session.user == user).execute()
    SignInCode.delete().where(SignInCode.email == user.email).execute()
    Guess.delete().where(Guess.key.endswith(f":{user.email}")).execute()
    Throttle.delete().where(Throttle.key.endswith(f":{user.email}")).execute()
    KeptMail.delete().where(KeptMail.recipient == user.email).execute()
    OutboxMessage.update(error="").where(OutboxMessage.error.contains(user.email)).execute()


def _wipe_user(user: User, now: datetime) -> None:
    blank = {"department": "", "job_title": "", "location": "", "folded": ""}
    Membership.update(**blank).where(Membership.user == user).execute()
    User.update(
        email=f"erased-{user.id}{ERASED}",
        name="",
        folded="",
        password_hash=None,
        verified_at=None,
        locale=policy().default_locale,
        erased_at=now,
    ).where(User.id == user.id).execute()
