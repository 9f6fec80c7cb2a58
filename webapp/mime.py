"""A mail as bytes, assembled directly: the email package takes longer for it than everything else
that a mail needs."""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from copy import copy
from email.utils import formatdate
from functools import lru_cache
from smtplib import quoteaddr

from flask_mail import Attachment, Message, sanitize_address, sanitize_subject

from webapp.letters import Words

_PLAIN_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+", re.ASCII)


class Mail(Message):
    """A Flask-Mail message whose `content` is bytes already. The same mail has the same bytes."""

    content: bytes

    def as_bytes(self) -> bytes:
        """With lines of SMTP: CRLF, ASCII, none longer than it may be."""
        fields = {
            "Subject": _encoded(self.subject),
            "From": addressed(self.sender),
            "To": ", ".join(map(addressed, self.recipients)),
            "Date": _dated(int(self.date or 0)),
            "Message-ID": self.msgId,
            **(self.extra_headers or {}),
            "MIME-Version": "1.0",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return head.encode("ascii") + self.content


def mail_from(sender: str) -> Mail:
    """To be filled in."""
    # A message asks the network for this machine's name when it is made: a copy does not.
    return copy(_empty(sender))


@lru_cache(maxsize=4)
def _empty(sender: str) -> Mail:
    return Mail(sender=sender)


def content(words: Words, attachments: Sequence[Attachment] = ()) -> bytes:
    """What follows the headers that say who writes to whom; attachments have ASCII names."""
    return enclosed(quoted(words.text), quoted(words.html), attachments)


def enclosed(text: bytes, html: bytes, attachments: Sequence[Attachment] = ()) -> bytes:
    """The same of texts that are quoted already."""
    parts = [_part("plain", text), _part("html", html)]
    # Neither quoted-printable nor base64 ever has what marks the parts.
    whole = _several("alternative", "=_texts", parts)
    if not attachments:
        return whole
    attached = [_attached(each.filename, each.content_type, each.data) for each in attachments]
    return _several("mixed", "=_all", [whole, *attached])


def quoted(text: str) -> bytes:
    """Quoted-printable, line by line: readable in any mail reader, and no server needs to know
    eight-bit mail."""
    lines = "".join(f"{line}\r\n" for line in text.splitlines())
    # The first line end says which one the soft ones are.
    return b2a_qp(lines.encode(), istext=True)


@lru_cache(maxsize=64)
def addressed(who: str) -> str:
    """As a header names somebody."""
    return who if _PLAIN_ADDRESS.fullmatch(who) else str(sanitize_address(who))


@lru_cache(maxsize=64)
def bracketed(who: str) -> str:
    """As an envelope does."""
    return f"<{who}>" if _PLAIN_ADDRESS.fullmatch(who) else quoteaddr(addressed(who))


@lru_cache(maxsize=64)
def _encoded(subject: str) -> str:
    """It comes folded, with the line ends of Python."""
    return "\r\n".join(sanitize_subject(subject).splitlines())


@lru_cache(maxsize=1)
def _dated(second: int) -> str:
    return formatdate(second, localtime=True)


def _part(kind: str, text: bytes) -> bytes:
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\n'
    return f"{head}Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode() + text


def _attached(name: str | None, kind: str, content: bytes | str) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
    head += f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    return head.encode("ascii") + encodebytes(raw).replace(b"\n", b"\r\n")


def _several(kind: str, boundary: str, parts: list[bytes]) -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    mark = f"--{boundary}"
    pieces = b"".join(f"{mark}\r\n".encode() + part + b"\r\n" for part in parts)
    return head.encode() + pieces + f"{mark}--\r\n".encode()
