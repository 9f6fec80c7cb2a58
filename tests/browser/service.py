"""The whole service as it runs for people: web and worker processes, a database, a mail server."""

import atexit
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from tests.databases import fresh_sqlite
from tests.ports import free_port
from tests.processes import ROOT, Process, environment, start_web, start_worker
from tests.smtp import MailServer, text_of


class Service:
    """`base` is its address. `keeps_mail` leaves the mails to /dev/mail instead of sending them.
    Passkeys want a `host` with a name."""

    def __init__(
        self,
        database_url: str,
        mails: MailServer,
        keeps_mail: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        self.mails = mails
        self.port = free_port()
        self.base = f"http://{host}:{self.port}"
        settings = {} if keeps_mail else mails.environment
        self.environment = environment(database_url, BASE_URL=self.base, **settings)
        self._worker: Process | None = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """With a worker, until the block ends."""
        self._worker = start_worker(self.environment)
        try:
            yield
        finally:
            self._worker.kill()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Its worker does nothing until the block ends: what waits can be looked at in peace."""
        assert self._worker is not None
        self._worker.ask_to_stop()
        self._worker.wait()
        self._worker.kill()
        try:
            yield
        finally:
            self._worker = start_worker(self.environment)

    def command(self, *words: str, typed: str = "") -> str:
        """Runs `flask --app wsgi …` in a process of its own."""
        return run_command(self.environment, *words, typed=typed)

    def link_for(self, email: str) -> str:
        """The newest invitation's link, as it stands in the mail."""
        return self._found(email, rf"^{re.escape(self.base)}/join/\S+$")

    def code_for(self, email: str) -> str:
        return self._found(email, r"^\d{6}$")

    def mail_to(self, email: str, pattern: str = "") -> EmailMessage:
        """The newest mail to `email` whose text has `pattern`; waits for the worker to send it."""
        found: list[EmailMessage] = []

        def arrived() -> bool:
            fitting = (mail for mail in reversed(self.mails.mails) if mail["to"] == email)
            found[:] = [m for m in fitting if re.search(pattern, text_of(m), re.MULTILINE)]
            return bool(found)

        wait_until(arrived)
        return found[0]

    def _found(self, email: str, pattern: str) -> str:
        found = re.search(pattern, text_of(self.mail_to(email, pattern)), re.MULTILINE)
        assert found is not None
        return found[0]


@contextmanager
def running(
    database_url: str, keeps_mail: bool = False, host: str = "127.0.0.1"
) -> Iterator[Service]:
    """The service, up and ready."""
    with MailServer() as mails:
        service = Service(database_url, mails, keeps_mail, host)
        with _up(service):
            yield service


@contextmanager
def demonstrating(folder: Path, host: str = "127.0.0.1") -> Iterator[Service]:
    """The service with the demo's people, their mails kept for /dev/mail; its database, in
    `folder`, is a copy of one that `flask demo` filled once in this run."""
    path = folder / "demo.db"
    with MailServer() as mails:
        service = Service(f"sqlite:///{path}", mails, True, host)
        with closing(sqlite3.connect(_demo())) as made, closing(sqlite3.connect(path)) as own:
            made.backup(own)
            own.execute("UPDATE invoice SET pay_url = replace(pay_url, ?, ?)", (BASE, service.base))
            own.commit()
        with _up(service):
            yield service


@contextmanager
def _up(service: Service) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(start_web(service.environment, service.port))
        stack.enter_context(service.working())
        yield


# In the links that the demo's database holds, until there is a service that they lead to.
BASE = "http://demo.invalid"


@cache
def _demo() -> str:
    folder = tempfile.mkdtemp(prefix="affluent-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    url = fresh_sqlite(Path(folder))
    run_command(environment(url, BASE_URL=BASE), "demo")
    return url.removeprefix("sqlite:///")


def run_command(env: dict[str, str], *words: str, typed: str = "") -> str:
    """What `flask --app wsgi …` says in a process of its own, which succeeds."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *words],
        cwd=ROOT,
        env=env,
        input=typed,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if is_so():
            return
        pause.wait(0.1)
    raise TimeoutError("it never became so")
