"""Opening accounts: organisations and the operator by command, individuals by import or sign-in."""

from webapp import clock, texts
from webapp.actions import account_checks as checks
from webapp.actions import uploads
from webapp.actions.account_checks import Billed
from webapp.database import locked, transaction
from webapp.errors import Blocked, Invalid, NotThere
from webapp.models import Account, AuditEvent, Invoice, Membership, Subscription, User

PLAN = "organisation"
NOTHING_BILLED = Billed()


def create_organisation(
    name: str,
    owner_email: str,
    currency: str,
    seats: int,
    locale: str,
    billing_zone: str,
    billed: Billed = NOTHING_BILLED,
    password_hash: str | None = None,
) -> Account:
    """An organisation with an active paid plan, and its owner. An owner who is there already keeps
    their password, and must be on a free account of their own with nothing owed. Raises Invalid,
    Blocked."""
    details = {
        "name": checks.organisation_name(name),
        "currency": checks.currency(currency),
        "seats": checks.count("seats", seats),
        "locale": checks.locale(locale),
        **checks.billing(billed),
    }
    email = checks.address("owner", owner_email)
    now = clock.now()
    with transaction():
        owner = _user(email, str(details["locale"]), password_hash)
        _leave_free_account(owner)
        account: Account = Account.create(
            public_id=clock.new_public_id(), kind="organisation", created_at=now, **details
        )
        Subscription.create(
            account=account, plan=PLAN, currency=account.currency, billing_zone=billing_zone
        )
        Membership.create(
            user=owner, account=account, is_owner=True, licence="licensed", joined_at=now
        )
        _tell(account, "organisation:created", {"seats": seats})
    return account


def update_organisation(
    public_id: str,
    seats: int | None = None,
    plan: str | None = None,
    per_day: int | None = None,
) -> Account:
    """Changes what is given; `plan` is "active" or "lapsed" (rule I1). Raises NotThere, Invalid."""
    changes: dict[str, object] = {}
    if seats is not None:
        changes["seats"] = checks.count("seats", seats)
    if per_day is not None:
        changes["invitations_per_day"] = checks.count("per_day", per_day)
    if plan not in (None, "active", "lapsed"):
        raise Invalid("plan_status", field="plan", given=plan)
    with transaction():
        account = organisation(public_id)
        if changes:
            Account.update(**changes).where(Account.id == account.id).execute()
        if plan is not None:
            Subscription.update(status=plan).where(
                Subscription.account == account, Subscription.status != "ended"
            ).execute()
        if per_day is not None:
            uploads.hasten(account)
        facts = changes if plan is None else {**changes, "plan": plan}
        _tell(account, "organisation:updated", facts)
    return organisation(public_id)


def organisation(public_id: str) -> Account:
    """The organisation of that public id; NotThere when there is none."""
    is_it = (Account.public_id == public_id) & (Account.kind == "organisation")
    # PostgreSQL has no NUL in a text, not even in one to compare with.
    found: Account | None = Account.get_or_none(is_it) if "\0" not in public_id else None
    if found is None:
        raise NotThere("organisation", given=public_id)
    return found


def create_operator(
    email: str, name: str, currency: str, locale: str, password_hash: str | None = None
) -> Membership:
    """A person of the seller's finance; the operator's account is opened with the first. Somebody
    who is one already stays one. Raises Invalid, Blocked."""
    address = checks.address("email", email)
    now = clock.now()
    with transaction():
        account = Account.get_or_none(Account.kind == "operator")
        if account is None:
            account = Account.create(
                public_id=clock.new_public_id(),
                kind="operator",
                name=name,
                currency=checks.currency(currency),
                locale=checks.locale(locale),
                created_at=now,
            )
        user = _user(address, locale, password_hash)
        present = user.membership()
        if present is not None and present.account == account:
            return present
        _leave_free_account(user)
        member: Membership = Membership.create(
            user=user, account=account, is_finance=True, joined_at=now
        )
        _tell(account, "operator:created", {"user_id": user.id})
    return member


def create_individual(email: str, name: str, locale: str, currency: str) -> Membership:
    """A new person on a free account of their own: the owner's membership, with `.user` and
    `.account`. Raises Invalid, also for an address that has a user already."""
    address = checks.address("email", email)
    with transaction():
        if User.get_or_none(User.email == address) is not None:
            raise Invalid("address_taken", field="email")
        user = _user(address, locale, None, texts.cleaned(name, 120))
        return open_individual(user, checks.currency(currency))


def open_individual(user: User, currency: str) -> Membership:
    """A free account that the user owns; the caller has seen that they are in none."""
    now = clock.now()
    account = Account.create(
        public_id=clock.new_public_id(),
        kind="individual",
        name=user.name,
        currency=currency,
        locale=user.locale,
        created_at=now,
    )
    member: Membership = Membership.create(user=user, account=account, is_owner=True, joined_at=now)
    return member


def own_again(user: User, currency: str) -> Membership:
    """The person's own individual account, free (rule J16): the one that closed when they joined an
    organisation, or a new one for who never had any. The caller has ended what was before."""
    account = closed_account(user)
    if account is None:
        return open_individual(user, currency)
    Account.update(closed_at=None).where(Account.id == account.id).execute()
    member: Membership = Membership.create(
        user=user, account=account, is_owner=True, joined_at=clock.now()
    )
    return member


def closed_account(user: User) -> Account | None:
    """The individual account that the user owned last, closed since."""
    found: Account | None = (
        Account.select()
        .join(Membership)
        .where(
            Membership.user == user,
            Membership.is_owner,
            Account.kind == "individual",
            Account.closed_at.is_null(False),
        )
        .order_by(Account.closed_at.desc(), Account.id.desc())
        .first()
    )
    return found


def _user(email: str, locale: str, password_hash: str | None, name: str = "") -> User:
    user: User | None = locked(User.select().where(User.email == email)).first()
    if user is None:
        created: User = User.create(
            email=email,
            name=name,
            password_hash=password_hash,
            locale=checks.locale(locale),
            folded=texts.folded(name, email),
            created_at=clock.now(),
        )
        return created
    if user.password_hash is None and password_hash is not None:
        User.update(password_hash=password_hash).where(
            User.id == user.id, User.password_hash.is_null()
        ).execute()
    return user


def _leave_free_account(user: User) -> None:
    """Ends the user's own free account, if there is one. Blocked, with the reason, when there is
    more to it than that: plans are brought in by invitation only."""
    present = user.membership()
    if present is None:
        return
    account = locked(Account.select().where(Account.id == present.account.id)).get()
    if account.kind != "individual" or not present.is_owner:
        raise Blocked("belongs_elsewhere", email=user.email)
    if account.subscription() is not None:
        raise Blocked("paid_plan", email=user.email)
    others = Membership.select().where(
        Membership.account == account, Membership.ended_at.is_null(), Membership.user != user
    )
    unpaid = Invoice.select().where(
        Invoice.account == account,
        Invoice.voided_at.is_null(),
        Invoice.paid_minor < Invoice.total_minor,
    )
    if others.exists() or unpaid.exists():
        raise Blocked("account_in_use", email=user.email)
    now = clock.now()
    present.end(now)
    Account.update(closed_at=now).where(Account.id == account.id).execute()


def _tell(account: Account, kind: str, facts: dict[str, object]) -> None:
    AuditEvent.create(
        at=clock.now(),
        account=account,
        actor=None,
        kind=kind,
        subject=f"account:{account.id}",
        facts=facts,
    )
