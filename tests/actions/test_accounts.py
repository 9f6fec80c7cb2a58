"""Opening organisations, the operator and individuals' accounts."""

import pytest

from tests.money import make_account, make_organisation, make_plan, make_user
from webapp.actions import accounts, invoices
from webapp.actions.account_checks import Billed
from webapp.database import database
from webapp.errors import Blocked, DomainError, Invalid, NotThere
from webapp.models import Account, AuditEvent, Membership, Subscription, User

pytestmark = pytest.mark.usefixtures("app")


def create(
    name: str = "Atelier Dumas", owner: str = "claire@example.org", **changes: object
) -> Account:
    values = {"currency": "EUR", "seats": 25, "locale": "fr", "billing_zone": "Europe/Paris"}
    return accounts.create_organisation(name, owner, **{**values, **changes})  # type: ignore[arg-type]


def test_an_organisation_has_an_active_plan_and_an_owner() -> None:
    account = create(billed=Billed("8 quai\n44000 Nantes", "fr", "FR40303265045"))

    plan = account.subscription()
    assert plan is not None
    assert (plan.status, plan.billing_zone, plan.period_start_on) == (
        "active",
        "Europe/Paris",
        None,
    )
    membership = User.get(User.email == "claire@example.org").membership()
    assert membership is not None
    assert (membership.account, membership.roles) == (account, ("owner",))
    assert (account.country, account.seats, account.invitations_per_day) == ("FR", 25, 1000)
    assert [event.kind for event in AuditEvent.select()] == ["organisation:created"]


def test_a_free_person_becomes_owner_and_keeps_the_password() -> None:
    member = accounts.create_individual("claire@example.org", "Claire", "fr", "EUR")
    User.update(password_hash="theirs").execute()

    account = create(password_hash="another")

    user = User.get()
    membership = user.membership()
    assert membership is not None
    assert (membership.account, user.password_hash) == (account, "theirs")
    assert Account.get_by_id(member.account.id).closed_at is not None


def test_a_free_person_without_password_gets_the_one_given() -> None:
    accounts.create_individual("claire@example.org", "Claire", "fr", "EUR")

    create(password_hash="given")

    assert User.get().password_hash == "given"


@pytest.mark.parametrize("kind", ["paid_plan", "belongs_elsewhere", "account_in_use"])
def test_an_owner_with_more_than_a_free_account_is_refused(kind: str) -> None:
    account = make_organisation() if kind == "belongs_elsewhere" else make_account()
    make_user("claire@example.org", account, is_owner=True)
    if kind == "paid_plan":
        make_plan(account)
    if kind == "account_in_use":
        invoices.add(account, "F-1", issued_on=None, due_on=None, total_minor=5)
    before = Account.select().count()

    with pytest.raises(Blocked) as refusal:
        create()

    assert refusal.value.code == kind
    assert (Account.select().count(), Membership.select().count()) == (before, 1)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 65,
        "Win at evil.com",
        "https://evil",
        "www.evil",
        "Write to me@evil",
        "Atelier\nDumas",
        "Atelier\x00",
        "Atelier \u202eDumas",
        "Atelier\u200bDumas",
    ],
)
def test_a_name_that_could_be_a_lure_in_a_mail_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        create(name)
    assert Account.select().count() == 0


@pytest.mark.parametrize("name", ["E.ON", "S.A.R.L. Dumas & Fils", "Ο Ήλιος", "x" * 64, "Dr. Élan"])
def test_names_of_real_organisations_pass(name: str) -> None:
    assert create(name).name == name


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"owner": "claire"}, "address"),
        ({"currency": "EURO"}, "currency"),
        ({"seats": -1}, "count"),
        ({"seats": 10**12}, "count"),
        ({"locale": "de"}, "locale"),
        ({"billed": Billed(country="FRA")}, "country"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(
    changes: dict[str, object], code: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        create(**changes)  # type: ignore[arg-type]

    assert refusal.value.code == code
    assert (Account.select().count(), User.select().count()) == (0, 0)


def test_an_organisation_changes_only_in_what_is_given() -> None:
    account = create()

    accounts.update_organisation(account.public_id, plan="lapsed")
    changed = accounts.update_organisation(account.public_id, seats=3, per_day=50)

    assert (changed.seats, changed.invitations_per_day) == (3, 50)
    assert Subscription.get().status == "lapsed"
    accounts.update_organisation(account.public_id, plan="active")
    assert Subscription.get().status == "active"
    assert Account.get().seats == 3


def test_only_an_organisation_is_updated() -> None:
    individual = make_account()

    for public_id in (individual.public_id, "nobody"):
        with pytest.raises(NotThere):
            accounts.update_organisation(public_id, seats=3)


def test_the_operator_s_account_is_opened_once_and_people_added() -> None:
    first = accounts.create_operator("a@example.org", "Affluent", "EUR", "fr")
    again = accounts.create_operator("A@example.org", "Affluent", "EUR", "fr")
    second = accounts.create_operator("b@example.org", "Affluent", "EUR", "fr", "hash")

    assert first == again
    assert first.account == second.account
    assert first.roles == ("finance",)
    assert Account.select().where(Account.kind == "operator").count() == 1


def test_an_address_has_one_user() -> None:
    accounts.create_individual("a@example.org", "A", "fr", "EUR")

    with pytest.raises(Invalid) as refusal:
        accounts.create_individual("A@example.org", "A", "fr", "EUR")
    assert refusal.value.code == "address_taken"
    assert not database.in_transaction()
