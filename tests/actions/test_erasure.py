"""Erasing a person: nothing says any more who they were, but what the law keeps."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from invoices import ledger as transfers
from tests import effects
from tests.effects import carry_out
from tests.joined import join, make_invitation, make_owned, make_person
from tests.money import ACCEPTED, make_account, make_organisation, make_user
from tests.people import make_individual, make_member, membership_of, viewer_of
from webapp import clock, mailer, outbox
from webapp.actions import (
    accounts,
    codes,
    erasure,
    export,
    invoices,
    ledger,
    members,
    refunds,
    sessions,
    sign_in,
    statements,
    throttle,
    undo,
)
from webapp.actions.imports import Import, Sources
from webapp.database import database
from webapp.errors import Blocked, Invalid, NotAllowed
from webapp.imports.files import Line
from webapp.imports.rows import Defaults
from webapp.models import (
    Account,
    AuditEvent,
    DeliveryEvent,
    Invitation,
    KeptMail,
    Membership,
    OutboxMessage,
    Refund,
    Session,
    Statement,
    Subscription,
    Upload,
    UploadRow,
    User,
)
from webapp.models.asked import Asked
from webapp.models.people import page
from webapp.payments.simulated import SimulatedSubscription, subscribe

EMAIL = "solveig.aubertin@example.org"
NAME = "Solveig Aubertin"
# The documents of law: who they were issued to, and what they print.
KEPT = {("statement", "customer_name"), ("statement", "inputs")}


@pytest.fixture(autouse=True)
def time(app: Flask) -> Iterator[time_machine.Traveller]:
    mailer.install(app)
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


def kinds(user: User) -> list[str]:
    return [one.kind for one in erasure.obstacles(membership_of(user), clock.now())]


def places_of(*words: str) -> set[tuple[str, str]]:
    """The columns of all tables in which one of the words stands."""
    found = set()
    for table in database.get_tables():
        for column in database.get_columns(table):
            rows = database.execute_sql(f'SELECT "{column.name}" FROM "{table}"').fetchall()
            texts = (_text(row[0]).lower() for row in rows)
            if any(word.lower() in text for text in texts for word in words):
                found.add((table, column.name))
    return found


def _text(value: object) -> str:
    raw = bytes(value) if isinstance(value, bytes | memoryview) else None
    return str(value) if raw is None else raw.decode("utf-8", "replace")


def settled_and_gone(choice: str = "refund") -> User:
    """Joined with a plan, was refunded, left again: whatever can be kept of anybody is there."""
    user = make_person(EMAIL)
    User.update(name=NAME, folded=f"solveig aubertin {EMAIL}").where(User.id == user.id).execute()
    account = membership_of(user).account
    Account.update(name=NAME).where(Account.id == account.id).execute()
    invoice = invoices.add(
        account, "F-1", issued_on=None, due_on=None, total_minor=900,
        pay_url=f"https://pay.example/?for={EMAIL}",
    )  # fmt: skip
    invoices.mark_paid(account, invoice.number)
    organisation = make_owned()
    offer = {"name": NAME, "department": f"of {NAME}", "note": f"Dear {NAME}", "folded": EMAIL}
    acceptance = join(user, organisation, choice, **offer)
    undo.send_now(user, acceptance.id)
    carry_out("refund", "credit", "render", "mail:accepted")
    for refund in Refund.select():
        Refund.update(state="succeeded").where(Refund.id == refund.id).execute()
        ledger.post([transfers.refund_succeeded(*refunds.figures(refund))])
    members.leave(viewer_of(user), acceptance.membership_id)
    return user


def leave_traces(user: User) -> None:
    """What others wrote of the person, and what passing by leaves."""
    elsewhere = make_owned("Maison Petit")
    waiting = make_invitation(user, elsewhere, name=NAME, location=f"with {NAME}", folded=EMAIL)
    message = effects.message("mail:invitation", {"invitation_id": waiting.id}, invitation=waiting)
    DeliveryEvent.create(
        invitation=waiting, message=message, kind="sent", words=f"250 <{EMAIL}>", at=ACCEPTED
    )
    declined = make_invitation(user, make_owned("Maison Roux"), folded=EMAIL)
    Invitation.update(
        status="declined",
        answered_at=ACCEPTED,
        decline_reason=f"{NAME} says no",
        delivery_note=f"250 {EMAIL} ok",
    ).where(Invitation.id == declined.id).execute()
    upload = Upload.create(
        account=elsewhere, inviter=waiting.inviter_id, name="people.csv", licence="basic",
        role="member", locale="fr", created_at=ACCEPTED,
    )  # fmt: skip
    UploadRow.create(
        upload=upload, line=1, email=EMAIL, name=NAME, department=NAME, job_title=NAME,
        location=NAME, licence="", role="", locale="", verdict="invited",
    )  # fmt: skip
    Membership.update(department=NAME, job_title=NAME).where(Membership.user == user).execute()
    codes.request(EMAIL, "browser", "source", True)
    throttle.count(f"password:{EMAIL}", 10, timedelta(minutes=15))
    OutboxMessage.update(error=f"550 <{EMAIL}> unknown").execute()
    KeptMail.create(message_id="k", recipient=EMAIL, subject=NAME, content=b"", kept_at=ACCEPTED)
    sessions.start(user, agent=f"a browser of {NAME}")


@pytest.mark.parametrize("choice", ["refund", "credit"])
def test_nothing_says_who_it_was_but_the_documents(app: Flask, choice: str) -> None:
    user = settled_and_gone(choice)
    leave_traces(user)
    before = places_of(EMAIL, NAME, "Solveig", "Aubertin")
    assert len(before) > 20
    numbers = [one.number for one in Statement.select().where(Statement.user == user)]

    kept = erasure.erase(viewer_of(user))

    left = places_of(EMAIL, NAME, "Solveig", "Aubertin")
    # A document's own bytes are compressed; what they were made of is not.
    assert left <= KEPT
    assert left == before & KEPT
    assert set(kept.statements) <= set(numbers)
    assert (len(kept.statements), kept.named_in) == (1, int(choice == "credit"))
    assert (kept.invoices, kept.payments) == (1, 1)
    assert ledger.check() == []


def test_the_documents_keep_their_bytes(app: Flask) -> None:
    user = settled_and_gone()
    before = [(one.number, one.sha256, bytes(one.pdf)) for one in Statement.select()]

    erasure.erase(viewer_of(user))

    assert [(one.number, one.sha256, bytes(one.pdf)) for one in Statement.select()] == before


def test_events_stand_and_one_tells_of_the_erasure(app: Flask) -> None:
    user = settled_and_gone()
    before = AuditEvent.select().where(AuditEvent.actor == user).count()

    erasure.erase(viewer_of(user))

    events = AuditEvent.select().where(AuditEvent.actor == user).order_by(AuditEvent.id)
    assert events.count() == before + 1
    assert (events[-1].kind, events[-1].subject, events[-1].facts) == (
        "person:erased", f"user:{user.id}", {},
    )  # fmt: skip


def test_sign_in_finds_nobody(app: Flask) -> None:
    user = make_individual(EMAIL)
    erasure.erase(viewer_of(user))

    with pytest.raises(Invalid):
        sign_in.by_password(EMAIL, "many small streams make a river", "here")
    assert not sign_in.is_user(EMAIL)
    assert not Session.select().where(Session.user == user).exists()
    assert User.get_by_id(user.id).erased_at == ACCEPTED
    assert User.get_by_id(user.id).password_hash is None


def test_the_address_is_free_for_somebody_new(app: Flask) -> None:
    user = make_person(EMAIL)
    Subscription.update(period_end_on="2026-11-02").execute()
    erasure.erase(viewer_of(user))

    again = accounts.create_individual(EMAIL, "", "fr", "EUR")
    acceptance = join(again.user, make_owned())

    assert again.user_id != user.id
    assert acceptance.user_id == again.user_id
    assert export.of(again.user, clock.now())["accounts"][0]["payments"] == []


def test_other_organisations_see_no_row_of_it(app: Flask) -> None:
    user = make_individual(EMAIL)
    organisation = make_owned()
    make_invitation(user, organisation)
    erasure.erase(viewer_of(user))

    people, _ = page(organisation, Asked(), clock.now())
    assert [person.kind for person in people] == ["member"]
    invitation = Invitation.get(Invitation.account == organisation)
    assert (invitation.status, invitation.email) == (
        "superseded", f"erased-{invitation.id}@erased.invalid",
    )  # fmt: skip


def test_mail_that_waits_goes_to_nobody(app: Flask) -> None:
    user = make_individual(EMAIL)
    outbox.write("mail:password", {"user_id": user.id})
    erasure.erase(viewer_of(user))
    carry_out("mail:password")

    assert not KeptMail.select().exists()
    assert not OutboxMessage.select().where(OutboxMessage.quarantined_at.is_null(False)).exists()


def test_an_import_of_the_number_left_revives_nobody(app: Flask) -> None:
    user = make_individual(EMAIL)
    erasure.erase(viewer_of(user))
    address = User.get_by_id(user.id).email
    sources = Sources(Defaults("fr", "EUR", "Europe/Paris", "simulated"))

    Import(sources, lambda number, reason: None).run(
        [Line(1, {"email": address, "name": NAME}, is_json=True)]
    )

    assert User.get_by_id(user.id).name == ""
    assert (
        not Membership.select()
        .where(Membership.user == user, Membership.ended_at.is_null())
        .exists()
    )


def test_a_proof_that_is_not_fresh_is_not_enough(app: Flask) -> None:
    viewer = viewer_of(make_individual(EMAIL))
    viewer.session.proven_at = ACCEPTED - timedelta(minutes=6)

    with pytest.raises(NotAllowed, match="proof"):
        erasure.erase(viewer)
    assert User.get_by_id(viewer.user.id).email == EMAIL


def test_members_leave_first_and_last_owners_hand_over_first(app: Flask) -> None:
    organisation = make_organisation()
    owner = make_member("owner@example.org", organisation, is_owner=True)
    member = make_member("member@example.org", organisation)

    assert (kinds(owner), kinds(member)) == (["last_owner"], ["member"])
    for user in (owner, member):
        with pytest.raises(Blocked):
            erasure.erase(viewer_of(user))
    assert not User.select().where(User.erased_at.is_null(False)).exists()


def test_the_seller_s_people_are_no_customers(app: Flask) -> None:
    user = make_member("finance@seller.example", make_account("operator", "Seller"))

    assert kinds(user) == ["operator"]


def test_what_is_owed_used_or_paid_for_stands_in_the_way(app: Flask) -> None:
    user = make_person(EMAIL)
    account = membership_of(user).account
    invoices.add(account, "F-9", issued_on=None, due_on=None, total_minor=900)
    make_user("other@example.org", account)

    assert kinds(user) == ["invoice", "other_user"]


def test_a_plan_is_given_up_knowingly_and_charged_no_more(app: Flask) -> None:
    user = make_person(EMAIL)
    Subscription.update(gateway_reference="sub_1").execute()
    subscribe("sub_1")
    with pytest.raises(Invalid, match="plan"):
        erasure.erase(viewer_of(user))
    assert User.get_by_id(user.id).email == EMAIL

    erasure.erase(viewer_of(user), gives_up_plan=True)
    carry_out("subscription:cancel")

    assert User.get_by_id(user.id).name == ""
    assert Subscription.get().status == "ended"
    assert SimulatedSubscription.get().is_canceled
    assert Refund.select().count() == Statement.select().count() == 0


def test_a_plan_that_is_over_has_nothing_to_give_up(
    app: Flask, time: time_machine.Traveller
) -> None:
    user = make_person(EMAIL)
    time.move_to(ACCEPTED + timedelta(days=20))
    assert erasure.plan_to_give_up(membership_of(user)) is None
    Subscription.update(gateway_reference="sub_1").execute()
    assert erasure.plan_to_give_up(membership_of(user))  # a gateway goes on charging for it


@pytest.mark.parametrize("state", ["held", "requested", "pending", "failed", "succeeded"])
def test_money_on_its_way_stands_in_the_way(app: Flask, state: str) -> None:
    user = settled_and_gone()
    Refund.update(state=state, requested_at=None).execute()

    assert kinds(user) == ([] if state == "succeeded" else ["refund"])


def test_what_can_still_be_undone_stands_in_the_way(app: Flask) -> None:
    user = make_person(EMAIL)
    acceptance = join(user, make_owned(), "credit")
    assert kinds(user) == ["member", "held"]
    members.leave(viewer_of(user), acceptance.membership_id)

    assert kinds(user) == ["held"]


def test_every_statement_kept_is_the_operators_still(app: Flask) -> None:
    user = settled_and_gone()
    erasure.erase(viewer_of(user))
    seller = make_member("finance@seller.example", make_account("operator", "Seller"))

    (one,) = statements.visible_to(viewer_of(seller))
    assert statements.document(viewer_of(seller), one.number).pdf is not None
