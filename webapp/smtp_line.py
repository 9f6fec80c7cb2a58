"""A connection to the mail server that wastes no waiting: while the server thinks, its caller
works.

Where the server says that it takes commands together (RFC 2920), sender, recipient and the wish
to send content are one question instead of three. The content always waits for their answers."""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_mail import BadHeaderError, Connection, Message, email_dispatched

from webapp.mime import bracketed
from webapp.outbox import Deferred

TIMEOUT = 10
# A server may examine the whole mail before it answers; hanging up then would have it sent twice.
CONTENT_TIMEOUT = 20

Answer = tuple[int, bytes]


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Moments:
    """What is done around a mail: `first` while the server thinks about the envelope, `may_begin`
    before the content goes out, which it may forbid, `meanwhile` while the server reads that, and
    `taken` once it has said that it took the mail."""

    may_begin: Callable[[], bool]
    first: Callable[[], object] = _nothing
    meanwhile: Callable[[], object] = _nothing
    taken: Callable[[], object] = _nothing


class _Session:
    """One mail at a time over a connection of smtplib, with the errors that smtplib raises."""

    def deliver(self: Any, sender: str, recipient: str, content: bytes, moments: Moments) -> None:
        """`sender` and `recipient` in angle brackets."""
        try:
            self.ehlo_or_helo_if_needed()
            announced = f" size={len(content)}" if self.has_extn("size") else ""
            answers = self._asked(
                [f"mail FROM:{sender}{announced}", f"rcpt TO:{recipient}", "data"], moments.first
            )
            _check(answers, sender, recipient)
            if not moments.may_begin():
                raise Deferred("somebody else is sending it")
            self.send_content(content)
            moments.meanwhile()
            self.hear_of_content()
            moments.taken()
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused):
            with suppress(OSError):
                self.rset()  # the line stays good for the next mail; or that one finds out
            raise
        except BaseException:
            self.close()  # whatever the server still expects
            raise

    def _asked(self: Any, commands: list[str], first: Callable[[], object]) -> list[Answer]:
        """The answers, the last of them a refusal where one was refused."""
        together = self.has_extn("pipelining")
        if any({"\r", "\n"} & set(command) for command in commands):
            raise ValueError("a command is one line")
        self.send("".join(f"{command}\r\n" for command in commands[: 3 if together else 1]))
        first()
        answers: list[Answer] = []
        for command in commands:
            if answers and not together:
                self.putcmd(command)
            answers.append(self._heard())
            if answers[-1][0] == 421 or not (together or _is_fine(answers[-1])):
                break
        if answers[-1][0] == 354 and not all(map(_is_fine, answers)):
            self.send(b".\r\n")  # the server waits for content that nobody would get
            self._heard()
        return answers

    def send_content(self: Any, content: bytes) -> None:
        dotted = content.replace(b"\r\n.", b"\r\n..")
        self.sock.settimeout(CONTENT_TIMEOUT)
        self.send(dotted + (b".\r\n" if dotted.endswith(b"\r\n") else b"\r\n.\r\n"))

    def hear_of_content(self: Any) -> None:
        answer = self._heard()
        if answer[0] != 250:
            raise smtplib.SMTPDataError(*answer)
        self.sock.settimeout(TIMEOUT)

    def _heard(self: Any) -> Answer:
        answer: Answer = self.getreply()
        if answer[0] == 421:
            self.close()  # it hangs up
        return answer


def _is_fine(answer: Answer) -> bool:
    return answer[0] in (250, 251, 354)


def _check(answers: list[Answer], sender: str, recipient: str) -> None:
    """Raises what smtplib would where a command was refused."""
    for place, answer in enumerate(answers):
        if _is_fine(answer):
            continue
        if place == 0:
            raise smtplib.SMTPSenderRefused(*answer, sender)
        if place == 1:
            raise smtplib.SMTPRecipientsRefused({recipient: answer})
        raise smtplib.SMTPDataError(*answer)


class Plain(_Session, smtplib.SMTP):
    pass


class Encrypted(_Session, smtplib.SMTP_SSL):
    pass


class Line(Connection):
    """Flask-Mail's connection with timeouts and with certificates that are checked."""

    def configure_host(self) -> smtplib.SMTP | smtplib.SMTP_SSL:
        mail = self.mail
        host: smtplib.SMTP | smtplib.SMTP_SSL
        if mail.use_ssl:
            context = ssl.create_default_context()
            host = Encrypted(mail.server, mail.port, timeout=TIMEOUT, context=context)
        else:
            host = Plain(mail.server, mail.port, timeout=TIMEOUT)
        try:
            if mail.use_tls:
                host.starttls(context=ssl.create_default_context())
            if mail.username and mail.password:
                host.login(mail.username, mail.password)
        except BaseException:
            host.close()
            raise
        return host

    def deliver(self, message: Message, moments: Moments) -> None:
        """As Flask-Mail's `send`, to the one recipient that each of our mails has."""
        if message.has_bad_headers():
            raise BadHeaderError
        host: Any = self.host
        [recipient] = message.recipients
        host.deliver(bracketed(message.sender), bracketed(recipient), message.as_bytes(), moments)
        email_dispatched.send(current_app._get_current_object(), message=message)  # type: ignore[attr-defined]
        self.num_emails += 1
