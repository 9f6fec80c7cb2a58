"""Affluent as it is served, and a person's cookie for it: signing in is not what is measured."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

from bench import people
from bench.servers import SECRET as SECRET
from bench.servers import Server, started

PYTHON = Path(sys.executable)


def environment(url: str) -> dict[str, str]:
    return {
        "APP_ENV": "production",
        "BASE_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": SECRET,
        "DATABASE_URL": url,
        "PAYMENTS": "simulated",
    }


@contextmanager
def serving(url: str, account: int = people.LARGE, workers: int = 1) -> Iterator[Server]:
    """With the cookie of the owner of `account`."""
    headers = {"Cookie": cookie(account)}
    with started("wsgi:app", PYTHON, headers, workers, **environment(url)) as server:
        yield server


def cookie(account: int, name: str = "affluent") -> str:
    """Of a browser in which that account's owner is signed in."""
    return f"{name}={cookie_of(people.token(account))}"


def cookie_of(token: str) -> str:
    """The cookie's value, of the session of this token, in a browser that has seen a form before:
    it would be given a new cookie each time otherwise."""
    value: str = _signer().dumps({"_user_id": token, "_fresh": True, "csrf_token": "5" * 40})
    return value


@cache
def _signer() -> Any:
    signing: Any = Flask(__name__)
    signing.secret_key = SECRET
    return signing.session_interface.get_signing_serializer(signing)
