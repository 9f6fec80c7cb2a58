"""What is known already of the people in a chunk, read in a few queries and locked."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from webapp import addresses
from webapp.database import locked
from webapp.imports.files import Line
from webapp.imports.rows import Defaults, other_addresses
from webapp.models import Acceptance, Account, Invoice, Membership, Payment, Subscription, User


@dataclass(slots=True)
class Person:
    """A user, and where they are a member now."""

    user: User
    membership: Membership | None = None
    has_joined: bool = False

    @property
    def account(self) -> Account | None:
        return None if self.membership is None else self.membership.account

    @property
    def is_owner(self) -> bool:
        """Of an account of their own, or of none yet."""
        return self.membership is None or bool(self.membership.is_owner)

    @property
    def is_beyond_import(self) -> bool:
        """Who has joined an organisation, or works for one or for the seller, stays as they are;
        and who was erased stays erased."""
        if self.user.erased_at is not None:
            return True
        return self.has_joined or (self.account is not None and self.account.kind != "individual")

    @property
    def digest(self) -> str | None:
        return None if self.account is None else self.account.imported_digest


@dataclass(slots=True)
class Known:
    """People by address; the rest by the id of the account."""

    people: dict[str, Person] = field(default_factory=dict)
    plans: dict[int, Subscription] = field(default_factory=dict)
    payments: dict[int, dict[str, Payment]] = field(default_factory=lambda: defaultdict(dict))
    invoices: dict[int, dict[str, Invoice]] = field(default_factory=lambda: defaultdict(dict))
    # (account, user) of those who were in an account once and are not any more.
    removed: set[tuple[int, int]] = field(default_factory=set)

    @classmethod
    def of(cls, lines: Iterable[Line]) -> "Known":
        known = cls()
        known._load_people(set(_addresses(lines)))
        own = [
            person.account
            for person in known.people.values()
            if person.account is not None and not person.is_beyond_import
        ]
        if own:
            known._load_accounts([account.id for account in own])
        return known

    def defaults(self, email: str, otherwise: Defaults) -> Defaults:
        """What holds where the line of that person names nothing."""
        person = self.people.get(email)
        if person is None or person.account is None:
            return otherwise
        account = person.account
        plan = self.plans.get(account.id)
        return replace(
            otherwise,
            locale=account.locale,
            currency=account.currency,
            billing_zone=plan.billing_zone if plan else otherwise.billing_zone,
        )

    def _load_people(self, emails: set[str]) -> None:
        # Users first and in one order, as everywhere: whoever joins at this moment is waited for.
        users = locked(User.select().where(User.email.in_(sorted(emails))).order_by(User.id))
        self.people = {user.email: Person(user) for user in users}
        by_id = {person.user.id: person for person in self.people.values()}
        if not by_id:
            return
        present = (
            Membership.select(Membership, Account)
            .join(Account)
            .where(Membership.user.in_(list(by_id)), Membership.ended_at.is_null())
        )
        for membership in present:
            by_id[membership.user_id].membership = membership
        joined = Acceptance.select(Acceptance.user).where(
            Acceptance.user.in_(list(by_id)), Acceptance.undone_at.is_null()
        )
        for acceptance in joined:
            by_id[acceptance.user_id].has_joined = True

    def _load_accounts(self, ids: list[int]) -> None:
        plans = {plan.id: plan for plan in _of(Subscription, ids)}
        for plan in plans.values():
            if plan.status != "ended":
                self.plans[plan.account_id] = plan
        for payment in _of(Payment, ids):
            if payment.subscription_id is not None:
                payment.subscription = plans[payment.subscription_id]
            self.payments[payment.account_id][payment.reference] = payment
        for invoice in _of(Invoice, ids):
            self.invoices[invoice.account_id][invoice.number] = invoice
        left = Membership.select(Membership.account, Membership.user).where(
            Membership.account.in_(ids), Membership.ended_at.is_null(False)
        )
        self.removed = {(membership.account_id, membership.user_id) for membership in left}


def _of(model: Any, account_ids: list[int]) -> Any:
    """The accounts' rows, locked: a payment or a bill settled at this moment is waited for."""
    return locked(model.select().where(model.account.in_(account_ids)).order_by(model.id))


def _addresses(lines: Iterable[Line]) -> Iterable[str]:
    for line in lines:
        for text in (line.fields.get("email"), *other_addresses(line.fields)):
            if isinstance(text, str) and addresses.is_address(text):
                yield addresses.normalised(text)
