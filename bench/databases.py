"""Databases of a given number of users, made once and kept in instance/bench: a second run finds
them again, unless the schema or the people changed."""

import hashlib
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peewee import Database, SqliteDatabase

from bench import people
from tests.postgresql import Server
from webapp import migrations
from webapp.config import ROOT
from webapp.database import database, open_database

ENGINES = ("sqlite", "postgresql")
FOLDER = ROOT / "instance" / "bench"


@contextmanager
def server(engine: str) -> Iterator[str]:
    """What `prepared` needs to know of the engine: nothing, or where PostgreSQL answers."""
    if engine == "sqlite":
        yield ""
        return
    folder = FOLDER / "postgresql"
    folder.mkdir(parents=True, exist_ok=True)
    running = Server(folder, ("shared_buffers=512MB", "max_connections=200"))
    running.start()
    try:
        yield running.url
    finally:
        running.stop(signal.SIGINT)


def prepared(at: str, users: int) -> str:
    """The address of a database with so many users. What it holds is not to be changed: work that
    writes takes a `copied` one."""
    return _postgresql(at, users) if at else _sqlite(users)


@contextmanager
def fresh(at: str) -> Iterator[str]:
    """The address of an empty, migrated database, opened; a file is thrown away at the end."""
    with _thrown_away() as folder:
        url = f"sqlite:///{folder}/fresh.db"
        if at:
            url = at.rpartition("/")[0] + "/bench_fresh"
            _recreate(at, "bench_fresh")
        real = open_database(url)
        with database.connection_context():
            migrations.apply()
        try:
            yield url
        finally:
            real.close()


def backends(at: str, named: str) -> list[int]:
    """PostgreSQL's processes for connections whose PGAPPNAME is `named`."""
    if not at:
        return []
    with _admin(at) as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE application_name = %s AND pid <> pg_backend_pid()",
            (named,),
        )
        return [row[0] for row in cursor.fetchall()]


def _sqlite(users: int) -> str:
    path = FOLDER / f"{_key()}-{users}.db"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        for old in FOLDER.glob(f"*-{users}.*"):
            old.unlink()
        unfinished = path.with_suffix(".unfinished")
        _fill(f"sqlite:///{unfinished}", users)
        unfinished.rename(path)
    return f"sqlite:///{path}"


def _postgresql(at: str, users: int) -> str:
    name = f"bench_{_key()}_{users}"
    url = at.rpartition("/")[0] + f"/{name}"
    with _admin(at) as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if cursor.fetchone():
            return url
        cursor.execute("SELECT datname FROM pg_database")
        for (old,) in cursor.fetchall():
            if re.fullmatch(rf"bench_\w+_{users}(_unfinished)?", old):
                cursor.execute(f"DROP DATABASE {old} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}_unfinished")
        _fill(f"{url}_unfinished", users)
        cursor.execute(f"ALTER DATABASE {name}_unfinished RENAME TO {name}")
    return url


def _fill(url: str, users: int) -> None:
    begins = time.monotonic()
    print(f"Making {users:,} users for {url.partition(':')[0]} …", end=" ", flush=True)
    real = open_database(url)
    with database.connection_context():
        migrations.apply()
        with _without_search(real):
            people.make(users)
    if "sqlite" in url:
        # One file, without a -wal beside it.
        real.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        real.connection().autocommit = True
        real.execute_sql("VACUUM ANALYZE")
    real.close()
    print(f"{time.monotonic() - begins:.0f} s", flush=True)


@contextmanager
def _without_search(real: Database) -> Iterator[None]:
    """PostgreSQL builds its indexes of trigrams ten times as quickly when the rows are there."""
    if isinstance(real, SqliteDatabase):
        yield
        return
    found = real.execute_sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE %s", ("%\\_search",)
    )
    indexes = found.fetchall()
    for name, _definition in indexes:
        real.execute_sql(f"DROP INDEX {name}")
    yield
    for _name, definition in indexes:
        real.execute_sql(definition)


@contextmanager
def _thrown_away() -> Iterator[str]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        yield folder


def _recreate(at: str, name: str) -> None:
    with _admin(at) as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")


@contextmanager
def _admin(at: str) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(at, autocommit=True) as connection, connection.cursor() as cursor:
        yield cursor


def _key() -> str:
    """Of all that says what these databases hold."""
    files = [Path(people.__file__), *sorted(Path(migrations.__file__).parent.glob("0*"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]
