"""What the operator's finance sees of refunds, payouts and messages that need a hand, and does."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from tests import effects
from tests.client import Browser, words_of
from tests.failed import failed_refund, payout, seller
from tests.joined import make_owned
from tests.money import ACCEPTED, make_user, settled
from webapp.actions import needs_hand
from webapp.handlers.kinds import HANDLERS
from webapp.models import AuditEvent, OutboxMessage, Refund, User
from webapp.models.user import ERASED


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def operator(app: Flask) -> Browser:
    user = seller().user
    User.update(locale="en").where(User.id == user.id).execute()
    return Browser(app).sign_in_as(user)


def given_up(kind: str, reason: str = "no", **payload: int) -> OutboxMessage:
    message = effects.message(kind, dict(payload))
    OutboxMessage.update(quarantined_at=ACCEPTED, error=reason, attempts=12).where(
        OutboxMessage.id == message.id
    ).execute()
    found: OutboxMessage = OutboxMessage.get_by_id(message.id)
    return found


def test_a_message_says_whom_and_how_much_it_is_about(operator: Browser) -> None:
    settlement = settled("credit", "ann@example.org")
    given_up("credit", "the disk was full", settlement_id=settlement.id)

    page = words_of(operator.get("/billing"))
    assert "Make credit available" in page
    assert "Ann ann@example.org" in page
    assert "“ the disk was full ” €49.97" in page


def test_age_stands_beside_each(operator: Browser, clock: time_machine.Traveller) -> None:
    failed_refund()
    assert "for less than a day" in words_of(operator.get("/billing"))
    clock.shift(timedelta(days=3))

    assert "for 3 days" in words_of(operator.get("/billing"))


def test_the_oldest_come_first_and_the_rest_on_further_pages(
    operator: Browser, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs_hand, "AT_ONCE", 2)
    organisation = make_owned()
    for at in range(5):
        failed_refund(f"p{at}@example.org", organisation)
        clock.shift(60 * (at % 2))  # some at the same moment
    given_up("mail:undone")

    seen, address = [], "/billing"
    while address:
        page = operator.get(address).text
        seen += re.findall(r"<small>p(\d)<wbr>@example", page)
        more = re.search(r'href="([^"]*list=failed[^"]*)"', page)
        address = more[1].replace("&amp;", "&") if more else ""
        assert re.findall(r'class="badge"[^>]*>(\d+)<', page) == ["6"]
    assert seen == ["0", "1", "2", "3", "4"]
    for wrong in ("?list=x", "?list=failed&after=x", "?list=failed&after=1~0"):
        assert operator.get(f"/billing{wrong}").status_code == 404


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("lost or stolen card", "La carte a été perdue ou volée"),
        ("no such <i>", '« <span lang="en">no such &lt;i&gt;</span> »'),
    ],
)
def test_a_reason_is_said_in_french_or_quoted_as_it_came(
    operator: Browser, reason: str, shown: str
) -> None:
    _, refund = failed_refund()
    Refund.update(reason=reason).execute()
    User.update(locale="fr").execute()

    for path in ("/billing", f"/billing/refunds/{refund.id}"):
        assert shown in operator.get(path).text.replace("\u00a0", " ")


def test_each_way_says_what_it_does_before_it_is_done(operator: Browser) -> None:
    _, refund = failed_refund()
    page = words_of(operator.get(f"/billing/refunds/{refund.id}"))

    for words in (
        "Refund €49.97 again",
        "Ask for consent by email",
        "Note €49.97 as paid",
        "the bank declined",
        "Atelier Dumas",
    ):
        assert words in page


def test_without_a_common_currency_credit_is_no_way(operator: Browser) -> None:
    _, refund = failed_refund(organisation=make_owned("Tokyo", currency="JPY"))
    page = operator.get(f"/billing/refunds/{refund.id}")

    assert f"/billing/refunds/{refund.id}/consent" not in page.text
    assert "nothing is ever converted" in words_of(page)


def test_of_whom_no_address_is_left_nothing_is_asked_or_promised(operator: Browser) -> None:
    user, refund = failed_refund()
    path = f"/billing/refunds/{refund.id}"
    assert "The person gets an email" in words_of(operator.get(path))
    User.update(email=f"{user.id}{ERASED}", name="").where(User.id == user.id).execute()

    page = operator.get(path)
    assert f"{path}/consent" not in page.text
    assert "their address is erased" in words_of(page)
    for promise in ("The person gets an email", "The person is told"):
        assert promise not in words_of(page)
    assert f'action="{path}/payment"' in page.text


def test_earlier_tries_are_told(operator: Browser) -> None:
    _, refund = failed_refund()
    operator.post(f"/billing/refunds/{refund.id}/retry")
    Refund.update(state="failed", reason="again no").where(Refund.state == "held").execute()
    newest = Refund.select().order_by(Refund.id.desc()).get()

    page = words_of(operator.get(f"/billing/refunds/{newest.id}"))
    assert "Tried before 23 November 2026: “ the bank declined ”" in page
    assert operator.get(f"/billing/refunds/{refund.id}").status_code == 404


def test_a_message_is_tried_again(operator: Browser) -> None:
    message = given_up("render", statement_id=1)

    assert operator.post(f"/billing/messages/{message.id}/retry").status_code == 303
    fresh = OutboxMessage.get_by_id(message.id)
    assert (fresh.quarantined_at, fresh.attempts) == (None, 0)
    assert AuditEvent.get().kind == "message:retried"
    assert operator.post(f"/billing/messages/{message.id}/retry").status_code == 409
    assert operator.get(f"/billing/messages/{message.id}").status_code == 404
    assert AuditEvent.select().count() == 1


def test_a_mail_is_discarded_with_a_reason(operator: Browser) -> None:
    message = given_up("mail:undone", acceptance_id=1)
    address = f"/billing/messages/{message.id}"

    again = operator.post(f"{address}/discard", reason="  ")
    assert (again.status_code, "Write a reason." in words_of(again)) == (422, True)
    assert operator.post(f"{address}/discard", reason="wrong address").status_code == 303
    fresh = OutboxMessage.get_by_id(message.id)
    assert (fresh.quarantined_at, fresh.canceled_at) == (None, ACCEPTED)
    event = AuditEvent.get()
    assert (event.kind, event.facts) == ("message:discarded", {"reason": "wrong address"})
    assert operator.post(f"{address}/discard", reason="again").status_code == 409


@pytest.mark.parametrize("kind", ["refund", "credit", "credit:push", "render", "subscription:end"])
def test_nothing_that_moves_money_is_dropped(operator: Browser, kind: str) -> None:
    message = given_up(kind)
    address = f"/billing/messages/{message.id}"

    assert "discard" not in operator.get(address).text
    assert operator.post(f"{address}/discard", reason="tired").status_code == 422
    assert OutboxMessage.get_by_id(message.id).quarantined_at == ACCEPTED
    assert AuditEvent.select().count() == 0


def test_every_kind_of_message_has_words(operator: Browser) -> None:
    messages = [given_up(kind) for kind in HANDLERS]
    page = operator.get("/billing").text
    for message in messages:
        title = re.search(rf'id="message-{message.id}">\s*<th scope="row">(.*?)\s*<small>', page)
        assert title is not None
        assert title[1].strip() not in ("", message.kind)


def test_a_payout_has_only_its_payment(operator: Browser) -> None:
    refund = payout()
    page = operator.get(f"/billing/refunds/{refund.id}").text

    assert re.findall(r'action="/billing/refunds/\d+/(\w+)"', page) == ["payment"]


def test_an_organisations_finance_sees_nothing_of_it(app: Flask) -> None:
    _, refund = failed_refund()
    message = given_up("render", statement_id=1)
    user = make_user("f@dumas.example", make_owned("Maison Petit"), is_finance=True, locale="en")
    browser = Browser(app).sign_in_as(user)

    for address in (f"refunds/{refund.id}", f"messages/{message.id}", "month-end"):
        assert browser.get(f"/billing/{address}").status_code == 403
    page = browser.get("/billing")
    assert 'class="badge"' not in page.text
    assert "Month end" not in words_of(page)
