"""A mail as bytes, assembled directly: the email package takes longer for it than everything else
that a mail needs."""

import re
from base64 import encodebytes
from binascii import b2a_qp
from email.utils import formatdate
from functools import lru_cache
from hashlib import sha256
from smtplib import quoteaddr

from flask_mail import Message, sanitize_address, sanitize_subject

_PLAIN_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+", re.ASCII)


class Mail(Message):
    """A Flask-Mail message with a text, an HTML and attachments of ASCII names. The same mail has
    the same bytes."""

    def as_bytes(self) -> bytes:
        """With lines of SMTP: CRLF, ASCII, none longer than it may be."""
        boundary = f"=_{sha256(self.msgId.encode()).hexdigest()[:32]}"  # never in quoted-printable
        parts = [_text(self.body or "", "plain"), _text(self.html or "", "html")]
        content = _several("alternative", boundary, parts)
        if self.attachments:
            attached = [
                _attached(each.filename, each.content_type, each.data) for each in self.attachments
            ]
            content = _several("mixed", f"{boundary}m", [content, *attached])
        return self._head() + content

    def _head(self) -> bytes:
        fields = {
            "Subject": sanitize_subject(self.subject),
            "From": addressed(self.sender),
            "To": ", ".join(map(addressed, self.recipients)),
            "Date": formatdate(self.date, localtime=True),
            "Message-ID": self.msgId,
            **(self.extra_headers or {}),
            "MIME-Version": "1.0",
        }
        return b"".join(
            f"{name}: {_folded(value)}\r\n".encode("ascii") for name, value in fields.items()
        )


@lru_cache(maxsize=64)
def addressed(who: str) -> str:
    """As a header names somebody."""
    return who if _PLAIN_ADDRESS.fullmatch(who) else str(sanitize_address(who))


@lru_cache(maxsize=64)
def bracketed(who: str) -> str:
    """As an envelope does."""
    return f"<{who}>" if _PLAIN_ADDRESS.fullmatch(who) else quoteaddr(addressed(who))


def _folded(value: str) -> str:
    """An encoded subject comes folded, with the line ends of Python."""
    return "\r\n".join(value.splitlines())


def _text(text: str, kind: str) -> bytes:
    """Quoted-printable: readable in any mail reader, and no server needs to know eight-bit mail."""
    lines = "".join(f"{line}\r\n" for line in text.splitlines())
    # The first line end says which one the soft ones are.
    quoted = b2a_qp(lines.encode(), istext=True)
    return (
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode() + quoted


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
