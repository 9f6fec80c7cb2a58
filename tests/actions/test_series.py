"""Numbers go to those who wait for them in the order in which they came."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from flask import Flask

from tests.databases import connected
from webapp.actions import series
from webapp.database import database, transaction

WAITERS = 8
# Of this database's connections.
WAITING = """
SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
 WHERE NOT granted AND datname = current_database()
"""


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_whoever_waits_longest_has_the_next_number(app: Flask, database_url: str) -> None:
    take()  # the series begins
    with connected(database_url) as watching, ThreadPoolExecutor(WAITERS) as pool:
        with database.connection_context(), transaction():
            assert series.take("refund").sequence == 2
            taken = []
            for count in range(1, WAITERS + 1):
                taken.append(pool.submit(take))
                wait_for(watching, count)
        assert [one.result(30) for one in taken] == list(range(3, WAITERS + 3))


def take() -> int:
    with database.connection_context(), transaction():
        return series.take("refund").sequence


def wait_for(watching: Any, count: int) -> None:
    until = time.monotonic() + 30
    while watching.execute(WAITING).fetchone()[0] != count:
        assert time.monotonic() < until, f"{count} never waited"
        Event().wait(0.005)
