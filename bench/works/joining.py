"""What one person who joins costs from the first press to the last mail: what docs/scaling.md
multiplies. The real web and worker processes, a mail server on loopback, the simulated gateway."""

import time
from collections.abc import Iterator

from bench import databases
from bench.results import Result
from bench.servers import spent
from bench.works.setting import Setting
from tests.drills.live import Live, is_due, live_on
from tests.processes import Process
from webapp.database import database, is_postgresql, open_database
from webapp.models import OutboxMessage

WARMING, COUNTED = 4, 24
PATIENCE = 240.0


def measure(setting: Setting) -> Iterator[Result]:
    with databases.fresh(setting.at) as url, live_on(url, WARMING + COUNTED) as live:
        open_database(url)
        web, worker = live.processes
        _join(live, WARMING)
        before = _spent(web), _spent(worker), _size(), OutboxMessage.select().count()
        _join(live, COUNTED)
        after = _spent(web), _spent(worker), _size(), OutboxMessage.select().count()
        database.close()
    of_web, of_worker, size, messages = (
        (late - early) / COUNTED for early, late in zip(before, after, strict=True)
    )
    setting.notes.append(
        f"A person who joins and gets money back ({setting.label}) costs the web process"
        f" {of_web / 1e6:.0f} ms of a processor (two presses, both answered by a page), the worker"
        f" {of_worker / 1e6:.0f} ms ({messages:.1f} messages: mails, a statement, the refund), and"
        f" {size / 1024:.0f} KB of the database."
    )
    yield from ()


def _join(live: Live, number: int) -> None:
    """So many join, confirm, and everything that follows has left."""
    for _ in range(number):
        person = live.people.pop()
        for path in ("acceptance", "confirmation"):
            if not live.until_done(path, person, f"/join/{path}", (303,)):
                raise RuntimeError(f"nobody could join: {live.problems}")
    ends = time.monotonic() + PATIENCE
    while is_due():
        if time.monotonic() > ends:
            raise RuntimeError("the worker did not end")
        time.sleep(0.2)


def _spent(process: Process) -> int:
    """Nanoseconds of a processor, of it and of what it started."""
    return sum(spent(pid) for pid in process.pids)


def _size() -> int:
    """Bytes that the database has."""
    if is_postgresql():
        query = "SELECT pg_database_size(current_database())"
        return int(database.execute_sql(query).fetchone()[0])
    pages = database.execute_sql("PRAGMA page_count").fetchone()[0]
    return int(pages * database.execute_sql("PRAGMA page_size").fetchone()[0])
