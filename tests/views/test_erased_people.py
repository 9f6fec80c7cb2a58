"""Somebody whose data was erased, where others go on reading of what they did: in words, never as
what stands in the place of their address."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from tests import effects
from tests.actions.test_erasure import settled_and_gone
from tests.books import read_csv
from tests.client import Browser, words_of
from tests.failed import seller
from tests.money import ACCEPTED
from tests.people import make_member, viewer_of
from webapp import mailer
from webapp.actions import erasure, invoice_copies, invoices
from webapp.models import Account, Invoice, InvoiceCopy, Membership, OutboxMessage, User
from webapp.models.user import ERASED

# What is said hangs on no engine.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"])

WORDS = {
    "en": "a person whose data was erased",
    "fr": "une personne dont les données ont été effacées",
}


@pytest.fixture(autouse=True)
def erased(app: Flask) -> Iterator[User]:
    """Brought credit, which an invoice took; and an effect of theirs was given up."""
    mailer.install(app)
    with time_machine.travel(ACCEPTED, tick=False):
        user = settled_and_gone("credit")
        erasure.erase(viewer_of(user))
        organisation = Account.get(Account.kind == "organisation")
        invoices.add(
            organisation, "F-7", issued_on=None, due_on=None, total_minor=12000, tax_minor=2000
        )
        message = effects.message("mail:password", {"user_id": user.id})
        OutboxMessage.update(quarantined_at=ACCEPTED, error="no").where(
            OutboxMessage.id == message.id
        ).execute()
        yield User.get_by_id(user.id)


def make_finance(kind: str, language: str) -> User:
    """Who looks after the seller's money, or the organisation's."""
    of_organisation = Membership.account == Account.get(Account.kind == "organisation")
    member = seller() if kind == "operator" else Membership.get(of_organisation)
    User.update(locale=language).where(User.id == member.user_id).execute()
    found: User = User.get_by_id(member.user_id)
    return found


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("kind", ["operator", "organisation"])
def test_pages_and_files_say_it_in_words(app: Flask, kind: str, language: str) -> None:
    browser = Browser(app, language).sign_in_as(make_finance(kind, language))
    invoice = Invoice.get(Invoice.number == "F-7").id
    organisation = Account.get(Account.kind == "organisation").public_id
    paths = {
        "organisation": [
            "/billing", "/billing/movements", f"/billing/invoices/{invoice}", "/statements",
            "/statements.csv", "/journal.csv?month=2026-11", "/activity", "/activity.csv",
        ],
        "operator": [
            "/billing", f"/billing?organisation={organisation}", "/statements", "/statements.csv",
            f"/billing/messages/{OutboxMessage.get(OutboxMessage.error == 'no').id}",
            "/journal.csv?month=2026-11",
        ],
    }  # fmt: skip
    for path in paths[kind]:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert WORDS[language] in words_of(answer).lower(), path
        assert ERASED not in answer.text, path


def test_the_journal_still_tells_one_entry_from_another(app: Flask) -> None:
    answer = (
        Browser(app).sign_in_as(make_finance("operator", "en")).get("/journal.csv?month=2026-11")
    )

    rows = read_csv(answer.text)
    assert all(row["party"] and row["entry"] and row["document"] for row in rows)


def test_a_new_copy_of_the_invoice_says_it_too(app: Flask) -> None:
    invoice = Invoice.get(Invoice.number == "F-7")
    owner = Membership.get(Membership.account == invoice.account)
    copy = invoice_copies.make(owner, invoice)

    frozen = InvoiceCopy.get_by_id(copy.id).inputs
    assert [one["person"] for one in frozen["payments"] if one["statement"]] == [""]
    assert invoice_copies.make(owner, invoice) == copy


def test_sentences_begin_with_a_capital(app: Flask, erased: User) -> None:
    admin = make_member("a@example.org", Account.get(Account.kind == "organisation"), is_admin=True)
    words = words_of(Browser(app).sign_in_as(admin).get("/activity"))

    assert "A person whose data was erased left the organisation." in words
