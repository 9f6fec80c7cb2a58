"""The only time and the only randomness of the program."""

import secrets
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_ago = ContextVar("ago", default=timedelta(0))


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC) - _ago.get()


@contextmanager
def ago(by: timedelta) -> Iterator[None]:
    """What is done within was done some time ago: for the demo data, which has a past."""
    token = _ago.set(by)
    try:
        yield
    finally:
        _ago.reset(token)


def today(zone: str) -> date:
    """The present calendar day in `zone` (an IANA name)."""
    return now().astimezone(ZoneInfo(zone)).date()


def new_token() -> str:
    """256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def new_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return b32encode(secrets.token_bytes(20)).decode()


def new_code() -> str:
    """A code of six digits for people to type."""
    return f"{secrets.randbelow(1_000_000):06d}"


def new_public_id() -> str:
    """A short identifier without meaning, safe in a URL and easy to read aloud."""
    drawn, letters = secrets.randbelow(len(_LETTERS) ** 12), ""
    for _ in range(12):
        drawn, at = divmod(drawn, len(_LETTERS))
        letters += _LETTERS[at]
    return letters


def new_request_id() -> str:
    """A name for one request in the log: every answer has one, so it is to cost little."""
    return secrets.token_hex(8)
