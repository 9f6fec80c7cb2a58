"""Importing: what a line brings, what it changes, and whom it leaves alone."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from pwdlib.hashers.bcrypt import BcryptHasher

from tests.imports import contents, import_csv, import_json
from tests.money import ACCEPTED, make_account, make_organisation, make_user, settle
from webapp import clock, passwords
from webapp.actions import accounts, invoices, ledger, ledger_check, quotes, sign_in
from webapp.actions.imports import Counts
from webapp.errors import Invalid
from webapp.models import (
    Account,
    Invoice,
    LedgerTransfer,
    Membership,
    Payment,
    Session,
    Subscription,
    User,
)
from webapp.payments import simulated

BCRYPT = "$2b$04$zPqRLOuiCQq1YtxbsYDmSuRNLkQYPf6y6i6xWNFCJ1HmVFWk7n3Fm"
pytestmark = pytest.mark.usefixtures("app")

ARGON2 = passwords.hashed("many small streams")
YEAR = {"period_start": "2026-01-01", "period_end": "2027-01-01"}
PAID = {
    "email": "camille@example.org",
    "name": "Camille Roux",
    "password_hash": ARGON2,
    "locale": "fr",
    "plan": "yearly",
    "currency": "EUR",
    "billing_zone": "Europe/Paris",
    "address": "4 quai Saint-Vincent\n69001 Lyon",
    "country": "fr",
    "tax_id": "FR 40 303 265 045",
    **YEAR,
    "paid": "120.00",
    "tax": "20.00",
    "tax_rate": "20",
    "method": "Visa •••• 4242",
    "payment_reference": "pi_1",
    "paid_at": "2026-01-01",
    "invoice_number": "F-1",
    "invoice_date": "2025-12-30",
    "owed_number": "F-2",
    "owed": "12.00",
    "owed_due": "2026-12-15",
}


def account_of(email: str) -> Account:
    account: Account = (
        Account.select()
        .join(Membership)
        .join(User)
        .where(User.email == email, Membership.ended_at.is_null())
        .get()
    )
    return account


def test_a_line_of_csv_brings_everything_it_names() -> None:
    counts, reasons = import_csv(PAID)

    assert (counts, reasons) == (Counts(imported=1), {})
    account = account_of("camille@example.org")
    assert (account.kind, account.name, account.locale) == ("individual", "Camille Roux", "fr")
    assert account.address == "4 quai Saint-Vincent\n69001 Lyon"
    assert (account.country, account.tax_id) == ("FR", "FR 40 303 265 045")
    plan = account.subscription()
    assert plan is not None
    assert (plan.plan, plan.status, plan.billing_zone) == ("yearly", "active", "Europe/Paris")
    assert (plan.period_start_on, plan.period_end_on) == (date(2026, 1, 1), date(2027, 1, 1))
    payment = Payment.get()
    assert (payment.subscription, payment.account) == (plan, account)
    assert (payment.captured_minor, payment.tax_minor, payment.tax_rate) == (12000, 2000, "20")
    assert (payment.gateway, payment.reference) == ("simulated", "pi_1")
    assert payment.captured_at == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert (payment.invoice_number, payment.invoice_on) == ("F-1", date(2025, 12, 30))
    invoice = Invoice.get()
    assert (invoice.number, invoice.owed_minor, invoice.due_on) == (
        "F-2",
        1200,
        date(2026, 12, 15),
    )
    assert ledger.balance(account.id, "prepaid", "EUR") == 12000
    assert ledger_check.check() == []


def test_an_imported_person_owns_the_account_and_keeps_the_password() -> None:
    import_csv(PAID)

    user = User.get()
    membership = user.membership()
    assert membership is not None
    assert membership.is_owner
    assert user.folded == "camille roux camille@example.org"
    assert passwords.verified("many small streams", user.password_hash) == (True, None)


@pytest.mark.parametrize("weak", ["river", "123456789012", "camille-roux-1"])
def test_an_imported_password_is_never_measured_by_the_rule_for_new_ones(weak: str) -> None:
    """Too short, among the common ones, the person's own name: it signs in, and again once its
    hash is ours. As a new one it would be refused."""
    import_csv({**PAID, "password_hash": BcryptHasher(rounds=4).hash(weak)})
    user = User.get()

    for _ in range(2):
        assert sign_in.by_password("camille@example.org", weak, "192.0.2.1") == user
    assert User.get().password_hash.startswith("$argon2id$")
    with pytest.raises(Invalid, match="password_"):
        sign_in.require_good(weak, user.email, user.name)


def test_an_address_alone_makes_a_free_account() -> None:
    counts, reasons = import_csv({"email": "Free.Person@Example.org"})

    assert (counts, reasons) == (Counts(imported=1), {})
    account = account_of("free.person@example.org")
    assert (account.subscription(), account.locale, account.currency) == (None, "fr", "EUR")
    assert User.get().password_hash is None
    assert quotes.current(account, clock.now()) is None


def test_a_line_of_json_brings_several_payments_invoices_and_users() -> None:
    line = {
        "email": "camille@example.org",
        "currency": "JPY",
        "billing_zone": "Asia/Tokyo",
        **YEAR,
        "payments": [
            {"reference": "a", "captured_minor": 9000, "tax_minor": 818, "tax_rate": 10},
            {"reference": "b", "captured_minor": 500, "gateway": "none", "invoice_number": "F-9"},
        ],
        "invoices": [
            {"number": "F-9", "issued_on": "2026-01-01", "total_minor": 500, "paid_minor": 500},
            {"number": "F-10", "total_minor": 700, "pay_url": "https://pay.example.org/10"},
        ],
        "other_users": [{"email": "Bob@example.org", "name": "Bob"}, {"email": "eve@example.org"}],
    }
    counts, reasons = import_json(line)

    assert (counts, reasons) == (Counts(imported=1), {})
    first, second = Payment.select().order_by(Payment.reference)
    assert (first.gateway, first.tax_rate, first.currency) == ("simulated", "10", "JPY")
    assert first.captured_at == datetime(2025, 12, 31, 15, tzinfo=UTC)
    assert (second.gateway, second.invoice_on) == ("none", date(2026, 1, 1))
    account = account_of("camille@example.org")
    assert [one.number for one in invoices.open_of(account)] == ["F-10"]
    assert account_of("bob@example.org") == account_of("eve@example.org") == account
    assert Membership.select().where(Membership.is_owner).count() == 1
    assert [one.reference for one in simulated.SimulatedPayment.select()] == ["a"]
    assert ledger_check.check() == []


def test_the_same_file_again_changes_nothing() -> None:
    rows = [PAID, {"email": "free@example.org"}]
    import_csv(*rows)
    before = contents()

    counts, _ = import_csv(*rows)

    assert counts == Counts(unchanged=2)
    assert contents() == before


def test_the_same_file_again_leaves_what_happened_in_between() -> None:
    import_csv(PAID)
    invoices.mark_paid(account_of("camille@example.org"), "F-2")

    assert import_csv(PAID)[0] == Counts(unchanged=1)
    assert Invoice.get().owed_minor == 0


def test_a_changed_line_updates_what_it_names() -> None:
    import_csv(PAID)

    changed = {"email": "camille@example.org", "name": "Camille Roux-Petit", "country": "BE"}
    counts, _ = import_csv(changed)

    assert counts == Counts(updated=1)
    account = account_of("camille@example.org")
    assert (account.name, account.country, account.tax_id) == (
        "Camille Roux-Petit",
        "BE",
        "FR 40 303 265 045",
    )
    assert User.get().folded.startswith("camille roux-petit")
    assert account.subscription() is not None
    assert Payment.select().count() == 1


def test_a_changed_line_that_says_what_is_so_already_is_unchanged() -> None:
    import_csv(PAID)

    same = {"email": "camille@example.org", "name": "Camille Roux"}
    assert import_csv(same)[0] == Counts(unchanged=1)


def test_a_blank_period_makes_the_account_free() -> None:
    import_csv(PAID)

    counts, _ = import_csv({**PAID, "period_start": "", "period_end": "", "paid": "", "tax": ""})

    assert counts == Counts(updated=1)
    account = account_of("camille@example.org")
    assert account.subscription() is None
    assert Subscription.get().ended_at is not None
    assert ledger.balance(account.id, "prepaid", "EUR") == 12000


def test_a_free_account_can_become_paid() -> None:
    import_csv({"email": "camille@example.org"})

    assert import_csv(PAID)[0] == Counts(updated=1)
    quote = quotes.current(account_of("camille@example.org"), datetime(2026, 7, 2, tzinfo=UTC))
    assert quote is not None
    assert (quote.paid_minor, quote.unused_days) == (12000, 183)


def test_the_next_period_leaves_the_payments_of_the_one_before() -> None:
    import_csv(PAID)
    renewed = {
        **PAID,
        "period_start": "2027-01-01",
        "period_end": "2028-01-01",
        "paid": "150.00",
        "tax": "25.00",
        "payment_reference": "pi_2",
    }
    import_csv(renewed)

    plan = account_of("camille@example.org").subscription()
    assert plan is not None
    assert [one.reference for one in quotes.payments_of(plan)] == ["pi_2"]
    assert Subscription.select().where(Subscription.status == "ended").count() == 1


def test_known_payments_listed_again_do_not_pay_for_the_next_period() -> None:
    first = {"reference": "a", "captured_minor": 1000}
    person = {"email": "camille@example.org"}
    import_json({**person, **YEAR, "payments": [first]})
    renewal = {"period_start": "2027-01-01", "period_end": "2028-01-01"}
    import_json({**person, **renewal, "payments": [first, {"reference": "b", "captured_minor": 7}]})

    plan = account_of("camille@example.org").subscription()
    assert plan is not None
    assert [one.reference for one in quotes.payments_of(plan)] == ["b"]


def test_a_corrected_period_keeps_its_payments() -> None:
    import_csv(PAID)

    import_csv({"email": PAID["email"], "period_start": "2026-02-01", "period_end": "2027-02-01"})
    import_csv({**PAID, "period_start": "2026-03-01", "period_end": "2027-03-01"})

    plan = account_of("camille@example.org").subscription()
    assert plan is not None
    assert plan.period_start_on == date(2026, 3, 1)
    assert [one.reference for one in quotes.payments_of(plan)] == ["pi_1"]


@pytest.mark.parametrize(("paid", "held"), [("150.00", 15000), ("90.00", 9000)])
def test_a_corrected_payment_is_one_more_transfer(paid: str, held: int) -> None:
    import_csv(PAID)

    for amount in (paid, "130.00", paid):
        assert import_csv({**PAID, "paid": amount, "tax": "15.00"})[0] == Counts(updated=1)

    payment = Payment.get()
    assert (payment.captured_minor, payment.tax_minor) == (held, 1500)
    assert ledger.balance(payment.account_id, "prepaid", "EUR") == held
    assert LedgerTransfer.select().count() == 4
    assert simulated.SimulatedPayment.get().captured_minor == held
    assert ledger_check.check() == []


def test_a_payment_that_was_given_back_in_part_keeps_its_amounts() -> None:
    import_csv(PAID)
    Payment.update(returned_minor=100).execute()

    counts, reasons = import_csv({**PAID, "paid": "150.00"})

    assert counts == Counts(refused=1)
    assert reasons == {2: "payments: 'pi_1' was given back in part: its amounts stay as they are"}


def test_an_invoice_never_goes_back_from_paid() -> None:
    import_csv(PAID)
    invoices.mark_paid(account_of("camille@example.org"), "F-2")

    import_csv({**PAID, "owed": "13.00", "name": "Camille"})

    assert (Invoice.get().owed_minor, Invoice.get().total_minor) == (0, 1200)


def test_an_unpaid_invoice_follows_what_is_owed_until_nothing_is() -> None:
    import_csv(PAID)

    import_csv({**PAID, "owed": "7.50"})
    assert Invoice.get().owed_minor == 750
    import_csv({**PAID, "owed": ""})
    assert Invoice.get().owed_minor == 0


def test_who_has_joined_an_organisation_is_never_touched() -> None:
    with time_machine.travel(ACCEPTED - timedelta(days=9)):
        import_csv({**PAID, "owed": "", "owed_number": ""})
    user = User.get()
    settle(user, make_organisation(), "refund")
    before = contents()

    changed = {**PAID, "name": "Somebody Else", "password_hash": BCRYPT, "paid": "500.00"}
    counts, reasons = import_csv(changed)

    assert (counts, reasons) == (Counts(unchanged=1), {})
    assert contents() == before


def test_who_left_the_organisation_again_is_not_touched_either() -> None:
    with time_machine.travel(ACCEPTED - timedelta(days=9)):
        import_csv({**PAID, "owed": "", "owed_number": ""})
    user = User.get()
    settle(user, make_organisation(), "refund")
    Membership.update(ended_at=clock.now()).where(Membership.ended_at.is_null()).execute()
    accounts.open_individual(user, "EUR")

    assert import_csv({**PAID, "paid": "500.00"})[0] == Counts(unchanged=1)
    assert Payment.get().captured_minor == 12000


@pytest.mark.parametrize("kind", ["organisation", "operator"])
def test_people_of_an_organisation_or_the_operator_are_never_touched(kind: str) -> None:
    make_user("camille@example.org", make_account(kind), is_owner=True)

    assert import_csv(PAID)[0] == Counts(unchanged=1)
    assert (Account.select().count(), Payment.select().count()) == (1, 0)


def test_another_user_of_somebody_s_account_has_none_to_import() -> None:
    import_json({"email": "a@example.org", "other_users": [{"email": "camille@example.org"}]})

    counts, reasons = import_csv(PAID)

    assert counts == Counts(refused=1)
    assert "is a user of another individual's account" in reasons[2]


def test_another_user_who_was_removed_stays_removed() -> None:
    line = {"email": "a@example.org", "other_users": [{"email": "bob@example.org"}]}
    import_json(line)
    bob = User.get(User.email == "bob@example.org")
    Membership.update(ended_at=clock.now()).where(Membership.user == bob).execute()
    accounts.open_individual(bob, "EUR")

    assert import_json({**line, "name": "A"})[0] == Counts(updated=1)
    membership = bob.membership()
    assert membership is not None
    assert membership.is_owner


def test_a_new_hash_in_the_file_replaces_an_imported_one_and_ends_sessions() -> None:
    import_csv({**PAID, "password_hash": BCRYPT})
    user = User.get()
    now = clock.now()
    Session.create(
        token_hash="x", user=user, created_at=now, last_seen_at=now, proven_at=now, expires_at=now
    )

    assert import_csv(PAID)[0] == Counts(updated=1)
    assert User.get().password_hash == ARGON2
    assert Session.get().ended_at is not None


def test_a_password_chosen_here_outlives_a_changed_line() -> None:
    import_csv({**PAID, "password_hash": BCRYPT})
    User.update(password_hash=ARGON2).execute()

    import_csv({**PAID, "password_hash": BCRYPT, "name": "Camille"})

    assert User.get().password_hash == ARGON2


def test_a_payment_without_reference_goes_back_by_hand() -> None:
    line = {**PAID, "payment_reference": ""}
    import_csv(line)

    payment = Payment.get()
    assert (payment.gateway, payment.reference) == ("none", "import:2026-01-01")
    assert simulated.SimulatedPayment.select().count() == 0
    assert import_csv({**line, "name": "Camille"})[0] == Counts(updated=1)
    assert Payment.select().count() == 1


def test_with_stripe_payments_are_stripe_s() -> None:
    transfer = {**PAID, "email": "b@example.org", "payment_reference": "V1", "method": "Virement"}
    import_csv(PAID, transfer, gateway="stripe")

    found = {one.reference: one.gateway for one in Payment.select()}
    assert found == {"pi_1": "stripe", "V1": "none"}
    assert simulated.SimulatedPayment.select().count() == 0
