"""The real web and worker processes under load, for drills that take something away from them:
people join, undo, confirm and are invited over HTTP, again and again until they are answered."""

import http.client
import queue
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import time_machine
from flask import Flask

from tests.client import Browser, field_of
from tests.drills.bank import NEVER, differences
from tests.drills.killed_refund import payer
from tests.joined import make_invitation, make_owned
from tests.people import link_of
from tests.ports import free_port
from tests.processes import Process, environment, start_web, start_worker
from tests.smtp import MailServer, sending_app
from webapp import clock, outbox
from webapp.actions import ledger
from webapp.database import database
from webapp.handlers import money, rounds
from webapp.models import (
    Acceptance,
    Invitation,
    Membership,
    OutboxMessage,
    Refund,
    Session,
    Settlement,
    Statement,
    User,
)

AGAIN = 0.3  # seconds until somebody who was told to come back does


@dataclass
class Person:
    """A signed-in browser: its cookie, and the form that is ready to be sent."""

    user: User
    cookie: str
    form: dict[str, str]
    then: str = ""


@dataclass
class Live:
    """One run. `answers` counts (what, status); `problems` must stay empty; `acknowledged` are the
    people who were told that it was done."""

    app: Flask
    server: MailServer
    url: str
    port: int
    people: list[Person]
    owner: Person
    processes: list[Process] = field(default_factory=list)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    acknowledged: list[tuple[User, str]] = field(default_factory=list)
    invited: list[str] = field(default_factory=list)
    longest: float = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def load(self) -> Iterator[None]:
        """As long as the block lasts, and until everybody was answered."""
        # However long it took to invite them, and takes until their turn: who joins for credit has
        # just shown who they are.
        Session.update(proven_at=clock.now() + timedelta(minutes=10)).execute()
        database.close()
        waiting: queue.Queue[Person] = queue.Queue()
        for person in self.people:
            waiting.put(person)
        pressing = [threading.Thread(target=self._press, args=(waiting,)) for _ in range(3)]
        others = [threading.Thread(target=run) for run in (self._read, self._invite)]
        for thread in (*pressing, *others):
            thread.start()
        try:
            yield
        finally:
            for thread in pressing:
                thread.join(240)
            self._ended.set()
            for thread in others:
                thread.join(60)
        if any(thread.is_alive() for thread in pressing):
            self.problems.append("somebody was never answered")

    def _press(self, waiting: "queue.Queue[Person]") -> None:
        while not self.problems:
            try:
                person = waiting.get_nowait()
            except queue.Empty:
                return
            for what, path in (("joined", "acceptance"), (person.then, person.then)):
                if path and self.until_done(path, person, f"/join/{path}", (303,)):
                    self.acknowledged.append((person.user, what))
            # Spread over the time of the fault.
            self._ended.wait(0.02)

    def _read(self) -> None:
        while not self._ended.wait(0.05):
            for path in ("/users", "/healthz", "/account"):
                self._send("GET " + path, self.owner, "GET", path, (200,))

    def _invite(self) -> None:
        number = 0
        while not self._ended.wait(0.05):
            number += 1
            email = f"invited{number}@live.example"
            form = {**self.owner.form, "emails": email}
            # 200 is the preview, which says that the first press was carried out.
            if self.until_done("invite", self.owner, "/invitations", (303, 200), form):
                self.invited.append(email)

    def until_done(
        self,
        what: str,
        person: Person,
        path: str,
        wanted: tuple[int, ...],
        form: dict[str, str] | None = None,
    ) -> bool:
        given = person.form if form is None else form
        for _ in range(400):
            if self._send(what, person, "POST", path, wanted, given):
                return True
            if self.problems:
                return False
            threading.Event().wait(AGAIN)
        self.problems.append(f"{what}: never done")
        return False

    def _send(
        self,
        what: str,
        person: Person,
        method: str,
        path: str,
        wanted: tuple[int, ...],
        form: dict[str, str] | None = None,
    ) -> bool:
        """Was it answered as wanted? All else must be 503 with Retry-After."""
        begun = time.monotonic()
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": person.cookie, "Accept-Language": "en"}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            answer.read()
        except OSError as error:
            self.problems.append(f"{what}: {type(error).__name__} {error}")
            return False
        finally:
            line.close()
        self.longest = max(self.longest, time.monotonic() - begun)
        self.answers[what, answer.status] += 1
        if answer.status in wanted:
            return True
        if answer.status != 503 or not answer.headers["Retry-After"]:
            self.problems.append(f"{what}: answered {answer.status}")
        return False

    def quiesce(self) -> None:
        """The worker does what is due and ends; then all that is under way arrives, in this
        process: minutes and a day go by."""
        ends = time.monotonic() + 60
        while is_due() and time.monotonic() < ends:
            threading.Event().wait(0.2)
        for process in self.processes:
            process.kill()
            if self.problems:
                print("".join(_unforeseen(process.lines)))
        self.problems += arrive()

    def check(self) -> None:
        """Whatever was said to be done is done, once; nothing is half done."""
        found = list(ledger.check())
        for sentence, query in NEVER.items():
            if database.execute_sql(query).fetchall():
                found.append(sentence)
        expected = {user.id: "" for user in (one.user for one in self.people)}
        for user, what in self.acknowledged:
            expected[user.id] = what
        for user_id, what in expected.items():
            of = list(Acceptance.select().where(Acceptance.user == user_id))
            if len(of) != 1 or (of[0].undone_at is not None) != (what == "undo"):
                found.append(f"user {user_id}: told {what!r}, has {len(of)} acceptances")
        if Settlement.select().count() != len(self.people):
            found.append("a settlement is missing or there twice")
        states = {str(one.state) for one in Refund.select()} - {"succeeded", "canceled"}
        if states:
            found.append(f"refunds are left {states}")
        for email in self.invited:
            if Invitation.select().where(Invitation.email == email).count() != 1:
                found.append(f"{email} was not invited once")
        left = OutboxMessage.select().where(
            outbox.is_waiting(), OutboxMessage.leaves_at < clock.now() + timedelta(hours=25)
        )
        found += [f"{one.kind} waits: {one.error}" for one in left]
        aside = OutboxMessage.select().where(OutboxMessage.quarantined_at.is_null(False))
        found += [f"{one.kind} was put aside: {one.error}" for one in aside]
        copies = Counter(mail["Message-ID"] for mail in self.server.mails)
        found += [f"{id} came {count} times" for id, count in copies.items() if count > 2]
        arrived = {mail["To"] for mail in self.server.mails}
        found += [f"{one} had no mail" for one in self.invited if one not in arrived]
        self.problems += found

    def figures(self) -> str:
        answers = ", ".join(
            f"{what} {status}: {count}" for (what, status), count in sorted(self.answers.items())
        )
        copies = Counter(mail["Message-ID"] for mail in self.server.mails)
        repeated = sum(count > 1 for count in copies.values())
        return (
            f"{answers}; longest answer {self.longest:.1f} s; {len(copies)} mails,"
            f" {repeated} of them twice; {Statement.select().count()} statements"
        )


def _unforeseen(lines: list[str]) -> list[str]:
    """The first error that the program had no answer to, with where it came from."""
    begins = next((at for at, line in enumerate(lines) if "unforeseen" in line), len(lines))
    return lines[begins : begins + 120]


def arrive() -> list[str]:
    """Minutes and a day go by; returns where the gateway's refunds and ours differ by then."""
    begins = clock.now()
    for after in (timedelta(minutes=2), timedelta(hours=25)):
        with time_machine.travel(begins + after, tick=True) as traveller:
            for _ in range(3):
                drain()
                traveller.shift(timedelta(minutes=3))
                money.follow_refunds()
            found = differences()
    return found


def drain() -> None:
    """All that is due: a round lasts ten seconds at most."""
    for _ in range(30):
        rounds.drain()
        if not is_due():
            return


def is_due() -> bool:
    return bool(
        OutboxMessage.select()
        .where(
            outbox.is_waiting(),
            OutboxMessage.leaves_at <= clock.now(),
        )
        .exists()
    )


@contextmanager
def live_on(url: str, people: int, launcher: tuple[str, ...] = ()) -> Iterator[Live]:
    """Processes at work, and so many people about to join. `launcher` is a script, with arguments,
    that starts each program in the place of python."""
    with ExitStack() as stack:
        server = stack.enter_context(MailServer())
        app = stack.enter_context(sending_app(url, server))
        port = free_port()
        env = environment(url, **server.environment, BASE_URL=f"http://127.0.0.1:{port}")
        organisation = make_owned(seats=people)
        owner = owner_of(app, organisation)
        joining = [invited(app, organisation, at) for at in range(people)]
        live = Live(app, server, url, port, joining, owner)
        database.close()
        worker = start_worker(env, lease=8, pace=10, launcher=launcher)
        for process in (start_web(env, port, launcher), worker):
            live.processes.append(stack.enter_context(process))
        yield live


def owner_of(app: Flask, organisation: Any) -> Person:
    member = Membership.get(Membership.account == organisation, Membership.is_owner)
    browser = Browser(app).sign_in_as(member.user)
    form = {"csrf_token": browser.csrf()}
    return Person(member.user, _cookie(browser, "/users"), form)


def invited(app: Flask, organisation: Any, at: int) -> Person:
    user = payer(f"p{at}@live.example")
    invitation = make_invitation(user, organisation)
    outbox.write("mail:invitation", {"invitation_id": invitation.id}, invitation=invitation)
    browser = Browser(app).sign_in_as(user)
    quote = field_of(browser.open_link(link_of(invitation)), "quote")
    choice = ("refund", "credit")[at % 2]
    form = {"csrf_token": browser.csrf(), "choice": choice, "quote": quote}
    return Person(user, _cookie(browser, "/join"), form, ("", "undo", "confirmation")[at % 3])


def _cookie(browser: Browser, path: str) -> str:
    return str(browser.get(path).request.environ["HTTP_COOKIE"])
