"""Stories beside those of refunds, for `kills.py`: what somebody or the worker is about to do, and
what it must come to once it was killed in the middle and somebody has gone on."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from tests.drills.killed_refund import Deed, payer
from tests.imports import import_text
from tests.joined import join, make_invitation, make_owned
from tests.people import invite, link_of, make_member, membership_of
from tests.smtp import MailServer
from webapp import clock, outbox
from webapp.actions import imports, invoices, ledger, refunds, uploads
from webapp.actions import undo as undoing
from webapp.actions.inviting import Offer
from webapp.actions.uploads import sending
from webapp.errors import Invalid
from webapp.handlers import rounds
from webapp.models import (
    Account,
    DeliveryEvent,
    Invitation,
    InvitationLink,
    Invoice,
    Membership,
    OutboxMessage,
    Payment,
    Refund,
    Statement,
    Upload,
    User,
)
from webapp.payments.simulated import SimulatedGateway, SimulatedRefund, events
from webapp.policy import policy

WORTH = 4997


def with_credit(server: MailServer) -> Deed:
    user = payer()
    invitation = make_invitation(user, make_owned())
    outbox.write("mail:invitation", {"invitation_id": invitation.id}, invitation=invitation)
    form = {"choice": "credit"}
    return Deed(user, "/join/acceptance", form, link_of(invitation), check=_credited(WORTH, 2))


def undoes_credit(server: MailServer) -> Deed:
    user = payer()
    join(user, make_owned(), "credit")
    return Deed(user, "/join/undo", check=_credited(0, 4))


def releases(server: MailServer) -> Deed:
    user = payer()
    undoing.send_now(user, join(user, make_owned(), "credit").id)
    return Deed(user, check=_credited(WORTH, 2))


def _credited(available: int, statements: int) -> Callable[[], None]:
    def check() -> None:
        organisation = Account.get(Account.kind == "organisation")
        balances = ledger.balances(organisation.id)
        assert balances.get(("credit_available", "EUR"), 0) == available
        assert balances.get(("credit_held", "EUR"), 0) == 0
        assert Statement.select().count() == statements

    return check


def sends_mail(server: MailServer) -> Deed:
    invitation = _pending()
    before = len(server.mails)

    def check() -> None:
        copies = server.mails[before:]
        assert 1 <= len(copies) <= 2
        assert len({mail["Message-ID"] for mail in copies}) == 1
        assert Invitation.get().delivery == "sent"
        assert InvitationLink.select().count() >= 1

    return Deed(invitation.inviter, check=check)


def sends_mails(server: MailServer) -> Deed:
    """Enough of them that some are sent in one run."""
    owner = _owner(make_owned())
    for at in range(7):
        invite(owner, f"p{at}@example.org")
    before = len(server.mails)

    def check() -> None:
        assert {mail["To"] for mail in server.mails[before:]} == {
            f"p{at}@example.org" for at in range(7)
        }
        assert {one.delivery for one in Invitation.select()} == {"sent"}
        events = Counter(one.message_id for one in DeliveryEvent.select())
        assert len(events) == 7
        assert set(events.values()) == {1}

    return Deed(owner, check=check)


def invites(server: MailServer) -> Deed:
    owner = _owner(make_owned())

    def check() -> None:
        assert [one.email for one in Invitation.select()] == ["zoe@example.org"]
        assert OutboxMessage.select().where(OutboxMessage.kind == "mail:invitation").count() == 1

    return Deed(owner, "/invitations", {"emails": "zoe@example.org"}, check=check)


def resends(server: MailServer) -> Deed:
    invitation = _pending()
    path = f"/invitations/{invitation.id}/resend"
    return Deed(invitation.inviter, path, check=lambda: _assert_is("pending"))


def revokes(server: MailServer) -> Deed:
    invitation = _pending()
    path = f"/invitations/{invitation.id}/revocation"
    return Deed(invitation.inviter, path, check=lambda: _assert_is("revoked"))


def _assert_is(status: str) -> None:
    invitation = Invitation.get()
    assert invitation.status == status
    mails = OutboxMessage.select().where(OutboxMessage.invitation == invitation)
    assert (mails.where(OutboxMessage.left_at.is_null(False)).count() > 0) == (status == "pending")


def leaves(server: MailServer) -> Deed:
    member = make_member("paul@dumas.example", make_owned())
    form = {"seen": str(membership_of(member).id)}

    def check() -> None:
        present = membership_of(member)
        assert present.account.kind == "individual"
        assert present.is_owner
        mails = OutboxMessage.select().where(OutboxMessage.kind == "mail:departed")
        assert mails.count() == 1

    return Deed(member, "/account/departure", form, check=check)


def hears(server: MailServer) -> Deed:
    """The refund was made a while ago, its answer was lost; now the gateway tells of it."""
    user = payer()
    undoing.send_now(user, join(user, make_owned(), "refund").id)
    refunds.request(Refund.get().id, SimulatedGateway())
    SimulatedRefund.update(created_at=clock.now() - timedelta(minutes=1)).execute()
    Refund.update(state="requested", gateway_reference=None).execute()
    body, headers = events.signed(events.refund_event(SimulatedRefund.get()), policy())
    return Deed(user, events.ADDRESS, {"body": body.decode(), **headers})


def takes_credit(server: MailServer) -> Deed:
    organisation = _with_credit()
    day = clock.today("Europe/Paris")

    def add() -> None:
        # Where it was done the first time, the number is there already.
        with suppress(Invalid):
            invoices.add(organisation, "F-1", issued_on=day, due_on=day, total_minor=3000)

    def check() -> None:
        assert Invoice.get().paid_minor == 3000
        assert ledger.balance(organisation.id, "credit_used", "EUR") == 3000
        assert ledger.balance(organisation.id, "credit_available", "EUR") == WORTH - 3000

    dates = (f"--issued-on={day}", f"--due-on={day}")
    command = ("invoice", "add", organisation.public_id, "--number=F-1", *dates, "--total=30.00")
    return Deed(_owner(organisation), act=add, again=add, command=command, check=check)


def is_voided(server: MailServer) -> Deed:
    organisation = _with_credit()
    day = clock.today("Europe/Paris")
    invoices.add(organisation, "F-1", issued_on=day, due_on=day, total_minor=3000)

    def void() -> None:
        invoices.void(organisation, "F-1")

    def check() -> None:
        assert Invoice.get().voided_at is not None
        assert ledger.balance(organisation.id, "credit_used", "EUR") == 0
        assert ledger.balance(organisation.id, "credit_available", "EUR") == WORTH

    command = ("invoice", "void", organisation.public_id, "F-1")
    return Deed(_owner(organisation), act=void, again=void, command=command, check=check)


def _with_credit() -> Account:
    organisation, user = make_owned(), payer()
    undoing.send_now(user, join(user, organisation, "credit").id)
    rounds.drain()
    return organisation


def sends_file(server: MailServer) -> Deed:
    """In chunks of four."""
    owner = _owner(make_owned())
    by = membership_of(owner)
    lines = "".join(f"p{at}@example.org\n" for at in range(11))
    upload = uploads.create(by, "people.csv", b"email\n" + lines.encode(), Offer())
    uploads.confirm(by, upload.id)
    sending.CHUNK = 4

    def check() -> None:
        assert (Upload.get().status, Upload.get().sent) == ("done", 11)
        emails = Counter(one.email for one in Invitation.select())
        assert emails == Counter({f"p{at}@example.org": 1 for at in range(11)})
        mails = OutboxMessage.select().where(OutboxMessage.kind == "mail:invitation")
        assert mails.count() == 11

    return Deed(owner, check=check)


def imports_file(server: MailServer) -> Deed:
    """In chunks of two lines."""
    imports.CHUNK = 2
    begins = clock.today("Europe/Paris") - timedelta(days=10)
    ends = begins + timedelta(days=30)
    lines = [
        "email,plan,currency,period_start,period_end,paid,payment_reference",
        *(f"p{at}@example.org,pro,EUR,{begins},{ends},30.00,ch_{at}" for at in range(5)),
    ]
    content = "\n".join(lines)

    def run() -> None:
        assert import_text(content, "people.csv")[1] == {}

    def check() -> None:
        assert User.select().count() == Payment.select().count() == 5
        assert {one.captured_minor for one in Payment.select()} == {3000}

    command = ("import", "FILE")
    return Deed(User(), act=run, again=run, command=command, content=content, check=check)


def _pending() -> Invitation:
    owner = _owner(make_owned())
    return invite(owner, "zoe@example.org")


def _owner(organisation: Account) -> User:
    found = Membership.get(Membership.account == organisation, Membership.is_owner)
    user: User = found.user
    return user


STORIES: dict[str, Callable[[MailServer], Deed]] = {
    "the person joins with credit": with_credit,
    "the person undoes credit": undoes_credit,
    "the worker releases credit": releases,
    "the worker sends an invitation": sends_mail,
    "the worker sends a run of them": sends_mails,
    "an admin invites": invites,
    "an admin resends": resends,
    "an admin revokes": revokes,
    "a member leaves": leaves,
    "the gateway tells of a refund": hears,
    "an invoice takes credit": takes_credit,
    "an invoice is voided": is_voided,
    "a file of people is sent": sends_file,
    "a file of accounts is imported": imports_file,
}
