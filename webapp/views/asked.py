"""The code that this browser asked for, in its signed cookie: whoever goes to read the mail and
comes back, be it to a page loaded anew, finds the field for it."""

import hashlib

from flask import session

from webapp import clock
from webapp.actions import codes


def remember(given: str, address: str) -> None:
    """`given` is empty where the code went to an invited address, which is not shown."""
    session["code_email"] = given
    session["code_asked"] = (_name(address), int(clock.now().timestamp()))


def email() -> str:
    return str(session.get("code_email") or "")


def is_recent(address: str) -> bool:
    """Could the code for this address still be good?"""
    name, at = session.get("code_asked") or ("", 0)
    return name == _name(address) and clock.now().timestamp() - at < codes.LIFE.total_seconds()


def forget() -> None:
    session.pop("code_email", None)
    session.pop("code_asked", None)


def _name(address: str) -> str:
    # The cookie is signed, and can be read.
    return hashlib.sha256(address.encode()).hexdigest()[:16]
