"""The worker's rounds against a real mail server: sent, tried again, refused, quarantined."""

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from peewee import OperationalError

from invoices import printing
from tests import money
from tests.processes import environment, start_worker
from tests.smtp import MailServer, sending_app, text_of
from webapp import clock, outbox
from webapp.actions import notices, sent
from webapp.database import database
from webapp.handlers import kinds, rounds
from webapp.handlers import money as money_handlers
from webapp.models import (
    DeliveryEvent,
    Invitation,
    InvitationLink,
    OutboxMessage,
    Refund,
    Settlement,
    Statement,
    User,
)
from webapp.outbox import claiming
from webapp.smtp_line import Plain

MOMENT = timedelta(seconds=1)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def app(database_url: str, server: MailServer) -> Iterator[Flask]:
    with sending_app(database_url, server) as app:
        yield app


def invite(*emails: str) -> list[Invitation]:
    """Pending invitations by Claire Dumas, and their mails in the outbox."""
    organisation = money.make_organisation()
    inviter = money.make_user("claire@dumas.example", organisation, is_owner=True)
    return [invite_into(organisation, inviter, email) for email in emails]


def invite_into(organisation: Any, inviter: User, email: str) -> Invitation:
    now = clock.now()
    invitation: Invitation = Invitation.create(
        account=organisation,
        email=email,
        locale="en",
        inviter=inviter,
        created_at=now,
        delivery_at=now,
        expires_at=now + timedelta(days=30),
    )
    outbox.write("mail:invitation", {"invitation_id": invitation.id}, invitation=invitation)
    return invitation


def delivery(invitation: Invitation) -> tuple[str, str]:
    fresh = Invitation.get_by_id(invitation.id)
    return fresh.delivery, fresh.delivery_note


def test_many_mails_go_over_one_connection(app: Flask, server: MailServer) -> None:
    invitations = invite(*(f"p{number}@example.org" for number in range(20)))
    assert rounds.drain() is None
    assert server.connections == 1
    assert sorted(server.recipients) == sorted(each.email for each in invitations)
    assert {delivery(each) for each in invitations} == {("sent", "")}
    assert len({mail["Message-ID"] for mail in server.mails}) == 20


@pytest.mark.parametrize("pipelines", [False, True])
def test_each_mail_is_marked_before_the_next_ones_content_goes_out(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch, pipelines: bool
) -> None:
    server.pipelines = pipelines
    marked: list[int] = []
    send_content = Plain.send_content

    def counted(line: Plain, content: bytes) -> None:
        assert line.has_extn("pipelining") == pipelines
        is_marked = OutboxMessage.sent_at.is_null(False) | OutboxMessage.left_at.is_null(False)
        marked.append(OutboxMessage.select().where(is_marked).count())
        send_content(line, content)

    monkeypatch.setattr(Plain, "send_content", counted)
    invite(*(f"p{number}@example.org" for number in range(16)))
    rounds.drain()
    assert marked == list(range(16))
    assert DeliveryEvent.select().where(DeliveryEvent.kind == "sent").count() == 16


def test_what_a_killed_worker_had_sent_is_told_and_not_sent_again(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(claims: object) -> None:
        raise Killed

    people = invite(*(f"p{number}@example.org" for number in range(12)))
    with monkeypatch.context() as patched:
        patched.setattr(sent, "tell", killed)
        with pytest.raises(Killed):
            rounds.drain()
    assert len(server.mails) == 1 + 4
    del app.extensions["taken"]  # nor does it remember
    with time_machine.travel(clock.now() + claiming.LEASE + timedelta(seconds=1), tick=True):
        rounds.drain()
    assert sorted(server.recipients) == sorted(one.email for one in people)
    assert {delivery(one) for one in people} == {("sent", "")}
    assert DeliveryEvent.select().where(DeliveryEvent.kind == "sent").count() == 12
    assert InvitationLink.select().count() == 12


@pytest.mark.parametrize(("mails", "mark"), [(1, "claiming.mark_left"), (12, "sent.mark")])
def test_a_worker_that_lives_sends_nothing_twice_though_its_mark_is_lost_twice(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch, mails: int, mark: str
) -> None:
    """The database goes exactly between the mail server's 250 and our mark, and is away again when
    that is to be made up for."""
    people = invite(*(f"p{number}@example.org" for number in range(mails)))
    place, name = {"claiming": claiming, "sent": sent}[mark.split(".")[0]], mark.split(".")[1]
    for step in range(2):
        with (
            monkeypatch.context() as patched,
            time_machine.travel(clock.now() + step * (claiming.LEASE + MOMENT), tick=True),
        ):
            patched.setattr(place, name, gone)
            with pytest.raises(OperationalError):
                rounds.drain()
        assert len(server.mails) == (1 if mails == 1 else 2)
    with time_machine.travel(clock.now() + 2 * (claiming.LEASE + MOMENT), tick=True):
        rounds.drain()
    assert sorted(server.recipients) == sorted(one.email for one in people)
    assert {delivery(one) for one in people} == {("sent", "")}


def test_marks_that_a_database_lost_as_it_went_are_made_again(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are committed before its disk has them (decision 0019)."""

    def crashed(claims: object) -> None:
        OutboxMessage.update(sent_at=None).execute()
        gone()

    people = invite(*(f"p{number}@example.org" for number in range(12)))
    with monkeypatch.context() as patched:
        patched.setattr(sent, "tell", crashed)
        with pytest.raises(OperationalError):
            rounds.drain()
    assert len(server.mails) == 1 + 4
    rounds.drain(lambda: True)
    assert OutboxMessage.select().where(OutboxMessage.sent_at.is_null(False)).count() == 4
    with time_machine.travel(clock.now() + claiming.LEASE + MOMENT, tick=True):
        rounds.drain()
    assert sorted(server.recipients) == sorted(one.email for one in people)


def gone(*args: object) -> None:
    raise OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize("pipelines", [False, True])
def test_a_refusal_in_a_run_is_its_own_mails_affair(
    app: Flask, server: MailServer, pipelines: bool
) -> None:
    server.pipelines = pipelines
    people = invite(*(f"p{number}@example.org" for number in range(12)))
    server.answers |= {people[4].email: "550 5.1.1 No such user", people[6].email: "451 Later"}
    server.content_answers = ["250 OK"] * 7 + ["554 5.7.1 We do not like it"]
    assert rounds.drain() is not None
    seen = [delivery(one)[0] for one in people]
    assert Counter(seen) == {"sent": 9, "refused": 2, "deferred": 1}
    assert (seen[4], seen[6], seen[9]) == ("refused", "deferred", "refused")
    assert len(server.mails) == 9
    assert server.connections == 1


def test_a_long_connection_is_taken_up_anew(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.smtp.MOST", 5)
    invite(*(f"p{number}@example.org" for number in range(8)))
    rounds.drain()
    assert len(server.mails) == 8
    assert server.connections == 2


def test_a_refused_address_keeps_the_servers_words(app: Flask, server: MailServer) -> None:
    server.answers["gone@example.org"] = "550 5.1.1 No such user here"
    gone, there = invite("gone@example.org", "there@example.org")
    assert rounds.drain() is None
    assert delivery(gone) == ("refused", "550 5.1.1 No such user here")
    assert delivery(there) == ("sent", "")
    assert server.recipients == ["there@example.org"]
    assert not OutboxMessage.select().where(outbox.is_waiting()).exists()


def test_a_refused_content_is_final_too(app: Flask, server: MailServer) -> None:
    server.content_answers = ["554 5.7.1 We do not like it"]
    [invitation] = invite("anna@example.org")
    rounds.drain()
    assert delivery(invitation) == ("refused", "554 5.7.1 We do not like it")


@pytest.mark.parametrize("where", ["recipient", "content"])
def test_a_deferred_mail_is_tried_again_when_its_pause_is_over(
    app: Flask, server: MailServer, where: str
) -> None:
    if where == "recipient":
        server.answers["anna@example.org"] = "451 4.7.1 Greylisted"
    else:
        server.content_answers = ["451 4.7.1 Greylisted"]
    [invitation] = invite("anna@example.org")
    next_try_at = rounds.drain()
    assert next_try_at is not None
    assert timedelta(0) < next_try_at - clock.now() <= timedelta(seconds=20)
    assert delivery(invitation) == ("deferred", "451 4.7.1 Greylisted")
    assert Invitation.get_by_id(invitation.id).next_try_at == next_try_at
    server.answers.clear()
    rounds.drain()
    assert server.mails == [], "not before its time"
    with time_machine.travel(next_try_at + timedelta(seconds=1), tick=True):
        assert rounds.drain() is None
    assert delivery(invitation) == ("sent", "")
    assert len(server.mails) == 1


def test_a_connection_lost_within_the_content_sends_the_mail_once(
    app: Flask, server: MailServer
) -> None:
    server.resets = 1
    first, second = invite("anna@example.org", "bo@example.org")
    next_try_at = rounds.drain()
    assert next_try_at is not None
    assert delivery(first)[0] == "deferred"
    assert delivery(second) == ("sent", ""), "the next mail takes a new connection"
    with time_machine.travel(next_try_at + timedelta(seconds=1), tick=True):
        rounds.drain()
    assert sorted(server.recipients) == ["anna@example.org", "bo@example.org"]


def test_a_server_that_is_away_defers_all_and_loses_none(
    database_url: str, server: MailServer
) -> None:
    away = MailServer()
    with sending_app(database_url, away):
        invitations = invite(*(f"p{number}@example.org" for number in range(30)))
        next_try_at = rounds.drain()
        assert next_try_at is not None
        assert {delivery(each)[0] for each in invitations} == {"deferred"}
        with away, time_machine.travel(next_try_at + timedelta(seconds=5), tick=True):
            rounds.drain()
        assert sorted(away.recipients) == sorted(each.email for each in invitations)
        assert len({mail["Message-ID"] for mail in away.mails}) == 30


def test_a_server_that_says_nothing_is_not_waited_for_again_and_again(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.smtp_line.CONTENT_TIMEOUT", 0.2)
    server.holds = True
    server.content_answers = ["451 never heard"]
    [invitation] = invite("anna@example.org")
    assert rounds.drain() is not None
    assert delivery(invitation)[0] == "deferred"


def test_after_the_last_try_a_mail_rests_in_quarantine(app: Flask, server: MailServer) -> None:
    server.answers["anna@example.org"] = "451 4.3.0 Not now"
    [invitation] = invite("anna@example.org")
    OutboxMessage.update(attempts=len(claiming.PAUSES)).execute()
    assert rounds.drain() is None
    message = OutboxMessage.get()
    assert message.quarantined_at is not None
    assert message.error == "451 4.3.0 Not now"
    assert delivery(invitation) == ("refused", "451 4.3.0 Not now")


def test_a_mail_that_cannot_be_built_holds_up_no_other(app: Flask, server: MailServer) -> None:
    bad, good = invite("anna@example.org\nbcc: eve@example.org", "bo@example.org")
    rounds.drain()
    assert server.recipients == ["bo@example.org"]
    quarantined = OutboxMessage.get(OutboxMessage.quarantined_at.is_null(False))
    assert quarantined.invitation == bad
    assert delivery(good) == ("sent", "")


def test_an_error_of_one_kind_leaves_the_others_alone(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(errand: object) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setitem(kinds.HANDLERS, "render", fail)
    outbox.write("render", {"statement_id": 1})
    outbox.write("nonsense", {})
    invite("anna@example.org")
    rounds.drain()
    errors = OutboxMessage.select().where(OutboxMessage.quarantined_at.is_null(False))
    assert sorted(each.error for each in errors) == ["KeyError: 'nonsense'", "RuntimeError: broken"]
    assert server.recipients == ["anna@example.org"]


def test_a_message_that_always_kills_its_worker_is_given_up(app: Flask, server: MailServer) -> None:
    invite("anna@example.org")
    OutboxMessage.update(attempts=len(claiming.PAUSES) + 1).execute()
    rounds.drain()
    assert OutboxMessage.get().quarantined_at is not None
    assert server.mails == []


def test_a_worker_whose_claim_has_ended_sends_nothing(app: Flask, server: MailServer) -> None:
    invite("anna@example.org")
    late = claiming.claim()
    assert late is not None
    with time_machine.travel(clock.now() + claiming.LEASE + timedelta(seconds=1), tick=True):
        rounds.drain()
        with rounds.Post() as post:
            rounds.carry_out(rounds.Errand(late, post))
    assert len(server.mails) == 1
    assert OutboxMessage.get().left_at is not None


def test_two_workers_send_each_mail_once(app: Flask, server: MailServer) -> None:
    invite(*(f"p{number}@example.org" for number in range(30)))
    at_once(app, rounds.drain, rounds.drain, rounds.drain, rounds.drain)
    rounds.drain()
    assert len(server.recipients) == len(set(server.recipients)) == 30


def test_what_a_slow_server_leaves_of_a_batch_is_anybodys(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(*(f"p{number}@example.org" for number in range(8)))
    monkeypatch.setattr(rounds, "QUICK", 0.0)
    counts: list[int] = []
    rounds.drain(lambda: counts.append(len(server.mails)) or len(server.mails) == 3)
    assert len(server.mails) == 3
    waiting = list(OutboxMessage.select().where(outbox.is_waiting()))
    assert {(one.claim, one.claimed_until, one.attempts) for one in waiting} == {(None, None, 0)}


def test_a_batch_draws_links_for_whom_they_are_still_meant(app: Flask, server: MailServer) -> None:
    people = invite(*(f"p{number}@example.org" for number in range(12)))
    revoked = people[7]
    Invitation.update(status="revoked", answered_at=clock.now()).where(
        Invitation.id == revoked.id
    ).execute()
    rounds.drain()
    assert sorted(server.recipients) == sorted(p.email for p in people if p.id != revoked.id)
    assert InvitationLink.select().count() == 11
    for mail in server.mails:
        found = re.search(r"/join/([\w-]{43})", text_of(mail))
        assert found is not None
        link = InvitationLink.get(token_hash=hashlib.sha256(found[1].encode()).hexdigest())
        assert link.invitation.email == mail["To"]


def test_two_workers_write_one_digest(app: Flask, server: MailServer) -> None:
    for each in invite("anna@example.org", "bo@example.org"):
        Invitation.update(status="accepted", answered_at=clock.now()).where(
            Invitation.id == each.id
        ).execute()
    OutboxMessage.delete().execute()
    at_once(app, *[lambda: notices.collect(clock.now())] * 4)
    digest = OutboxMessage.get()
    assert len(digest.payload["invitation_ids"]) == 2
    assert OutboxMessage.select().count() == 1


def at_once(app: Flask, *calls: Callable[[], object]) -> None:
    """Runs the calls in threads that start together, each with a connection of its own."""
    barrier = threading.Barrier(len(calls))
    errors: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        try:
            with app.app_context(), database.connection_context():
                barrier.wait()
                call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_stop_ends_the_round_after_the_message_at_hand(app: Flask, server: MailServer) -> None:
    invite("anna@example.org", "bo@example.org")
    rounds.drain(lambda: len(server.mails) == 1)
    assert len(server.mails) == 1
    assert OutboxMessage.select().where(outbox.is_waiting()).count() == 1


def test_a_refund_leaves_when_the_undo_window_closes(app: Flask, server: MailServer) -> None:
    with time_machine.travel(money.ACCEPTED, tick=True):
        money.settled("refund")
        rounds.drain()
        assert Statement.get().pdf is not None
        assert {refund.state for refund in Refund.select()} == {"held"}
    with time_machine.travel(money.ACCEPTED + timedelta(hours=25), tick=True):
        rounds.drain()
        assert {refund.state for refund in Refund.select()} == {"pending"}
    with time_machine.travel(money.ACCEPTED + timedelta(hours=26), tick=True):
        money_handlers.follow_refunds()
        assert {refund.state for refund in Refund.select()} == {"succeeded"}
    assert Settlement.select().count() == 1


def test_a_document_whose_process_was_killed_is_made_at_the_next_try(
    app: Flask, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(document: object) -> bytes:
        raise printing.Lost("the process that renders ended")

    with time_machine.travel(money.ACCEPTED, tick=True):
        money.settled("refund")
        with monkeypatch.context() as patched:
            patched.setattr(printing, "render", killed)
            next_try_at = rounds.drain()
        assert next_try_at is not None
        assert Statement.get().pdf is None
    with time_machine.travel(next_try_at + timedelta(seconds=1), tick=True):
        rounds.drain()
        assert Statement.get().pdf is not None


def test_the_worker_process_sends_what_waited_and_stops_when_asked(
    app: Flask, server: MailServer, database_url: str
) -> None:
    server.answers["later@example.org"] = "451 4.7.1 Greylisted"
    [first, later] = invite("anna@example.org", "later@example.org")
    with start_worker(environment(database_url, **server.environment)) as worker:
        wait_until(lambda: delivery(first)[0] == "sent" and delivery(later)[0] == "deferred")
        server.answers.clear()
        wait_until(lambda: delivery(later)[0] == "sent", 25)
        server.holds = True
        invite_into(first.account, first.inviter, "last@example.org")
        wake(app)
        assert server.is_holding.wait(20)
        worker.ask_to_stop()
        worker.wait_for("Shutting down gracefully")
        server.holds = False
        assert worker.wait() == 0
    assert server.recipients == ["anna@example.org", "later@example.org", "last@example.org"]
    assert not OutboxMessage.select().where(outbox.is_waiting()).exists()
    assert InvitationLink.select().count() == 4, "one for each try"


def wake(app: Flask) -> None:
    """As the web process does it after its commit."""
    from webapp import jobs

    jobs.attach(app, database.obj)()


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if is_so():
            return
        pause.wait(0.1)
    raise TimeoutError("it never became so")
