"""What the mails say, to whom, in which language; and what they must never carry."""

import hashlib
import re
from datetime import date, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests import money
from tests.apps import make_app
from tests.hostile import HOSTILE
from tests.joined import join, make_owned, make_person
from tests.smtp import MailServer, parsed, sending_app, text_of
from webapp import clock, mailer, models, outbox
from webapp.actions import codes, notices, second_factor, statements
from webapp.database import database
from webapp.handlers import rounds
from webapp.models import Invitation, InvitationLink, KeptMail, OutboxMessage, SignInCode, User

BASE = "http://127.0.0.1:8000"
TOKEN = re.compile(rf"{BASE}/join/([A-Za-z0-9_-]{{43}})")
REPORT = re.compile(rf"{BASE}/reports/[0-9]+\.[A-Za-z0-9_-]{{43}}")


@pytest.fixture(autouse=True)
def _able_to_write(app: Flask) -> None:
    mailer.install(app)


def make_invitation(**fields: Any) -> Invitation:
    """A pending invitation by Claire Dumas to Anna, and its mail in the outbox."""
    organisation = fields.pop("organisation", None) or money.make_organisation()
    inviter = User.get_or_none(User.email == "claire@dumas.example") or money.make_user(
        "claire@dumas.example", organisation, name="Claire Dumas", is_owner=True
    )
    now = clock.now()
    values = {
        "account": organisation,
        "email": "anna@example.org",
        "name": "Anna",
        "locale": "fr",
        "inviter": inviter,
        "created_at": now,
        "delivery_at": now,
        "expires_at": now + timedelta(days=30),
    }
    invitation: Invitation = Invitation.create(**{**values, **fields})
    outbox.write("mail:invitation", {"invitation_id": invitation.id}, invitation=invitation)
    return invitation


def kept() -> list[EmailMessage]:
    rounds.drain()
    return [parsed(bytes(mail.content)) for mail in KeptMail.select().order_by(KeptMail.id)]


def only_mail() -> EmailMessage:
    mails = kept()
    assert len(mails) == 1
    return mails[0]


class Links(HTMLParser):
    """The addresses that an HTML part leads to or loads, and its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.elements: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def test_a_person_with_an_account_is_asked_to_join(app: Flask) -> None:
    money.make_user("anna@example.org", money.make_account(), is_owner=True)
    invitation = make_invitation(note="À demain\nClaire")
    mail = only_mail()
    text, html = text_of(mail), text_of(mail, "html")
    assert mail["Subject"] == "Atelier Dumas vous invite"
    assert mail["To"] == "anna@example.org"
    for part in (text, html):
        assert "Claire Dumas (claire@dumas.example)" in part
        assert "avec le compte que vous avez déjà" in part
        assert "À demain" in part
        assert "compte parent de votre organisation, Atelier Dumas" in part
    link = TOKEN.search(text)
    assert link is not None
    report = REPORT.search(text)
    assert report is not None
    assert Links(html).targets == [link.group(), link.group(), report.group()]
    assert f">{link.group()}</a>" in html, "the link also stands there to be copied"
    fresh = Invitation.get_by_id(invitation.id)
    assert (fresh.delivery, fresh.delivery_note, fresh.next_try_at) == ("sent", "", None)


@pytest.mark.parametrize("has_account", [True, False])
@pytest.mark.parametrize(
    ("locale", "said"),
    [
        (
            "fr",
            (
                "Claire Dumas (claire@dumas.example)",
                "Atelier Dumas, 8 quai de la Fosse, 44000 Nantes, France",
                "Ce qui va changer",
                "jusqu’au 23 décembre 2026",
                "Pour dire non, choisissez «\xa0Pas maintenant, ou non merci\xa0»",
                "car Claire Dumas a invité anna@example.org",
                "Signaler ce courriel",
            ),
        ),
        (
            "en",
            (
                "Claire Dumas (claire@dumas.example)",
                "Atelier Dumas, 8 quai de la Fosse, 44000 Nantes, France",
                "What will change",
                "until 23 December 2026",
                "To say no, choose “Not now, or no, thank you”",
                "because Claire Dumas invited anna@example.org",
                "Report this email",
            ),
        ),
    ],
)
def test_the_mail_says_who_why_what_until_when_and_how_to_say_no(
    app: Flask, locale: str, said: tuple[str, ...], has_account: bool
) -> None:
    if has_account:
        money.make_user("anna@example.org", money.make_account(), is_owner=True)
    with time_machine.travel(money.ACCEPTED, tick=True):
        home = {"address": "8 quai de la Fosse\n44000 Nantes", "country": "FR"}
        make_invitation(organisation=money.make_organisation(**home), locale=locale)
        mail = only_mail()
    html = re.sub(r"[ \n]+", " ", text_of(mail, "html"))
    for words in said:
        assert words in html, words
    text = text_of(mail)
    for words in said[:-1]:
        assert words in text, words
    # A reader that shows text alone gets both addresses, each on a line of its own.
    lines = text.splitlines()
    assert [line for line in lines if TOKEN.fullmatch(line)]
    assert [line for line in lines if REPORT.fullmatch(line)]
    assert "<" not in text


def test_a_new_person_is_asked_to_activate_an_account(app: Flask) -> None:
    make_invitation(locale="en")
    mail = only_mail()
    assert mail["Subject"] == "Atelier Dumas invites you"
    text = text_of(mail)
    assert text.startswith("Hello Anna,")
    assert "asks you to activate an account with Atelier Dumas" in text
    assert "already have" not in text
    assert "accept or decline" in text
    assert '<html lang="en">' in text_of(mail, "html")


def test_a_mail_has_the_headers_of_a_machine_and_no_others(app: Flask) -> None:
    make_invitation()
    mail = only_mail()
    row = OutboxMessage.get()
    assert mail["Message-ID"] == f"<outbox-{row.id}@127.0.0.1>"
    assert mail["From"] == "Affluent <no-reply@localhost>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] is not None
    assert {name.lower() for name in mail} == HEADERS
    assert all(len(line) <= 100 for line in bytes(mail).splitlines())


HEADERS = {
    "content-type",
    "mime-version",
    "subject",
    "from",
    "to",
    "date",
    "message-id",
    "auto-submitted",
}


def test_the_token_is_kept_as_its_hash_and_nowhere_else(database_url: str) -> None:
    with MailServer() as server, sending_app(database_url, server):
        invitation = make_invitation()
        rounds.drain()
        found = TOKEN.search(text_of(server.mails[0]))
        assert found is not None
        token = found.group(1)
        link = InvitationLink.get(InvitationLink.invitation == invitation)
        assert link.token_hash == hashlib.sha256(token.encode()).hexdigest()
        for table in database.get_tables():
            rows = database.execute_sql(f'SELECT * FROM "{table}"').fetchall()
            assert token not in repr(rows), table


def test_an_invitation_that_was_revoked_meanwhile_is_not_mailed(app: Flask) -> None:
    invitation = make_invitation()
    Invitation.update(status="revoked", answered_at=clock.now()).execute()
    assert kept() == []
    assert InvitationLink.select().count() == 0
    assert OutboxMessage.get().left_at is not None
    assert Invitation.get_by_id(invitation.id).delivery == "queued"


def test_a_mail_that_a_newer_one_replaced_is_not_sent(app: Flask) -> None:
    invitation = make_invitation()
    outbox.write("mail:invitation", {"invitation_id": invitation.id}, invitation=invitation)
    mail = only_mail()
    assert mail["Message-ID"].startswith(f"<outbox-{OutboxMessage.select().count()}@")
    assert InvitationLink.select().count() == 1


def test_hostile_names_add_no_header_and_no_link(app: Flask) -> None:
    assert len(HOSTILE) >= 50
    for number, name in enumerate(HOSTILE):
        # PostgreSQL keeps no NUL.
        name = name.replace("\x00", "\x01")
        organisation = money.make_organisation(name, address=f"{name}\n{name}", country="FR")
        inviter = money.make_user(f"claire{number}@dumas.example", organisation, name=name)
        make_invitation(
            organisation=organisation,
            inviter=inviter,
            email=f"anna{number}@example.org",
            name=name,
            note=f"{name}\n{name}",
        )
    mails = kept()
    assert len(mails) == len(HOSTILE)
    plain = set(Links(text_of(mails[-1], "html")).elements)
    for number, (name, mail) in enumerate(zip(HOSTILE, mails, strict=True)):
        assert_harmless(mail, f"anna{number}@example.org", f"claire{number}@dumas.example", name)
        assert set(Links(text_of(mail, "html")).elements) == plain, name


def assert_harmless(mail: EmailMessage, to: str, inviter: str, name: str) -> None:
    assert {header.lower() for header in mail} == HEADERS, name
    assert all(len(mail.get_all(header, [])) == 1 for header in HEADERS), name
    assert mail["To"] == to, name
    assert not re.search(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]", mail["Subject"])
    assert "?=" not in mail["Subject"] or "= ?" in mail["Subject"], name
    text, html = text_of(mail), text_of(mail, "html")
    link = TOKEN.search(text)
    assert link is not None
    report = REPORT.search(text)
    assert report is not None
    assert set(Links(html).targets) == {link.group(), report.group()}, name
    words = text
    for ours in (link.group(), report.group(), inviter, to):
        words = words.replace(ours, "")
    assert "://" not in words, name
    assert not re.search(r"[^\W_][.。．｡][^\W_]{2}", words), name
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f]", words), name


def test_a_name_with_its_dots_stays_readable() -> None:
    assert mailer.unlinked("Dupont S.A.R.L.") == "Dupont S.A.R.L."
    assert mailer.unlinked("Dr. J. Martin") == "Dr. J. Martin"
    assert mailer.unlinked("evil.example/x") == "evil. example/x"
    assert mailer.unlinked("https://evil") == "evil"


@pytest.mark.parametrize(
    ("locale", "subject", "words"),
    [
        ("fr", "Votre code de connexion", "personne de chez nous ne vous le demandera"),
        ("en", "Your code to sign in", "nobody from us will ever ask"),
    ],
)
def test_a_mailed_code_can_be_used(app: Flask, locale: str, subject: str, words: str) -> None:
    money.make_user("anna@example.org", money.make_account(), is_owner=True, locale=locale)
    codes.request("anna@example.org", "a browser", "source", is_known=True)
    mail = only_mail()
    assert mail["Subject"] == subject
    assert words in text_of(mail)
    digits = text_of(mail).splitlines()[0]
    assert re.fullmatch(r"\d{6}", digits)
    assert f">{digits}<" in text_of(mail, "html")
    codes.redeem("anna@example.org", "a browser", digits)
    assert SignInCode.get().used_at is not None


def test_a_code_goes_out_before_a_thousand_invitations(app: Flask) -> None:
    for number in range(3):
        make_invitation(email=f"anna{number}@example.org", organisation=money.make_organisation())
    money.make_user("bo@example.org", money.make_account(), is_owner=True)
    codes.request("bo@example.org", "a browser", "source", is_known=True)
    assert kept()[0]["To"] == "bo@example.org"


def test_a_code_that_is_too_old_is_not_mailed(app: Flask) -> None:
    codes.request("bo@example.org", "a browser", "source", is_known=True)
    SignInCode.update(expires_at=clock.now()).execute()
    assert kept() == []


def test_a_new_persons_code_comes_in_the_language_of_the_invitation(app: Flask) -> None:
    make_invitation(locale="en")
    OutboxMessage.delete().execute()
    codes.request("anna@example.org", "a browser", "source", is_known=True)
    assert only_mail()["Subject"] == "Your code to sign in"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("refund", [r"49,97\xa0€ .*Visa •••• 4242"]),
        ("credit", [r"49,97\xa0€ .*Atelier Dumas"]),
    ],
)
def test_a_person_who_joined_gets_amount_date_and_statement(
    app: Flask, choice: str, words: list[str]
) -> None:
    settlement = money.settled(choice)
    OutboxMessage.delete().execute()
    outbox.write("mail:accepted", {"acceptance_id": settlement.acceptance.id})
    mail = only_mail()
    text = text_of(mail)
    assert mail["Subject"] == "Vous avez rejoint Atelier Dumas"
    for word in words:
        assert re.search(word, text)
        assert re.search(word, text_of(mail, "html"))
    assert "24 novembre 2026 à 10:15" in text
    assert "comme avant, avec camille@example.org" in text
    assert f"{BASE}/join" in text
    statement = models.Statement.get(models.Statement.kind == choice)
    assert statement.number in text
    attachments = list(mail.iter_attachments())
    assert [part.get_filename() for part in attachments] == [f"{statement.number}.pdf"]
    assert attachments[0].get_content_type() == "application/pdf"
    assert attachments[0].get_content() == bytes(statement.pdf)


def failed_refund(**fields: Any) -> models.Refund:
    settlement = money.settled("refund", undo_until=money.ACCEPTED)
    OutboxMessage.delete().execute()
    refund: models.Refund = models.Refund.get()
    assert refund.share.settlement == settlement
    models.Refund.update(**{"state": "failed", "requested_at": clock.now(), **fields}).execute()
    return refund


def test_a_person_whose_refund_failed_is_told_and_may_choose_credit(app: Flask) -> None:
    refund = failed_refund(reason="account closed")
    outbox.write("mail:refund-failed", {"refund_id": refund.id})
    mail = only_mail()
    assert mail["Subject"] == "Votre remboursement de 49,97 € n’est pas arrivé"
    for part in (text_of(mail), text_of(mail, "html")):
        assert "49,97\xa0€ sur Visa •••• 4242" in part
        assert "Atelier Dumas" in part
        assert f"{BASE}/join" in part


def test_credit_is_not_offered_in_another_currency(app: Flask) -> None:
    refund = failed_refund()
    models.Account.update(currency="USD").where(models.Account.kind == "organisation").execute()
    outbox.write("mail:refund-failed", {"refund_id": refund.id})

    assert "Atelier Dumas" not in text_of(only_mail())


def test_nobody_is_told_of_a_failure_that_was_put_right(app: Flask) -> None:
    refund = failed_refund(state="succeeded")
    outbox.write("mail:refund-failed", {"refund_id": refund.id})

    assert kept() == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"is_by_hand": True, "paid_on": date(2026, 12, 1), "bank_reference": "VIR-77"},
            ["par virement bancaire le 1er décembre 2026", "VIR-77"],
        ),
        ({"bank_reference": ""}, ["49,97\xa0€ sur Visa •••• 4242 a bien été effectué"]),
    ],
)
def test_a_person_whose_refund_was_paid_after_all_is_told(
    app: Flask, fields: dict[str, Any], words: list[str]
) -> None:
    refund = failed_refund(state="succeeded", **fields)
    outbox.write("mail:refund-paid", {"refund_id": refund.id})
    mail = only_mail()
    assert mail["Subject"] == "Votre remboursement de 49,97 € a été versé"
    for part in (text_of(mail), text_of(mail, "html")):
        for word in words:
            assert word in part
        assert ("Référence" in part) == bool(fields["bank_reference"])


def test_nobody_is_told_of_money_that_came_back_meanwhile(app: Flask) -> None:
    refund = failed_refund()
    outbox.write("mail:refund-paid", {"refund_id": refund.id})

    assert kept() == []


def test_joining_from_a_free_account_says_that_there_was_nothing(app: Flask) -> None:
    user = money.make_user("camille@example.org", money.make_account(), is_owner=True, locale="en")
    acceptance = money.make_acceptance(user, money.make_organisation())
    outbox.write("mail:accepted", {"acceptance_id": acceptance.id})
    mail = only_mail()
    assert "There was nothing to give back." in text_of(mail)
    assert list(mail.iter_attachments()) == []


def test_a_changed_password_is_told(app: Flask) -> None:
    user = money.make_user("anna@example.org", money.make_account(), is_owner=True)
    outbox.write("mail:password", {"user_id": user.id})
    mail = only_mail()
    assert mail["Subject"] == "Votre mot de passe a été modifié"
    assert f"{BASE}/sign-in" in text_of(mail)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_every_change_of_a_second_factor_is_told(app: Flask, locale: str) -> None:
    user = money.make_user(
        "anna@example.org", money.make_account(), is_owner=True, locale=locale, name="Anna"
    )
    changes = (
        "passkey:added", "passkey:removed", "passkey:doubted", "authenticator:added",
        "authenticator:removed", "recovery-codes:made", "recovery-code:used", "factors:forgotten",
    )  # fmt: skip
    for change in changes:
        second_factor.tell(user, change)
    mails = kept()

    assert len(mails) == len({mail["Subject"] for mail in mails}) == len(changes)
    for mail in mails:
        assert "Anna" in text_of(mail)
        assert str(clock.now().year) in text_of(mail)
        assert f"{BASE}/account/sign-in" in text_of(mail)
        assert f"{BASE}/account/sign-in" in text_of(mail, "html")


def answer(invitation: Invitation, status: str, reason: str = "") -> None:
    Invitation.update(status=status, answered_at=clock.now(), decline_reason=reason).where(
        Invitation.id == invitation.id
    ).execute()


def test_an_inviter_learns_of_answers_in_one_digest(app: Flask) -> None:
    organisation = money.make_organisation()
    first = make_invitation(organisation=organisation)
    second = make_invitation(organisation=organisation, email="karl@example.org", name="Karl")
    make_invitation(organisation=organisation, email="silent@example.org")
    OutboxMessage.delete().execute()
    answer(first, "accepted")
    answer(second, "declined", "Je change de métier : https://evil.example")
    assert notices.collect(clock.now()) == 1
    assert notices.collect(clock.now()) == 0
    mail = only_mail()
    text = text_of(mail)
    assert mail["To"] == "claire@dumas.example"
    assert mail["Subject"] == "2 réponses à vos invitations"
    assert "Ont rejoint Atelier Dumas\n\n- Anna (anna@example.org)" in text
    assert "- Karl (karl@example.org)\xa0: «\xa0Je change de métier" in text
    assert "silent@example.org" not in text
    assert f"{BASE}/users" in text
    assert "evil.example" not in text


def test_the_digest_calls_whoever_joined_by_their_own_name(app: Flask) -> None:
    with time_machine.travel(money.ACCEPTED, tick=False):
        organisation = make_owned()
        join(make_person("zoe@example.org"), organisation, "refund", name="Zoé from the bakery")
        OutboxMessage.delete().execute()
        assert notices.collect(clock.now()) == 1
        mail = only_mail()
    assert "- Zoe (zoe@example.org)\n" in text_of(mail)
    assert "Zoe (zoe@example.org)" in text_of(mail, "html")


def test_an_inviter_gets_one_digest_an_hour_at_most(app: Flask) -> None:
    organisation = money.make_organisation()
    first = make_invitation(organisation=organisation)
    second = make_invitation(organisation=organisation, email="karl@example.org")
    answer(first, "accepted")
    now = clock.now()
    assert notices.collect(now) == 1
    answer(second, "accepted")
    assert notices.collect(now + timedelta(minutes=59)) == 0
    assert notices.collect(now + timedelta(minutes=61)) == 1
    digests = OutboxMessage.select().where(OutboxMessage.kind == "mail:answers")
    assert [each.payload["invitation_ids"] for each in digests.order_by(OutboxMessage.id)] == [
        [first.id],
        [second.id],
    ]


def test_who_invites_no_longer_learns_of_no_answers(app: Flask) -> None:
    invitation = make_invitation()
    answer(invitation, "accepted")
    models.Membership.update(is_owner=False).execute()
    assert notices.collect(clock.now()) == 0
    assert Invitation.get_by_id(invitation.id).told_at is not None


def test_production_shows_no_mails(database_url: str) -> None:
    client = make_app(database_url, env="production").test_client()
    for address in ("/dev/mail", "/dev/mail/1", "/dev/mail/1/html", "/dev/mail/1/attachments/0"):
        assert client.get(address).status_code == 404


def test_development_shows_its_mails(app: Flask) -> None:
    make_invitation()
    rounds.drain()
    number = KeptMail.get().id
    client = app.test_client()
    listed = client.get("/dev/mail")
    assert "Atelier Dumas vous invite" in listed.get_data(as_text=True)
    shown = client.get(f"/dev/mail/{number}").get_data(as_text=True)
    assert re.search(rf'<a[^>]* href="{BASE}/join/[A-Za-z0-9_-]{{43}}"', shown)
    html = client.get(f"/dev/mail/{number}/html")
    assert "style-src 'unsafe-inline'" in html.headers["Content-Security-Policy"]
    assert "default-src 'none'" in html.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in listed.headers["Content-Security-Policy"]
    assert client.get(f"/dev/mail/{number + 1}").status_code == 404
    assert client.get(f"/dev/mail/{2**63}").status_code == 404
    assert client.get(f"/dev/mail/{number}/attachments/0").status_code == 404


def test_a_person_who_took_it_back_gets_the_cancelling_statement(app: Flask) -> None:
    with time_machine.travel(money.ACCEPTED + timedelta(hours=1), tick=True):
        settlement = money.settled("refund")
        OutboxMessage.delete().execute()
        acceptance = settlement.acceptance
        original = models.Statement.get(models.Statement.kind == "refund")
        statements.cancel(original)
        models.Acceptance.update(undone_at=clock.now()).execute()
        outbox.write("mail:accepted", {"acceptance_id": acceptance.id})
        outbox.write("mail:undone", {"acceptance_id": acceptance.id})
        mail = only_mail()
    cancelling = models.Statement.get(models.Statement.corrects == original)
    assert cancelling.number in text_of(mail)
    assert "Atelier Dumas" in text_of(mail)
    assert f"{BASE}/account" in text_of(mail)
    assert [part.get_filename() for part in mail.iter_attachments()] == [f"{cancelling.number}.pdf"]


@pytest.mark.parametrize(
    ("is_removed", "subject"),
    [
        (True, "Vous n’êtes plus membre du compte Atelier Dumas"),
        (False, "Vous avez quitté Atelier Dumas"),
    ],
)
def test_who_left_or_was_removed_learns_what_they_own_now(
    app: Flask, is_removed: bool, subject: str
) -> None:
    with time_machine.travel(money.ACCEPTED + timedelta(hours=1), tick=True):
        settlement = money.settled("credit")
        membership = settlement.acceptance.membership
        membership.end(clock.now())
        OutboxMessage.delete().execute()
        payload = {"membership_id": membership.id, "is_removed": is_removed}
        outbox.write("mail:departed", payload)
        mail = only_mail()
    text, html = text_of(mail), text_of(mail, "html")
    assert mail["Subject"] == subject
    assert mail["To"] == "camille@example.org"
    for part in (text, html):
        assert "Un compte personnel gratuit, sans abonnement." in part
        assert "avec camille@example.org" in part
        assert "Le crédit que vous avez transféré à Atelier Dumas y reste." in part
        assert "Jusqu’au 24 novembre 2026 à 10:15" in part
        assert ("un administrateur vous a retiré" in part) == is_removed
        assert ("de vous inviter à nouveau" in part) == is_removed
    assert f"{BASE}/join" in text
    assert f"{BASE}/account" in text


def test_who_undid_joining_is_not_told_that_they_left(app: Flask) -> None:
    settlement = money.settled("refund")
    acceptance = settlement.acceptance
    OutboxMessage.delete().execute()
    outbox.write("mail:departed", {"membership_id": acceptance.membership_id, "is_removed": True})
    assert kept() == []
