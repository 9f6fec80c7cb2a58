"""Delivery reports as mail servers write them (RFC 3464), and as those do that write none.

Whoever can send a mail can send a report: everything in it is somebody's word. Nothing here decides
what it means for a mail of ours."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.errors import MessageError
from email.message import Message
from itertools import islice

from webapp.addresses import normalised
from webapp.errors import Invalid
from webapp.texts import cleaned

MOST = 5 * 1024 * 1024
PARTS, RECIPIENTS, IDS = 50, 100, 20
WORDS_MOST = 300
STATUS = ("message/delivery-status", "message/global-delivery-status")
RETURNED = ("message/rfc822", "message/global")
RETURNED_HEADERS = ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers")

_ID = re.compile(r"<[^<>\s]{3,250}>")
_ID_LINE = re.compile(r"^[ \t>]*Message-ID:\s*(<[^<>\s]{3,250}>)", re.IGNORECASE | re.MULTILINE)
_ANSWER = re.compile(r"\b[45]\d\d[ -][^\n]{3,}|\b[45]\.\d{1,3}\.\d{1,3}\b[^\n]*")
_QMAIL = re.compile(r"^<([^<>\s]{3,254})>:[ \t]*\n((?:[^\n]+\n){1,20})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fate:
    """What one server says of one recipient. `addresses` are those that it names, in their one
    form; `action` is failed, delayed, delivered, relayed or expanded; `words` are its own."""

    addresses: tuple[str, ...]
    action: str
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """`message_ids` are the ids that the mail reported of may have, the likeliest first."""

    message_ids: tuple[str, ...]
    fates: tuple[Fate, ...]


def read(content: bytes) -> Report:
    """Raises Invalid: "report_size", or "report" when it is none."""
    if len(content) > MOST:
        raise Invalid("report_size", most=MOST // 1024 // 1024)
    try:
        mail = message_from_bytes(content)
        parts = list(islice(mail.walk(), PARTS))
        fates = tuple(islice(_fates(mail, parts), RECIPIENTS))
        ids = tuple(dict.fromkeys(islice(_ids(mail, parts), IDS)))
    # Nested without end, or in letters that there are not: nobody's mail server writes that.
    except (MessageError, RecursionError, LookupError, ValueError) as error:
        raise Invalid("report") from error
    if not fates:
        raise Invalid("report")
    return Report(ids, fates)


def _fates(mail: Message, parts: list[Message]) -> Iterator[Fate]:
    blocks = [b for part in parts if part.get_content_type() in STATUS for b in _blocks(part)]
    found = [fate for block in blocks if (fate := _fate(block)) is not None]
    yield from found or _plain_fates(mail, parts)


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a status part, one for each recipient after one for the mail."""
    inner = part.get_payload()
    blocks = [each for each in inner if isinstance(each, Message)]
    if any(_addresses(block) for block in blocks):
        return blocks
    # Encoded where it must not be, or of the kind that Python leaves as text.
    text = "\n\n".join(block.as_string() for block in blocks) or _text(part)
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        text = binascii.a2b_base64(text.encode("ascii", "ignore")).decode("utf-8", "replace")
    return [message_from_string(block) for block in re.split(r"\r?\n\r?\n", text) if block.strip()]


def _fate(block: Message) -> Fate | None:
    addresses, status = _addresses(block), _field(block, "Status")
    if not addresses:
        return None
    action = _field(block, "Action").partition(" ")[0].lower()
    if not action:
        action = {"5": "failed", "4": "delayed"}.get(status[:1], "delivered")
    said = _field(block, "Diagnostic-Code")
    said = said.partition(";")[2].strip() or said
    return Fate(addresses, action, cleaned(said or status, WORDS_MOST))


def _addresses(block: Message) -> tuple[str, ...]:
    named = [_field(block, f"{which}-Recipient") for which in ("Original", "Final")]
    return tuple(dict.fromkeys(_normalised(name.rpartition(";")[2]) for name in named if name))


def _plain_fates(mail: Message, parts: list[Message]) -> Iterator[Fate]:
    """Of servers that report in prose: Exim's header, qmail's paragraphs."""
    failed = _field(mail, "X-Failed-Recipients")
    prose = next((_text(part) for part in parts if part.get_content_type() == "text/plain"), "")
    prose = prose.replace("\r\n", "\n")[:100_000]
    if failed:
        answer = _ANSWER.search(prose)
        words = cleaned(answer[0] if answer else "", WORDS_MOST)
        for address in failed.split(","):
            yield Fate((_normalised(address),), "failed", words)
    elif prose.lstrip().startswith("Hi. This is the"):
        for match in _QMAIL.finditer(prose):
            yield Fate((_normalised(match[1]),), "failed", cleaned(match[2], WORDS_MOST))


def _ids(mail: Message, parts: list[Message]) -> Iterator[str]:
    """Of the mail that came back; else of the mail that the report answers."""
    for part in parts[1:]:
        kind = part.get_content_type()
        inner = part.get_payload()
        if kind in RETURNED and isinstance(inner, list):
            returned = [each for each in inner if isinstance(each, Message)]
            yield from (id for each in returned for id in _ID.findall(_field(each, "Message-ID")))
        elif kind in RETURNED_HEADERS or kind in RETURNED:
            yield from _ID_LINE.findall(_text(part))
    for name in ("In-Reply-To", "References", "X-Original-Message-ID"):
        yield from reversed(_ID.findall(_field(mail, name)))
    for part in parts:
        if part.get_content_type() == "text/plain":
            yield from _ID_LINE.findall(_text(part)[:200_000])


def _field(block: Message, name: str) -> str:
    """A field on one line, whatever its letters."""
    return " ".join(str(block.get(name, "")).split())[:2000]


def _text(part: Message) -> str:
    """A part's own text, decoded as far as it can be."""
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _normalised(address: str) -> str:
    try:
        return normalised(address.strip().strip("<>"))
    except ValueError:
        return ""
