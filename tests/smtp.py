"""A real mail server on the loopback address that does what a test asks of it, and the app that
sends to it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask

from tests.apps import make_app
from tests.ports import free_port
from webapp import mailer
from webapp.config import Mail
from webapp.database import database

SENDER = "Affluent <post@affluent.example>"


class _Protocol(SMTP):
    """Breaks the connection in the middle of a mail's content while `resets` are left."""

    async def smtp_DATA(self, arg: str) -> None:
        server: MailServer = self.event_handler
        if server.resets == 0:
            await super().smtp_DATA(arg)
            return
        server.resets -= 1
        await self.push("354 go on")
        await self._reader.readuntil(b"\r\n")
        self.transport.abort()


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Protocol(self.handler)


class MailServer:
    """`mails` are those it took. `answers` refuses or defers by recipient, `content_answers` the
    next contents one by one; `resets` breaks so many connections within the content; while
    `holds`, it has read the content and does not answer: `is_holding` then is set. When it
    `pipelines`, it says that it takes commands together."""

    def __init__(self, port: int = 0) -> None:
        self.port = port or free_port()
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.answers: dict[str, str] = {}
        self.content_answers: list[str] = []
        self.resets = 0
        self.holds = False
        self.pipelines = False
        self.is_holding = threading.Event()
        self._controller = _Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> "MailServer":
        self._controller.start()
        self.connections = 0  # the controller tries its own port
        return self

    def __exit__(self, *error: object) -> None:
        self.holds = False
        self._controller.stop()

    @property
    def settings(self) -> Mail:
        return Mail(server="127.0.0.1", port=self.port, sender=SENDER)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(self.port),
            "MAIL_DEFAULT_SENDER": SENDER,
        }

    async def handle_EHLO(
        self, server: Any, session: Session, envelope: Envelope, name: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = name
        # aiosmtpd reads line by line and can do that, but does not say so. The first line is its
        # name, whatever that says.
        return [responses[0], "250-PIPELINING", *responses[1:]] if self.pipelines else responses

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        answer = self.content_answers.pop(0) if self.content_answers else "250 OK"
        if answer.startswith("250"):
            content = bytes(envelope.original_content or b"")
            self.recipients += envelope.rcpt_tos
            self.mails.append(parsed(content))
        while self.holds:
            self.is_holding.set()
            await asyncio.sleep(0.02)
        return answer


def parsed(content: bytes) -> EmailMessage:
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The text ("plain") or "html" part."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


@contextmanager
def sending_app(database_url: str, server: MailServer, **changes: Any) -> Iterator[Flask]:
    """The app as a worker has it, in its context, with `server` for its mails."""
    app = make_app(database_url, mail=server.settings, **changes)
    mailer.install(app)
    with app.app_context():
        yield app
    if not database.is_closed():
        database.close()
