"""Breaking off in the middle, inside this process: whatever transaction is open is abandoned."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock


class Broken(BaseException):
    """No `except Exception` of the program catches it, just as none catches a power cut."""


@dataclass
class Break:
    """Did it come to that?"""

    is_so: bool = False


@contextmanager
def breaking(place: str, time: int = 1, after: bool = True) -> Iterator[Break]:
    """Raises Broken when the function (or `Class.method`) that `place` names is called, or has
    ended, for the time-th time; never with an empty `place`."""
    broken = Break()
    if not place:
        yield broken
        return
    owner, name = found(place)
    real, calls = getattr(owner, name), 0

    def broken_off(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        answer = real(*args, **named) if after or calls != time else None
        if calls == time:
            broken.is_so = True
            raise Broken
        return answer

    with mock.patch.object(owner, name, broken_off):
        yield broken


def found(place: str) -> tuple[Any, str]:
    """Who has the attribute that `module:Class.method` names, and its name."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, name = path.split(".")
    for each in classes:
        owner = getattr(owner, each)
    return owner, name
