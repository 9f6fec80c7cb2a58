"""One customer, brought in: an individual's account by way of an import, or an organisation's
invoices. A person who has joined an organisation is never touched (rule M10)."""

from webapp import addresses
from webapp.actions import invoices
from webapp.actions.imports import Import, Outcome, Sources
from webapp.actions.imports.known import Known, Person
from webapp.actions.stripe_sync import lines, organisations, returns
from webapp.database import transaction
from webapp.imports.files import Line
from webapp.imports.rows import Defaults
from webapp.models import Account, Membership, Payment, Subscription, User
from webapp.payments.source import SourceCustomer, Unmappable


def bring(customer: SourceCustomer, gateway: str, defaults: Defaults) -> tuple[Outcome, list[str]]:
    """What became of the account, and what was left out. Raises Unmappable when all of it was."""
    with transaction():
        linked: Account | None = Account.get_or_none(Account.gateway_customer == customer.reference)
        organisation = organisations.named_by(customer, linked)
        if organisation is not None:
            is_changed = organisations.bring(organisation, customer, defaults.billing_zone)
            return ("updated" if is_changed else "unchanged"), []
        email = customer.email if linked is None else _owner(linked)
        if not email:
            raise Unmappable("has no mail address")
        person = _person(email)
        if person is not None and person.is_beyond_import:
            return "unchanged", []
        _require_same(customer, person)
        return _import(customer, email, person, gateway, defaults)


def _import(
    customer: SourceCustomer, email: str, person: Person | None, gateway: str, defaults: Defaults
) -> tuple[Outcome, list[str]]:
    present = person.account.subscription() if person and person.account else None
    zone = present.billing_zone if present else defaults.billing_zone
    fields = lines.fields(customer, email, zone)
    refused: list[str] = []
    counts = Import(Sources(defaults), lambda number, reason: refused.append(reason)).run(
        [Line(1, fields, is_json=True)]
    )
    if refused:
        raise Unmappable(refused[0])
    person = _person(email)
    if person is None or person.account is None:
        raise LookupError(email)
    is_changed, left_out = _link(person.account, customer, gateway)
    outcome: Outcome = "imported" if counts.imported else "updated"
    if not counts.imported and not counts.updated and not is_changed:
        outcome = "unchanged"
    return outcome, lines.left_out(customer) + left_out


def _link(account: Account, customer: SourceCustomer, gateway: str) -> tuple[bool, list[str]]:
    """What an import's line can't say: who this is at the gateway, what was given back or is
    disputed there, which invoices were taken back, and which are being paid."""
    changes = [
        Account.update(gateway_customer=customer.reference)
        .where(Account.id == account.id, Account.gateway_customer.is_null())
        .execute()
    ]
    if customer.plan is not None:
        reference = customer.plan.reference
        other = Subscription.gateway_reference.is_null() | (
            Subscription.gateway_reference != reference
        )
        changes.append(
            Subscription.update(gateway_reference=reference)
            .where(Subscription.account == account, Subscription.status != "ended", other)
            .execute()
        )
    being_paid = [one.number for one in customer.invoices if one.is_being_paid]
    changes.append(invoices.note_being_paid(account, being_paid))
    more, left_out = _payments(account, customer, gateway)
    numbers = [one.number for one in customer.invoices if one.is_void]
    owed = [one for one in invoices.open_of(account) if one.number in numbers]
    for invoice in owed:
        organisations.take_back(account, invoice.number)
    return any(changes) or more or bool(owed), left_out


def _payments(account: Account, customer: SourceCustomer, gateway: str) -> tuple[bool, list[str]]:
    """What was given back of them elsewhere, and whether the bank looks into them."""
    changes, left_out = [], []
    for one in customer.payments:
        payment = Payment.get_or_none(
            Payment.account == account,
            Payment.reference == one.reference,
            Payment.gateway == gateway,
        )
        if payment is None:
            continue
        if payment.is_disputed != one.is_disputed:
            Payment.update(is_disputed=one.is_disputed).where(Payment.id == payment.id).execute()
            changes.append(True)
        try:
            changes.append(returns.note(payment, one.returned))
        except returns.TooMuch as error:
            left_out.append(str(error))
    return any(changes), left_out


def _require_same(customer: SourceCustomer, person: Person | None) -> None:
    account = None if person is None else person.account
    known = None if account is None else account.gateway_customer
    if known and known != customer.reference:
        raise Unmappable(f"{customer.email} is the customer {known} already")


def _person(email: str) -> Person | None:
    """The person, locked as an import locks, with the account that they are in."""
    return Known.of([Line(1, {"email": email}, is_json=True)]).people.get(_folded(email))


def _folded(email: str) -> str:
    return addresses.normalised(email) if addresses.is_address(email) else email


def _owner(account: Account) -> str:
    """The address by which the owner signs in, whatever the gateway calls them by now."""
    found = (
        User.select(User.email)
        .join(Membership)
        .where(Membership.account == account, Membership.is_owner)
        .order_by(Membership.id.desc())
        .first()
    )
    return str(found.email) if found else ""
