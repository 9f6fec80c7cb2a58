"""All that accepting decides on, read at once under its locks. Pages, which ask again and again and
decide nothing, ask one question at a time."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from invoices.proration import Quote
from webapp.actions import quotes, refunds
from webapp.database import is_postgresql
from webapp.models import Account, Invitation, Membership, Payment, Subscription, User
from webapp.models.written import columns_of, fetch_all, fetch_one, instances, locking


@dataclass(frozen=True, slots=True)
class Standing:
    """`invitation` with its organisation and its plan; `inviter` is the one who may still be
    there; `present` is where the person is a member, `plan` what is paid for there, `payments` what
    for. `is_alone`: nobody owes anything there, nothing is on its way, and nobody else is there."""

    invitation: Invitation
    organisation_plan: Subscription | None
    inviter: Membership | None
    present: Membership
    plan: Subscription | None
    payments: list[Payment]
    is_alone: bool

    @property
    def is_own(self) -> bool:
        """Is the person's place their own account, which joining closes?"""
        return bool(self.present.account.kind == "individual" and self.present.is_owner)

    def quote(self, at: datetime) -> Quote | None:
        """What leaving is worth; None where the person owns no paid plan."""
        if not self.is_own or self.plan is None or self.plan.period_start_on is None:
            return None
        return quotes.of(self.plan, self.payments, at)

    @property
    def is_plain(self) -> bool:
        """Is there certainly nothing to settle first? When not, the blockers say what."""
        return (
            self.is_own
            and self.is_alone
            and self.invitation.licence == "basic"
            and not any(one.is_disputed or one.returning_minor for one in self.payments)
        )


def lock_user(user_id: int) -> User:
    """First of all: of two tabs, the second one finds what the first one did."""
    statement = f"SELECT {columns_of(User)} FROM user_ WHERE id = ?"  # nosec B608 # our columns
    row = fetch_one(locking(statement), user_id)
    if row is None:
        raise LookupError(f"no user {user_id}")
    (user,) = instances(row, User)
    return user  # type: ignore[no-any-return]


def lock_accounts(user: User) -> None:
    """The person's own and all that invited them, which count their invitations: always in the
    order of their ids, so that two acceptances cannot wait for each other."""
    if is_postgresql():
        fetch_all(
            locking(
                """
                SELECT id FROM account WHERE id IN (
                  SELECT account_id FROM invitation WHERE email = ? UNION
                  SELECT account_id FROM membership WHERE user_id = ? AND ended_at IS NULL)
                ORDER BY id
                """
            ),
            user.email,
            user.id,
        )


def of(invitation_id: int, user: User) -> Standing | None:
    """None when the invitation is not this person's, or the person is nowhere a member."""
    values = (*refunds.UNDERWAY, user.id, invitation_id, user.email)
    row = fetch_one(_reading(), *values)
    if row is None:
        return None
    invitation, organisation, organisation_plan, inviter, present, account, plan = instances(
        row[1:], Invitation, Account, Subscription, Membership, Membership, Account, Subscription
    )
    invitation.account, present.user, present.account = organisation, user, account
    if inviter is not None:
        inviter.account = organisation
    payments = [] if plan is None else quotes.lock_payments(plan)
    return Standing(
        invitation, organisation_plan, inviter, present, plan, payments, not row[0]
    )  # fmt: skip


@cache
def _reading() -> str:
    columns: Any = columns_of(
        i=Invitation, o=Account, op=Subscription, im=Membership, m=Membership, a=Account,
        p=Subscription,
    )  # fmt: skip
    states = ", ".join("?" * len(refunds.UNDERWAY))
    return f"""
        SELECT EXISTS (SELECT 1 FROM invoice WHERE account_id = a.id AND voided_at IS NULL
                          AND paid_minor < total_minor)
            OR EXISTS (SELECT 1 FROM payment JOIN refund ON refund.payment_id = payment.id
                        WHERE payment.account_id = a.id AND payment.gateway <> 'none'
                          AND refund.state IN ({states}))
            OR EXISTS (SELECT 1 FROM membership WHERE account_id = a.id AND ended_at IS NULL
                          AND user_id <> m.user_id),
               {columns}
          FROM invitation i
          JOIN account o ON o.id = i.account_id
          LEFT JOIN subscription op ON op.account_id = o.id AND op.status <> 'ended'
          LEFT JOIN membership im ON im.user_id = i.inviter_id AND im.account_id = o.id
                AND im.ended_at IS NULL
          JOIN membership m ON m.user_id = ? AND m.ended_at IS NULL
          JOIN account a ON a.id = m.account_id
          LEFT JOIN subscription p ON p.account_id = a.id AND p.status <> 'ended'
         WHERE i.id = ? AND i.email = ?
    """  # nosec B608 # names of columns, all of them ours
