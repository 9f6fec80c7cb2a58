"""The mail server is down, silent, says "later", breaks off in the middle of contents, and takes a
mail without saying so, while a real worker sends. Every mail arrives, one at most twice, and then
with the same Message-ID.

`python -m tests.drills.mail_outage --mails 500 --pace 1 --outage 600`"""

import argparse
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests import money
from tests.drills.bank import fresh_database
from tests.ports import free_port
from tests.processes import environment, start_worker
from tests.smtp import MailServer, sending_app
from webapp import clock, outbox
from webapp.database import database
from webapp.models import Invitation, OutboxMessage

LATER = "451 4.7.1 come back later"


@dataclass
class Outage:
    """One run: so many mails, an outage of so many seconds, and everything `pace` times as fast."""

    url: str
    mails: int
    pace: float = 1
    outage: float = 2

    def run(self) -> dict[str, int]:
        """What was seen; AssertionError where a mail is missing or came too often."""
        port = free_port()
        server = MailServer(port)
        with sending_app(self.url, server):
            invited = _invite(self.mails)
            env = environment(self.url, **server.environment)
            with start_worker(env, max(6, 50 / self.pace), self.pace):
                self._down()
                self._silent(port)
                with server:
                    self._comes_back(server)
                    _until(lambda: not _waiting().exists(), 120 + self.mails + 600 / self.pace)
                seen = _seen(server, invited)
            database.close()
        return seen

    def _down(self) -> None:
        """Nobody listens; every mail has been tried and waits."""
        tried = OutboxMessage.attempts > 0
        _until(lambda: not _waiting().where(~tried).exists(), 60 + self.mails)
        threading.Event().wait(self.outage)

    def _silent(self, port: int) -> None:
        """Somebody listens and says nothing."""
        with _listening(port):
            tried = _tries()
            _until(lambda: _tries() > tried, 60 + 60 / self.pace)

    def _comes_back(self, server: MailServer) -> None:
        """It says "later" to a third of the recipients, breaks off in some contents, defers others
        after they were sent, and takes a last one or two without saying so before it recovers."""
        asked = [one.email for one in Invitation.select()]
        server.answers = dict.fromkeys(asked[::3], LATER)
        server.resets = max(2, self.mails // 10)
        server.content_answers = [LATER] * max(2, self.mails // 10)
        _until(lambda: len(server.mails) >= self.mails // 3, 60 + 600 / self.pace)
        server.holds, server.answers = True, {}
        lost = OutboxMessage.error.contains("timed out")
        _until(lambda: _waiting().where(lost).exists(), 120)
        server.holds = False


def _seen(server: MailServer, invited: list[str]) -> dict[str, int]:
    copies: dict[str, list[str]] = {}
    for mail in server.mails:
        copies.setdefault(mail["To"], []).append(mail["Message-ID"])
    assert sorted(copies) == sorted(invited), "every mail has arrived, and no other"
    assert all(len(set(ids)) == 1 and len(ids) <= 2 for ids in copies.values()), copies
    assert {one.delivery for one in Invitation.select()} == {"sent"}
    tries = Counter(int(one.attempts) for one in OutboxMessage.select())
    return {
        "mails": len(invited),
        "arrived": len(copies),
        "repeated": len(server.mails) - len(copies),
        "tries": sum(count * times for times, count in tries.items()),
        "most tries of one": max(tries),
        "connections": server.connections,
    }


def _invite(count: int) -> list[str]:
    organisation = money.make_organisation()
    inviter = money.make_user("claire@dumas.example", organisation, is_owner=True)
    now = clock.now()
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
    return [f"p{number}@example.org" for number in range(count)]


def _waiting() -> Any:
    return OutboxMessage.select().where(outbox.is_waiting())


def _tries() -> int:
    return sum(int(one.attempts) for one in OutboxMessage.select(OutboxMessage.attempts))


@contextmanager
def _listening(port: int) -> Iterator[None]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(50)
        yield


def _until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    pause = threading.Event()
    ends = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends:
            raise TimeoutError("it never became so")
        pause.wait(0.1)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--mails", type=int, default=500)
    asked.add_argument("--pace", type=float, default=1, help="so many times faster than real")
    asked.add_argument("--outage", type=float, default=60, help="seconds without a server")
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    options = asked.parse_args()
    begun = time.monotonic()
    with fresh_database(options.engine) as url:
        seen = Outage(url, options.mails, options.pace, options.outage).run()
    figures = ", ".join(f"{name} {count}" for name, count in seen.items())
    print(f"{options.engine}, pace {options.pace:g}: {figures}, {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
