"""Every test that touches the database runs on SQLite and on PostgreSQL."""

import gc
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from tests.postgresql import temporary_server

if TYPE_CHECKING:
    from tests.people import Cast

ENGINES = ("sqlite", "postgresql")
LONG = ("browser", "drills", "scenarios")


def _work_in_memory() -> None:
    """Nothing in a test has to outlive a power cut, and databases on a disk take twice as long."""
    memory = Path("/dev/shm")
    is_roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 1024**3
    if is_roomy and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None


_work_in_memory()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than processors: who waits for a browser, a server or a disk leaves its turn."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What browsers, drills and scenarios do takes long, much of it waiting: it is spread over the
    run, and what comes last is short, so that no process works on alone at the end."""
    counts = Counter(item.path for item in items)
    places: dict[Path, float] = {}
    for takes_long in (True, False):
        paths = [path for path in counts if (path.parent.name in LONG) == takes_long]
        for at, path in enumerate(sorted(paths, key=lambda path: (-counts[path], path))):
            places[path] = at / len(paths) * (0.7 if takes_long else 1)
    items.sort(key=lambda item: (places[item.path], item.path))


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: nobody need look again and again whether it
    is garbage, nor for what a test leaves behind as soon as there are 700 objects of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of a PostgreSQL server for this run: TEST_DATABASE_URL or one of our own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with temporary_server() as url:
        yield url


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own, migrated: a copy of one that was migrated once in this run."""
    from tests.databases import fresh_sqlite, lent_postgresql

    if engine == "sqlite":
        yield fresh_sqlite(tmp_path)
        return
    server = request.getfixturevalue("postgresql_url")
    with lent_postgresql(server) as url:
        yield url


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    from tests.apps import make_app
    from webapp.database import database

    app = make_app(database_url)
    with app.app_context():
        yield app
    if not database.is_closed():
        database.close()
    if hasattr(database.obj, "close_all"):
        database.obj.close_all()


@pytest.fixture
def day() -> Iterator[Any]:
    """The day on which most of what is told here happens; the traveller moves on from it."""
    from tests.people import on_the_day

    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def cast(app: Flask, day: Any) -> "Cast":
    """The people of an organisation on that day."""
    from tests.people import make_cast

    return make_cast(app)
