"""The main job told once, on both engines: import, invitation, mail, joining, statement."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from pypdf import PdfReader

from invoices.proration import unused_minor
from tests.scenarios.people import (
    FINANCE,
    FREE,
    MONTHLY,
    OWNER,
    PASSWORD,
    YEARLY,
    write_import,
)
from tests.scenarios.visitor import Visitor
from tests.smtp import MailServer, sending_app, text_of
from webapp.database import database
from webapp.handlers import money as money_handlers
from webapp.handlers import rounds

TODAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OWNERS_PASSWORD = "a river joins another"


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def app(database_url: str, mails: MailServer) -> Iterator[Flask]:
    """The context is left again: requests and commands each have their own, as in real life."""
    with sending_app(database_url, mails) as app:
        pass
    yield app
    if not database.is_closed():
        database.close()
    if hasattr(database.obj, "close_all"):
        database.obj.close_all()


@pytest.fixture
def worker(app: Flask) -> Callable[[], None]:
    def work() -> None:
        with app.app_context(), database.connection_context():
            rounds.drain()
            money_handlers.follow_refunds()
            rounds.drain()

    return work


def command(app: Flask, *words: str, typed: str = "") -> str:
    with app.app_context():
        result = app.test_cli_runner().invoke(args=words, input=typed)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def newest(mails: MailServer, email: str) -> EmailMessage:
    return next(mail for mail in reversed(mails.mails) if mail["to"] == email)


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"^http://\S+/join/\S+$", text_of(mail), re.MULTILINE)
    assert found is not None, text_of(mail)
    return found[0]


def code_in(mail: EmailMessage) -> str:
    found = re.search(r"\b\d{6}\b", text_of(mail))
    assert found is not None, text_of(mail)
    return found[0]


def words_of(pdf: bytes) -> str:
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    return " ".join(text.replace("\u202f", " ").split())


def test_the_story_from_import_to_statement(
    app: Flask, mails: MailServer, worker: Callable[[], None], tmp_path: Path
) -> None:
    with time_machine.travel(TODAY, tick=True):
        an_operator_opens_the_house(app, tmp_path)
        admin = an_owner_invites_three(app)
        worker()
        assert sorted(mails.recipients) == sorted([FREE, MONTHLY, YEARLY])
        farid = the_free_one_joins_by_one_press(app, mails)
        yasmine = the_yearly_one_takes_a_refund(app, mails)
        mona = the_monthly_one_leaves_a_credit(app, mails, worker)
        worker()
        the_mails_say_what_was_done(mails)
        the_admin_sees_three_members_and_none_pending(admin)
    with time_machine.travel(TODAY + timedelta(hours=25), tick=True):
        worker()
    with time_machine.travel(TODAY + timedelta(days=2), tick=True):
        worker()
        assert command(app, "ledger", "check") == "the ledger holds"
        the_refund_has_arrived_and_the_credit_can_be_used(app, yasmine)
        everybody_signs_in_as_before(app)
        the_statements_reach_whom_they_concern(app, farid, yasmine, mona)


def an_operator_opens_the_house(app: Flask, folder: Path) -> None:
    rows = write_import(folder / "people.csv", date(2026, 11, 23))
    first = "imported 3, updated 0, unchanged 0, refused 0"
    again = "imported 0, updated 0, unchanged 3, refused 0"
    assert command(app, "import", str(rows)) == first
    assert command(app, "import", str(rows)) == again
    created = command(
        app, "organisation", "create", "Atelier Dumas", "--owner", OWNER, "--currency", "EUR",
        "--seats", "25", "--locale", "fr", typed=OWNERS_PASSWORD + "\n",
    )  # fmt: skip
    assert created.split()[:3] == ["created", "Atelier", "Dumas:"]
    command(app, "operator", "create", FINANCE, typed=OWNERS_PASSWORD + "\n")


def an_owner_invites_three(app: Flask) -> Visitor:
    admin = Visitor(app).visit("/users").sign_in(OWNER, OWNERS_PASSWORD)
    assert (admin.status, admin.address) == (200, "/users")
    assert badge(admin) == 0
    admin.submit("/invitations", emails=f"{FREE}, {YEARLY}\nMona Petit <{MONTHLY}>")
    assert (admin.status, admin.address) == (200, "/users")
    assert badge(admin.visit("/users?status=pending")) == 3
    assert all(email in admin.text for email in (FREE, YEARLY, MONTHLY))
    return admin


def badge(admin: Visitor) -> int:
    return int(admin.page.ids["pending-badge"])


def the_free_one_joins_by_one_press(app: Flask, mails: MailServer) -> Visitor:
    farid = Visitor(app).visit(link_in(newest(mails, FREE)))
    assert (farid.status, farid.address) == (200, "/join")
    farid.sign_in(FREE, PASSWORD)
    assert farid.address == "/join"
    assert "choice" not in farid.text
    farid.submit("/join/acceptance")
    assert (farid.status, farid.address) == (200, "/join")
    assert not farid.has_form("/join/acceptance")
    return farid


def the_yearly_one_takes_a_refund(app: Flask, mails: MailServer) -> Visitor:
    link = link_in(newest(mails, YEARLY))
    yasmine = Visitor(app).visit(link).sign_in(YEARLY, PASSWORD)
    today = date(2026, 11, 23)
    start, end = today - timedelta(days=265), today + timedelta(days=100)
    assert unused_minor(36500, start, end, today) == 10000
    assert "100,00 €" in yasmine.text
    assert "Visa •••• 4242" in yasmine.text
    yasmine.submit("/join/acceptance")
    assert yasmine.status == 422, "nothing is chosen beforehand"
    yasmine.submit("/join/acceptance", choice="refund")
    assert (yasmine.status, yasmine.address) == (200, "/join")
    shown = yasmine.text
    assert "100,00 €" in shown
    assert yasmine.visit(link).text == shown, "the link goes on showing what came of it"
    return yasmine


def the_monthly_one_leaves_a_credit(
    app: Flask, mails: MailServer, worker: Callable[[], None]
) -> Visitor:
    mona = Visitor(app).visit(link_in(newest(mails, MONTHLY)))
    mona.submit("/sign-in/code")
    worker()
    mona.submit("/sign-in/code", code=code_in(newest(mails, MONTHLY)))
    assert (mona.status, mona.address) == (200, "/join")
    assert "49,97 €" in mona.text
    mona.submit("/join/acceptance", choice="credit")
    assert (mona.status, mona.address) == (200, "/join")
    assert "49,97 €" in mona.text
    return mona


def the_mails_say_what_was_done(mails: MailServer) -> None:
    by_person = {email: newest(mails, email) for email in (FREE, YEARLY, MONTHLY)}
    attached = {email: list(mail.iter_attachments()) for email, mail in by_person.items()}
    assert [len(attached[email]) for email in (FREE, YEARLY, MONTHLY)] == [0, 1, 1]
    assert "100,00 €" in text_of(by_person[YEARLY]).replace("\u202f", " ").replace("\xa0", " ")
    pdf = words_of(attached[YEARLY][0].get_content())
    for words in ("Yasmine Duval", "F-1001", "Visa •••• 4242", "100,00 €", "83,33 €", "16,67 €"):
        assert words in pdf, words
    pdf = words_of(attached[MONTHLY][0].get_content())
    for words in ("Mona Petit", "F-1002", "Atelier Dumas", "49,97 €", "41,64 €", "8,33 €"):
        assert words in pdf, words


def the_admin_sees_three_members_and_none_pending(admin: Visitor) -> None:
    admin.visit("/users?status=active")
    assert badge(admin) == 0
    assert all(name in admin.text for name in ("Farid Amar", "Yasmine Duval", "Mona Petit"))
    assert "100,00" not in admin.text, "a person's refund is nothing that the organisation learns"
    admin.visit("/users?status=pending")
    assert FREE not in admin.text


def the_refund_has_arrived_and_the_credit_can_be_used(app: Flask, yasmine: Visitor) -> None:
    yasmine.visit("/join")
    assert 'data-status="succeeded"' in yasmine.content.decode()
    owner = Visitor(app).visit("/billing").sign_in(OWNER, OWNERS_PASSWORD)
    assert owner.address == "/billing"
    assert "49,97 €" in owner.text
    assert "100,00" not in owner.text


def everybody_signs_in_as_before(app: Flask) -> None:
    for email in (FREE, YEARLY):
        person = Visitor(app).visit("/account").sign_in(email, PASSWORD)
        assert (person.status, "Atelier Dumas" in person.text) == (200, True)


def the_statements_reach_whom_they_concern(
    app: Flask, farid: Visitor, yasmine: Visitor, mona: Visitor
) -> None:
    owner = Visitor(app).visit("/statements").sign_in(OWNER, OWNERS_PASSWORD)
    seller = Visitor(app).visit("/statements").sign_in(FINANCE, OWNERS_PASSWORD)
    people = (farid, yasmine, mona, owner, seller)
    links = {person: set(statement_links(person)) for person in people}
    assert [len(links[person]) for person in people] == [0, 1, 1, 1, 3]
    assert links[yasmine] | links[mona] | links[owner] == links[seller]
    [of_account] = links[owner]
    assert "49,97 €" in words_of(owner.visit(of_account).content)
    assert "SEPA" not in words_of(owner.content), "nor how the person had paid"
    [of_yasmine] = links[yasmine]
    assert yasmine.visit(of_yasmine).content == seller.visit(of_yasmine).content
    for stranger in (farid, mona, owner):
        assert stranger.visit(of_yasmine).status == 404


def statement_links(person: Visitor) -> list[str]:
    person.visit("/statements")
    return [link for link in person.page.links if link.endswith(".pdf")]
