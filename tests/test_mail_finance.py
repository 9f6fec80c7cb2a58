"""What the mails to those who look after money say, to whom, in which language."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.failed import failed_refund, seller
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED, browser_of, make_user
from tests.smtp import parsed, text_of
from webapp import clock, mailer
from webapp.actions import digests, failed_refunds, finance_notices, profile, settlements, undo
from webapp.handlers import rounds
from webapp.models import Account, KeptMail, Membership, OutboxMessage, User

# What mails say does not depend on the engine.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"])

BASE = "http://127.0.0.1:8000"
BEGUN = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def day(app: Flask) -> Iterator[Any]:
    mailer.install(app)
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def organisation(app: Flask) -> Account:
    return make_owned()


@pytest.fixture
def finance(organisation: Account) -> User:
    return make_user("lea@dumas.example", organisation, is_finance=True, name="Léa")


def bring(organisation: Account, *emails: str) -> None:
    for email in emails:
        user = make_person(email)
        acceptance = join(user, organisation, "credit")
        undo.send_now(user, acceptance.id)
        settlements.release(settlement_of(acceptance).id)


def mails(kind: str, to: User) -> list[EmailMessage]:
    """Those of one kind to one person, with all other effects left out."""
    OutboxMessage.delete().where(OutboxMessage.kind != kind).execute()
    rounds.drain()
    kept = KeptMail.select().where(KeptMail.recipient == to.email).order_by(KeptMail.id)
    return [parsed(bytes(mail.content)) for mail in kept]


def words_of(mail: EmailMessage) -> str:
    return text_of(mail).replace("\xa0", " ").replace("\u202f", " ")


def test_finance_is_told_what_came_and_what_is_there(organisation: Account, finance: User) -> None:
    bring(organisation, "a@example.org", "b@example.org")
    finance_notices.collect(clock.now())
    (mail,) = mails("mail:credit-available", finance)
    assert mail["Subject"] == "Nouveau crédit disponible pour Atelier Dumas"
    assert words_of(mail) == (
        "Bonjour Léa,\n"
        "\n"
        "2 personnes qui ont rejoint Atelier Dumas ont apporté 99,94 €. Cela ne peut plus être"
        " annulé.\n"
        "\n"
        "Disponible maintenant : 99,94 €. Ce crédit paiera de lui-même vos prochaines factures.\n"
        "\n"
        "Voir le crédit, après connexion :\n"
        f"{BASE}/billing\n"
        "\n"
        "--\n"
        "\n"
        "Vous recevez ce courriel, une fois par heure au plus, parce que vous suivez les finances"
        " du compte Atelier Dumas.\n"
        "\n"
        "Ce courriel a été envoyé automatiquement pour Affluent.\n"
    )
    assert f'href="{BASE}/billing"' in text_of(mail, "html")
    assert "99,94\xa0€" in text_of(mail, "html")


def test_who_looks_after_money_no_more_learns_nothing(organisation: Account, finance: User) -> None:
    bring(organisation, "a@example.org")
    finance_notices.collect(clock.now())
    Membership.update(is_finance=False).where(Membership.user == finance).execute()
    assert mails("mail:credit-available", finance) == []


def test_the_seller_reads_which_refunds_failed_and_why(app: Flask) -> None:
    user = seller().user
    profile.choose_language(user, "en")
    failed_refund()
    finance_notices.collect(clock.now())
    (mail,) = mails("mail:refunds-failed", user)
    assert mail["Subject"] == "1 refund failed"
    text = text_of(mail)
    assert "- €49.97 to Camille: “" in text
    assert f"{BASE}/billing" in text


def test_a_failure_mended_before_the_mail_goes_out_is_not_told(app: Flask) -> None:
    by = seller()
    refund = failed_refund()[1]
    finance_notices.collect(clock.now())
    failed_refunds.try_again(by, refund.id)
    assert mails("mail:refunds-failed", by.user) == []


def test_the_month_in_french_for_the_organisation(
    organisation: Account, finance: User, day: Any
) -> None:
    bring(organisation, "a@example.org", "b@example.org")
    day.move_to(BEGUN)
    digests.collect(clock.now())
    (mail,) = mails("mail:month", finance)
    assert mail["Subject"] == "Crédit du compte Atelier Dumas en novembre 2026"
    assert words_of(mail).partition("\n--\n")[0] == (
        "Bonjour Léa,\n"
        "\n"
        "- Apporté par 2 personnes arrivées : 99,94 €\n"
        "- Devenu disponible : 99,94 €\n"
        "- En attente à la fin du mois : 0,00 €\n"
        "- Disponible à la fin du mois : 99,94 €\n"
        "\n"
        "Voir le mois, après connexion :\n"
        f"{BASE}/billing/movements?month=2026-11\n"
    )
    assert f"{BASE}/account" in text_of(mail)
    assert "<li>Apporté par 2 personnes arrivées" in text_of(mail, "html")


def test_the_month_in_english_for_the_seller(app: Flask, organisation: Account, day: Any) -> None:
    user = seller().user
    profile.choose_language(user, "en")
    failed_refund(organisation=organisation)
    day.move_to(BEGUN)
    digests.collect(clock.now())
    (mail,) = mails("mail:month", user)
    assert mail["Subject"] == "Refunds and credits of November 2026"
    text = text_of(mail)
    assert "- 1 refund statement: €49.97" in text
    assert "1 refund waits for you just now" in text
    assert f"{BASE}/billing/month-end?month=2026-11\n" in text
    assert f'href="{BASE}/billing/month-end?month=2026-11"' in text_of(mail, "html")


def test_the_monthly_mail_is_turned_off_and_on_again(
    app: Flask, organisation: Account, finance: User, day: Any
) -> None:
    bring(organisation, "a@example.org")
    browser = browser_of(app, finance)
    assert "No more monthly emails" in browser.get("/account").text
    day.move_to(BEGUN)
    digests.collect(clock.now())
    answer = browser.post("/account/digest", data={"wanted": "no", "csrf_token": csrf(browser)})
    assert answer.status_code == 303
    assert "Get the monthly email" in browser.get("/account").text
    assert mails("mail:month", finance) == [], "also of what was written before"
    browser.post("/account/digest", data={"wanted": "yes", "csrf_token": csrf(browser)})
    assert User.get_by_id(finance.id).wants_digest


def csrf(browser: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/account").text)
    assert found is not None
    return found[1]


def test_members_are_not_asked_about_a_mail_that_they_never_get(
    app: Flask, organisation: Account
) -> None:
    member = make_user("paul@dumas.example", organisation)
    assert "onthly email" not in browser_of(app, member).get("/account").text
