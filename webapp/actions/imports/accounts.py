"""An imported person's own account: opened from a line, or changed in what a line names."""

from dataclasses import dataclass
from typing import Any

from webapp import clock
from webapp.actions.imports import invoices, payments, plans, users
from webapp.actions.imports.effects import Effects
from webapp.actions.imports.inserting import insert_all
from webapp.actions.imports.known import Known
from webapp.imports.rows import Defaults, Row
from webapp.models import Account, Membership, User


@dataclass(frozen=True, slots=True)
class Opening:
    """A line whose person has no account yet."""

    line: int
    row: Row
    fingerprint: str


def check_new(row: Row, known: Known) -> None:
    """Raises RowRefused for what a new account can't have."""
    payments.check_new(row)
    invoices.check_new(row)
    users.others_of(row, None, known)


def open_imported(
    openings: list[Opening], known: Known, defaults: Defaults, effects: Effects
) -> None:
    """New accounts with their owners, who may be users already but are in no account. All in a
    few statements: a first import has many of them. IntegrityError when somebody was faster."""
    now = clock.now()
    details = [_details(one, defaults) for one in openings]
    accounts = insert_all(
        Account,
        "public_id",
        [
            {"public_id": clock.new_public_id(), "kind": "individual", "created_at": now, **each}
            for each in details
        ],
    )
    owners = _owners(openings, details, known)
    members = [
        {"user": owners[one.row.email], "account": account, "is_owner": True, "joined_at": now}
        for one, account in zip(openings, accounts, strict=True)
    ]
    insert_all(Membership, "user", members)
    pairs = [(one.row, account) for one, account in zip(openings, accounts, strict=True)]
    started = plans.start(pairs, defaults.billing_zone)
    payments.create(
        [
            (row, account, started.get(account), named)
            for row, account in pairs
            for named in row.payments
        ],
        effects,
    )
    invoices.create([(row, account, named) for row, account in pairs for named in row.invoices])
    for (row, account), each in zip(pairs, details, strict=True):
        users.add_others(account, str(each["locale"]), users.others_of(row, None, known))


def change(row: Row, known: Known, fingerprint: str, defaults: Defaults, effects: Effects) -> bool:
    """Brings an account to what the line names; False when it was so already."""
    person = known.people[row.email]
    account = person.account
    if account is None:
        raise LookupError(row.email)
    named = {name: value for name, value in row.account.items() if getattr(account, name) != value}
    Account.update(imported_digest=fingerprint, **named).where(Account.id == account.id).execute()
    present = known.plans.get(account.id)
    plan = plans.follow(row, account, present, defaults.billing_zone)
    payments.check_currency(row, plan, known.payments[account.id])
    changes = [
        bool(named),
        users.change(person.user, row, account.imported_digest or ""),
        plans.is_changed(present, plan),
        payments.follow(row, account, plan, known.payments[account.id], effects),
        invoices.follow(row, account, known.invoices[account.id]),
        users.add_others(account.id, account.locale, users.others_of(row, account, known)),
    ]
    return any(changes)


def _owners(openings: list[Opening], details: list[dict[str, Any]], known: Known) -> dict[str, int]:
    """The ids of the owners by address; those who are not users yet become users."""
    found: dict[str, int] = {}
    missing = []
    for one, each in zip(openings, details, strict=True):
        person = known.people.get(one.row.email)
        if person is None:
            hash_ = one.row.password_hash
            missing.append(users.columns(one.row.email, each["name"], each["locale"], hash_))
        else:
            found[one.row.email] = person.user.id
            users.change(person.user, one.row, "")
    ids = insert_all(User, "email", missing)
    return found | {str(each["email"]): at for each, at in zip(missing, ids, strict=True)}


def _details(one: Opening, defaults: Defaults) -> dict[str, Any]:
    columns = dict.fromkeys(("name", "address", "country", "tax_id"), "")
    digest = {"imported_digest": one.fingerprint, "currency": one.row.currency}
    return {**columns, "locale": defaults.locale, **one.row.account, **digest}
