"""Databases of a given number of users, made once and kept in instance/bench: a second run finds
them again, unless the schema or the people changed."""

import hashlib
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from peewee import Case, Database, SqliteDatabase, fn

from bench import people
from tests.postgresql import Server
from webapp import migrations
from webapp.config import ROOT
from webapp.database import as_instant, database, insert_rows, open_database
from webapp.models import Account, Invitation, Membership, PeopleCount
from webapp.models.people_count import KEPT, states

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
        _watching.cache_clear()
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
    found = _watching(at).execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = %s", (named,)
    )
    return [row[0] for row in found.fetchall()]


def _sqlite(users: int) -> str:
    path = FOLDER / f"{_key()}-{users}.db"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        for left in FOLDER.glob("*.unfinished*"):
            left.unlink()
        _fill(f"sqlite:///{unfinished}", users)
        for old in (*FOLDER.glob(f"*-{users}.db"), *FOLDER.glob(f"{unfinished.name}-*")):
            old.unlink()
        unfinished.rename(path)
    return f"sqlite:///{path}"


@contextmanager
def _thrown_away() -> Iterator[str]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        yield folder


def _recreate(at: str, name: str) -> None:
    with _admin(at) as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")


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
        with _without_search(real), _without_counting(real):
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
    """Both engines index trigrams ten times as quickly when the rows are there, in their order."""
    if isinstance(real, SqliteDatabase):
        real.execute_sql("PRAGMA synchronous = OFF")
        dropped = _dropped(
            real,
            "TRIGGER",
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE ?",
            "%\\_search\\_%",
        )
    else:
        named = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE %s"
        dropped = _dropped(real, "INDEX", named, "%\\_search")
    yield
    if isinstance(real, SqliteDatabase):
        for table, shown in (
            ("membership", "ended_at IS NULL"),
            ("invitation", "status <> 'accepted'"),
        ):
            real.execute_sql(
                f"INSERT INTO {table}_search (rowid, folded)"
                " SELECT account_id << 32 | id, replace(' ' || folded, ' ', '  ')"
                f" FROM {table} WHERE {shown} ORDER BY account_id, id"
            )
    for definition in dropped:
        real.execute_sql(definition)


@contextmanager
def _without_counting(real: Database) -> Iterator[None]:
    """Counting all at the end is quicker than triggers that count one by one."""
    dropped: list[str] = []
    if isinstance(real, SqliteDatabase):
        named = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE ?"
        dropped = _dropped(real, "TRIGGER", named, "people\\_count\\_%")
    else:
        real.execute_sql("SET session_replication_role = replica")
    yield
    now = datetime.now(UTC)
    counted = {id: [0] * len(KEPT) for (id,) in Account.select(Account.id).tuples()}
    m, is_so = Membership, [Membership.licence == "licensed", *states(now).values()]
    licensed, *invited = (fn.SUM(Case(None, [(each, 1)], 0)) for each in is_so)
    for id, *numbers in m.select(m.account, fn.COUNT(m.id), licensed).group_by(m.account).tuples():
        counted[id][:2] = numbers
    i = Invitation
    for id, *numbers in i.select(i.account, *invited).group_by(i.account).tuples():
        counted[id][2:] = numbers
    rows = [(id, *numbers, as_instant(now)) for id, numbers in counted.items()]
    insert_rows(PeopleCount, ("account", *KEPT, "as_of"), rows)
    for definition in dropped:
        real.execute_sql(definition)


def _dropped(real: Database, kind: str, query: str, like: str) -> list[str]:
    """The definitions of what was dropped."""
    escaped = f"{query} ESCAPE '\\'"
    found = real.execute_sql(escaped, (like,)).fetchall()
    for name, _definition in found:
        real.execute_sql(f"DROP {kind} {name}")
    return [definition for _name, definition in found]


@cache
def _watching(at: str) -> Any:
    """A connection that stays: to open one just before something is measured would be measured,
    too, for it leaves the processors' caches full of other things."""
    import psycopg

    return psycopg.connect(at, autocommit=True, application_name="bench-watching")


@contextmanager
def _admin(at: str) -> Iterator[Any]:
    import psycopg

    # Under a name of its own: what ends meanwhile must not be one of those looked at.
    asking = psycopg.connect(at, autocommit=True, application_name="bench-admin")
    with asking as connection, connection.cursor() as cursor:
        yield cursor


def _key() -> str:
    """Of all that says what these databases hold."""
    files = [Path(people.__file__), *sorted(Path(migrations.__file__).parent.glob("0*"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]
