"""Where somebody stands who may join: all that the page shows and accepting decides on, read at
once, and under its locks by whoever decides."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from invoices.proration import Quote
from webapp.actions import quotes, refunds
from webapp.database import is_postgresql
from webapp.models import Account, Invitation, Membership, Payment, Subscription, User
from webapp.models.written import (
    columns_of,
    fetch_all,
    fetch_one,
    ids_found,
    ids_read,
    instances,
    locking,
)
from webapp.permissions import GRANT_ADMIN, INVITE, may


@dataclass(frozen=True, slots=True)
class Standing:
    """`invitation` with its organisation and its plan; `inviter` is the one who may still be
    there; `present` is where the person is a member, `plan` what is paid for there, `payments` what
    for, where it is the person's own. By their ids: the invoices `owed` there, the refunds
    `underway` from there, and the memberships of `others` there, where it is the person's own."""

    invitation: Invitation
    organisation_plan: Subscription | None
    inviter: Membership | None
    present: Membership
    plan: Subscription | None
    payments: list[Payment]
    owed: list[int]
    underway: list[int]
    others: list[int]

    @property
    def is_own(self) -> bool:
        """Is the person's place their own account, which joining closes?"""
        return _is_own(self.present)

    @property
    def waiting(self) -> str:
        """As `why_waiting`."""
        return why_waiting(self.invitation, self.organisation_plan, self.inviter)

    def quote(self, at: datetime) -> Quote | None:
        """What leaving is worth; None where the person owns no paid plan."""
        if not self.is_own or self.plan is None or self.plan.period_start_on is None:
            return None
        return quotes.of(self.plan, self.payments, at)


def why_waiting(
    invitation: Invitation, plan: Subscription | None, inviter: Membership | None
) -> str:
    """Why the invitation rests just now: the organisation's plan lapsed ("plan"), or its inviter
    may no longer invite, or give that role, and nobody took it over ("inviter", rule I9); else
    ""."""
    if plan is None or plan.status != "active":
        return "plan"
    needed = GRANT_ADMIN if invitation.is_admin else INVITE
    return "" if inviter is not None and may(inviter, needed) else "inviter"


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


def of(invitation_id: int, user: User, is_deciding: bool = False) -> Standing | None:
    """None when the invitation is not this person's, or the person is nowhere a member. Whoever
    decides holds the locks of the two above, and locks the payments here."""
    values = (*refunds.UNDERWAY, user.id, invitation_id, user.email)
    row = fetch_one(_reading(is_postgresql()), *values)
    if row is None:
        return None
    invitation, organisation, organisation_plan, inviter, present, account, plan = instances(
        row[3:], Invitation, Account, Subscription, Membership, Membership, Account, Subscription
    )
    invitation.account, present.user, present.account = organisation, user, account
    if inviter is not None:
        inviter.account = organisation
    payments: list[Payment] = []
    if plan is not None and _is_own(present):
        payments = (quotes.lock_payments if is_deciding else quotes.payments_of)(plan)
    found = (ids_read(ids) for ids in row[:3])
    return Standing(
        invitation, organisation_plan, inviter, present, plan, payments, *found
    )  # fmt: skip


def _is_own(present: Membership) -> bool:
    return bool(present.account.kind == "individual" and present.is_owner)


@cache
def _reading(on_postgresql: bool) -> str:
    columns: Any = columns_of(
        i=Invitation, o=Account, op=Subscription, im=Membership, m=Membership, a=Account,
        p=Subscription,
    )  # fmt: skip
    ids = ids_found(on_postgresql)
    states = ", ".join("?" * len(refunds.UNDERWAY))
    owed = """FROM invoice WHERE account_id = a.id AND voided_at IS NULL
                AND paid_minor < total_minor"""
    underway = f"""FROM payment JOIN refund ON refund.payment_id = payment.id
                  WHERE payment.account_id = a.id AND payment.gateway <> 'none'
                    AND refund.state IN ({states})"""
    # Of a person's own place alone: of an organisation that would be all of its members.
    others = """FROM membership WHERE a.kind = 'individual' AND account_id = a.id
                  AND ended_at IS NULL AND user_id <> m.user_id"""
    # The inviter is found as a person, by `+ 0`: accounts have one member on average, and
    # organisations thousands, so that databases may try those first.
    return f"""
        SELECT (SELECT {ids}(invoice.id) {owed}),
               (SELECT {ids}(refund.id) {underway}),
               (SELECT {ids}(membership.id) {others}),
               {columns}
          FROM invitation i
          JOIN account o ON o.id = i.account_id
          LEFT JOIN subscription op ON op.account_id = o.id AND op.status <> 'ended'
          LEFT JOIN membership im ON im.user_id = i.inviter_id AND im.account_id + 0 = o.id
                AND im.ended_at IS NULL
          JOIN membership m ON m.user_id = ? AND m.ended_at IS NULL
          JOIN account a ON a.id = m.account_id
          LEFT JOIN subscription p ON p.account_id = a.id AND p.status <> 'ended'
         WHERE i.id = ? AND i.email = ?
    """  # nosec B608 # names of columns, all of them ours
