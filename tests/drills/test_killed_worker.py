"""A worker is killed in the middle of its work; the next one finishes it."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests import money
from tests.processes import environment, start_worker
from tests.smtp import MailServer, sending_app
from webapp import clock, outbox
from webapp.models import Invitation, OutboxMessage, Statement

pytestmark = pytest.mark.drill

# The dead worker's claim is respected for so long; a real lease takes most of a minute, and whoever
# goes on has one: where a machine is busy, rendering alone would outlast a short one.
LEASE = 3


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def app(database_url: str, server: MailServer) -> Iterator[Flask]:
    with sending_app(database_url, server) as app:
        yield app


def test_a_worker_killed_while_sending_loses_no_mail_and_repeats_one_at_most(
    app: Flask, server: MailServer, database_url: str
) -> None:
    invitations = invite_many(6)
    env = environment(database_url, **server.environment)
    server.holds = True
    with start_worker(env, lease=LEASE) as worker:
        assert server.is_holding.wait(20)
        # The server has taken a mail or two (a worker has two threads), but has not said so.
        taken = len(server.mails)
        worker.kill()
    server.holds = False
    with start_worker(env):
        wait_until(lambda: not OutboxMessage.select().where(outbox.is_waiting()).exists())
    copies: dict[str, list[str]] = {}
    for mail in server.mails:
        copies.setdefault(mail["To"], []).append(mail["Message-ID"])
    assert sorted(copies) == sorted(each.email for each in invitations)
    assert all(len(set(ids)) == 1 and len(ids) <= 2 for ids in copies.values())
    assert len(server.mails) <= len(invitations) + max(taken, 2)
    assert {each.delivery for each in Invitation.select()} == {"sent"}


def test_a_worker_killed_while_rendering_leaves_the_statement_to_the_next(
    app: Flask, server: MailServer, database_url: str
) -> None:
    money.settled("refund")
    OutboxMessage.delete().where(OutboxMessage.kind != "render").execute()
    env = environment(database_url, **server.environment)
    with start_worker(env, lease=LEASE) as worker:
        # Loading WeasyPrint and rendering take a second or two from here.
        wait_until(lambda: claimed() > 0, pause=0.005)
        worker.kill()
    assert Statement.get().pdf is None
    killed = OutboxMessage.get()
    assert killed.left_at is None
    with start_worker(env):
        wait_until(lambda: not OutboxMessage.select().where(outbox.is_waiting()).exists())
    assert bytes(Statement.get().pdf).startswith(b"%PDF")
    assert OutboxMessage.get().attempts == killed.attempts + 1


def invite_many(count: int) -> list[Invitation]:
    organisation = money.make_organisation()
    inviter = money.make_user("claire@dumas.example", organisation, is_owner=True)
    now = clock.now()
    invitations = []
    for number in range(count):
        invitation = Invitation.create(
            account=organisation,
            email=f"p{number}@example.org",
            locale="fr",
            inviter=inviter,
            created_at=now,
            delivery_at=now,
            expires_at=now + timedelta(days=30),
        )
        outbox.write("mail:invitation", {"invitation_id": invitation.id}, invitation=invitation)
        invitations.append(invitation)
    return invitations


def claimed() -> int:
    return int(OutboxMessage.select().where(OutboxMessage.claimed_until.is_null(False)).count())


def wait_until(is_so: Callable[[], bool], seconds: float = 90, pause: float = 0.1) -> None:
    waiting = threading.Event()
    for _ in range(int(seconds / pause)):
        if is_so():
            return
        waiting.wait(pause)
    raise TimeoutError("it never became so")
