"""Reminders: when they go out, when they do not, and the wish for no more (rule I7)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.client import Browser, words_of
from tests.effects import carry_out
from tests.people import Cast, invite, make_cast, membership_of
from tests.races import race
from tests.smtp import MailServer, sending_app, text_of
from tests.snapshots import everything
from webapp import clock, outbox
from webapp.actions import accounts, invitations, joining, reminders
from webapp.errors import NotThere
from webapp.models import (
    Account,
    AuditEvent,
    DeliveryEvent,
    Invitation,
    InvitationLink,
    Membership,
    OutboxMessage,
)

DAY = timedelta(days=1)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def app(database_url: str, server: MailServer) -> Iterator[Flask]:
    with sending_app(database_url, server) as app:
        yield app


@pytest.fixture
def cast(app: Flask, day: Any, server: MailServer) -> Cast:
    """Zoe was invited to the Atelier; nobody else waits for an answer."""
    cast = make_cast(app)
    invitations.revoke(cast.membership("foreign owner"), cast.foreign_invitation.id)
    carry_out("mail:invitation")
    server.mails.clear()
    return cast


def reminded_on(cast: Cast, day: Any, days: int = 32) -> list[int]:
    """The days after the invitation on which a reminder went out."""
    found = []
    for at in range(1, days):
        day.shift(DAY)
        if reminders.collect(clock.now()):
            found.append(at)
        carry_out("mail:reminder")
        assert reminders.collect(clock.now()) == 0, "once is enough"
    return found


def settings(**changes: Any) -> None:
    Account.update(changes).where(Account.public_id == "dumas0000000").execute()


def test_they_go_out_after_3_and_10_days_and_2_days_before_the_end(
    cast: Cast, day: Any, server: MailServer
) -> None:
    assert reminded_on(cast, day) == [3, 10, 28]
    assert len(server.mails) == 3
    sent = DeliveryEvent.select().join(OutboxMessage)
    assert sent.where(OutboxMessage.kind == "mail:reminder").count() == 3


@pytest.mark.parametrize("answer", ["accepted", "declined", "revoked"])
def test_they_stop_when_there_is_an_answer(cast: Cast, day: Any, answer: str) -> None:
    invited = invite(cast.users["owner"], "max@example.org")
    if answer == "accepted":
        joining.accept(invited.id, cast.session("other invitee"))
    elif answer == "declined":
        invitations.decline(invited, "")
    else:
        invitations.revoke(cast.membership("owner"), invited.id)
    Invitation.update(remind_at=None).where(Invitation.id == cast.invitation.id).execute()

    assert reminded_on(cast, day) == []


def test_one_that_waits_is_withdrawn_by_an_answer(cast: Cast, day: Any, server: MailServer) -> None:
    day.shift(3 * DAY)
    assert reminders.collect(clock.now()) == 1
    invitations.decline(cast.invitation, "")

    carry_out("mail:reminder")

    assert server.mails == []


def test_resending_begins_anew(cast: Cast, day: Any) -> None:
    day.shift(2 * DAY)
    invitations.resend(cast.membership("owner"), cast.invitation.id)

    assert reminded_on(cast, day) == [3, 10, 28]


def test_a_reminder_brings_a_link_of_its_own_and_leaves_the_other_alive(
    cast: Cast, day: Any, server: MailServer
) -> None:
    day.shift(3 * DAY)
    reminders.collect(clock.now())
    carry_out("mail:reminder")

    [mail] = server.mails
    text = text_of(mail)
    assert mail["Subject"] == "Rappel : Atelier Dumas vous invite"
    tokens = [line.rpartition("/")[2] for line in text.splitlines() if "/join/" in line]
    assert len(tokens) == 1
    assert tokens[0] != cast.token
    for token in (cast.token, tokens[0]):
        assert Browser(cast.app).open_link(token).status_code == 200
    assert InvitationLink.select().where(InvitationLink.replaced_at.is_null(False)).count() == 0


@pytest.mark.parametrize("why", ["refused", "plan", "inviter", "enough", "off"])
def test_nobody_is_reminded_in_vain(cast: Cast, day: Any, why: str) -> None:
    if why == "refused":
        Invitation.update(delivery="refused").execute()
    elif why == "plan":
        accounts.update_organisation(cast.organisation.public_id, plan="lapsed")
    elif why == "inviter":
        Membership.update(is_admin=False).where(
            Membership.id == cast.membership("admin").id
        ).execute()
    elif why == "off":
        settings(first_reminder_days=0, second_reminder_days=0, last_reminder_days=0)
    elif why == "enough":
        day.shift(3 * DAY)
        for _ in range(3):
            outbox.write("mail:invitation", {}, invitation=cast.invitation)
        OutboxMessage.update(created_at=clock.now() - timedelta(hours=1)).execute()
        Invitation.update(remind_at=clock.now()).execute()
        assert reminders.collect(clock.now()) == 0
        return

    assert reminded_on(cast, day) == []


def test_an_organisation_chooses_its_own_days(cast: Cast, day: Any) -> None:
    settings(invitation_days=7, first_reminder_days=1, second_reminder_days=0, last_reminder_days=3)
    membership = membership_of(cast.users["owner"])
    invitations.revoke(membership, cast.invitation.id)
    invited = invite(cast.users["owner"], "new@example.org")

    assert invited.expires_at == clock.now() + 7 * DAY
    assert reminded_on(cast, day) == [1, 4]


def test_a_reminder_that_was_taken_away_is_not_sent(cast: Cast, day: Any) -> None:
    settings(first_reminder_days=0)

    assert reminded_on(cast, day) == [10, 28]


def test_a_worker_that_was_away_sends_one_for_those_it_missed(cast: Cast, day: Any) -> None:
    day.shift(11 * DAY)

    assert [reminders.collect(clock.now()) for _ in range(2)] == [1, 0]
    assert Invitation.get_by_id(cast.invitation.id).remind_at == clock.now() + 17 * DAY


def test_workers_at_once_write_one_reminder(cast: Cast, day: Any) -> None:
    day.shift(3 * DAY)
    now = clock.now()

    assert sum(race(4, lambda at: reminders.collect(now))) == 1
    assert OutboxMessage.select().where(OutboxMessage.kind == "mail:reminder").count() == 1


def stop_address(server: MailServer) -> str:
    header = str(server.mails[-1]["List-Unsubscribe"])
    assert header.startswith("<http://127.0.0.1:8000/reminders/")
    assert header.endswith(">")
    return header[1:-1].removeprefix("http://127.0.0.1:8000")


@pytest.fixture
def stop(cast: Cast, day: Any, server: MailServer) -> str:
    """The address in a reminder that ends the reminders."""
    day.shift(3 * DAY)
    reminders.collect(clock.now())
    carry_out("mail:reminder")
    return stop_address(server)


def test_a_reminder_says_how_to_get_no_more(cast: Cast, server: MailServer, stop: str) -> None:
    [mail] = server.mails
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert stop in text_of(mail)
    assert stop in text_of(mail, "html")
    assert cast.token not in stop


def test_looking_at_that_page_changes_nothing(cast: Cast, stop: str) -> None:
    before = everything()

    page = Browser(cast.app).get(stop)
    Browser(cast.app).head(stop)

    assert page.status_code == 200
    assert "Do you want no more reminders" in words_of(page)
    assert everything() == before


def test_a_mail_program_stops_them_with_one_request(cast: Cast, day: Any, stop: str) -> None:
    """RFC 8058: no cookie, no token of a form, no redirect."""
    client = cast.app.test_client()

    for _ in range(2):
        answer = client.post(stop, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.data) == (200, b"")
        assert "Set-Cookie" not in answer.headers

    assert reminded_on(cast, day) == []
    assert AuditEvent.select().where(AuditEvent.kind == "invitation:muted").count() == 1
    assert Invitation.get_by_id(cast.invitation.id).is_live(clock.now() - 20 * DAY)


def test_a_person_stops_them_with_one_press(cast: Cast, stop: str) -> None:
    browser = Browser(cast.app)

    answer = browser.post(stop)

    assert (answer.status_code, answer.location) == (303, stop)
    page = words_of(browser.get(stop))
    assert "You get no more reminders of this invitation." in page
    assert Browser(cast.app).open_link(cast.token).status_code == 200


def test_resending_does_not_break_that_wish_and_another_address_has_none(
    cast: Cast, day: Any, stop: str
) -> None:
    cast.app.test_client().post(stop)
    invitations.resend(cast.membership("owner"), cast.invitation.id)
    assert reminded_on(cast, day, 5) == []

    invitations.mend(cast.membership("owner"), cast.invitation.id, "zoe@example.com")

    assert reminded_on(cast, day, 5) == [3]
    with pytest.raises(NotThere):
        reminders.mute(stop.rpartition("/")[2])


@pytest.mark.parametrize("token", ["", "1", "1.", "1.x", "x.y", "9" * 30 + ".x", "٣.x", "%00"])
def test_a_token_that_we_never_made_is_not_there(cast: Cast, token: str) -> None:
    before = everything()
    client = cast.app.test_client()

    for answer in (client.get(f"/reminders/{token}"), client.post(f"/reminders/{token}")):
        assert answer.status_code == 404
    assert everything() == before


def test_a_reminder_that_is_refused_is_told_of_the_invitation(
    cast: Cast, day: Any, server: MailServer
) -> None:
    server.answers["zoe@example.org"] = "550 5.2.1 Mailbox disabled"
    day.shift(3 * DAY)
    reminders.collect(clock.now())
    carry_out("mail:reminder")

    fresh = Invitation.get_by_id(cast.invitation.id)
    assert (fresh.delivery, fresh.delivery_note) == ("refused", "550 5.2.1 Mailbox disabled")
