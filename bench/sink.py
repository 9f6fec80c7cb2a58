"""A mail server on the loopback address that takes everything: `python -m bench.sink` prints its
port, and ends when its input does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from webapp.config import ROOT


class _Taking:
    """It says that it takes commands together, as Postfix and Exim do: aiosmtpd reads line by line
    and can. Whoever makes no use of it is answered as always."""

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        session.host_name = name
        # The first line is its name, whatever that says.
        return [answers[0], "250-PIPELINING", *answers[1:]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return "250 OK"


@contextmanager
def running() -> Iterator[int]:
    """The port of one, in a process of its own."""
    command = [sys.executable, "-m", "bench.sink"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.stdin.close()


def main() -> None:
    from tests.ports import free_port

    controller = Controller(_Taking(), hostname="127.0.0.1", port=free_port())
    controller.start()
    print(controller.port, flush=True)
    sys.stdin.read()
    controller.stop()


if __name__ == "__main__":
    main()
