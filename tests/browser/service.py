"""The whole service as it runs for people: web and worker processes, a database, a mail server."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage

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
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

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
    database_url: str, *commands: str, keeps_mail: bool = False, host: str = "127.0.0.1"
) -> Iterator[Service]:
    """The service, up and ready; `commands` were run before it started."""
    with ExitStack() as stack:
        mails = stack.enter_context(MailServer())
        service = Service(database_url, mails, keeps_mail, host)
        for command in commands:
            service.command(command)
        stack.enter_context(start_web(service.environment, service.port))
        stack.enter_context(service.working())
        yield service


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if is_so():
            return
        pause.wait(0.1)
    raise TimeoutError("it never became so")
