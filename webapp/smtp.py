"""One SMTP connection for the mails of a round, and what a server's answers mean for a mail.

A refusal of the recipient or of the content is final; everything else is worth another try. What
was lost on the way is sent again, so a mail may arrive twice only when the connection broke between
its final dot and the server's answer; both copies then have one Message-ID."""

import smtplib
import time
from contextlib import suppress
from typing import Any

from flask import current_app
from flask_mail import Message

from webapp import clock
from webapp.database import transaction
from webapp.models import KeptMail
from webapp.outbox import Deferred, Refused
from webapp.policy import policy
from webapp.smtp_line import Line, Moments
from webapp.texts import cleaned

# Servers end connections that carry too much, or that are silent for long.
MOST, IDLE = 100, 5


class Post:
    """Sends or keeps mails; a context manager that hangs up at its end."""

    def __init__(self) -> None:
        self._line: Line | None = None
        self._used_at = 0.0
        self._away = ""

    def __enter__(self) -> "Post":
        return self

    def __exit__(self, *error: object) -> None:
        self._hang_up()

    def send(self, message: Message, moments: Moments) -> None:
        """Raises outbox.Refused or outbox.Deferred with the server's words. Where the server was
        not reached, not all moments have come."""
        if policy().keeps_mail:
            keep(message)
            return
        line = self._open()
        try:
            line.deliver(message, moments)
        except smtplib.SMTPRecipientsRefused as error:
            raise _verdict(*next(iter(error.recipients.values()))) from error
        except smtplib.SMTPDataError as error:
            raise _verdict(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPResponseException as error:
            # About the sender or the session: nothing that the recipient could mend.
            raise Deferred(_words(error.smtp_code, error.smtp_error)) from error
        except OSError as error:
            self._hang_up()
            raise Deferred(str(error) or type(error).__name__) from error
        except Deferred:
            self._hang_up()
            raise
        self._used_at = time.monotonic()

    def _open(self) -> Line:
        """The line, checked when it was silent for long. Once the server was away, the mails of
        this round no longer wait for it one by one."""
        if self._away:
            raise Deferred(self._away)
        if self._line is not None and not self._is_usable():
            self._hang_up()
        if self._line is None:
            line = Line(current_app.extensions["mail"])
            try:
                self._line = line.__enter__()
            except OSError as error:
                self._away = str(error) or type(error).__name__
                raise Deferred(self._away) from error
            self._used_at = time.monotonic()
        return self._line

    def _is_usable(self) -> bool:
        host: Any = self._line.host if self._line else None
        if host is None or host.sock is None or self._line.num_emails >= MOST:  # type: ignore[union-attr]
            return False
        if time.monotonic() - self._used_at < IDLE:
            return True
        try:
            return bool(host.noop()[0] == 250)
        except OSError:
            return False

    def _hang_up(self) -> None:
        if self._line is not None and self._line.host is not None:
            with suppress(OSError):
                self._line.host.quit()
            self._line.host.close()
        self._line = None


def keep(message: Message) -> None:
    """Keeps a mail for /dev/mail; repeating it keeps one copy, the latest."""
    with transaction():
        KeptMail.insert(
            message_id=message.msgId,
            recipient=message.recipients[0],
            subject=message.subject,
            content=bytes(message),
            kept_at=clock.now(),
        ).on_conflict(
            conflict_target=[KeptMail.message_id], preserve=[KeptMail.content, KeptMail.kept_at]
        ).execute()


def _verdict(code: int, answer: bytes | str) -> Exception:
    words = _words(code, answer)
    return Refused(words) if 500 <= code < 600 else Deferred(words)


def _words(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return cleaned(f"{code} {text}", 300)
