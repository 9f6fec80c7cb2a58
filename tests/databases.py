"""Fresh, migrated databases: each a copy of one that was migrated once in this run."""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from peewee import Database
from playhouse.db_url import connect

from webapp import migrations
from webapp.database import database, open_database


def _migrate(url: str) -> None:
    real = open_database(url)
    with database.connection_context():
        migrations.apply()
    real.close()


@cache
def _sqlite_template() -> Path:
    folder = tempfile.mkdtemp(prefix="affluent-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


def fresh_sqlite(folder: Path) -> str:
    path = folder / f"{uuid4().hex}.db"
    shutil.copyfile(_sqlite_template(), path)
    return f"sqlite:///{path}"


@cache
def _postgresql_template(server: str) -> str:
    name = f"template_{uuid4().hex[:12]}"
    _admin(server, f"CREATE DATABASE {name}")
    _migrate(server.rpartition("/")[0] + f"/{name}")
    return name


@contextmanager
def fresh_postgresql(server: str) -> Iterator[str]:
    """A new database, which goes with the block."""
    url = _made(server)
    try:
        yield url
    finally:
        _drop(server, url)


@contextmanager
def lent_postgresql(server: str) -> Iterator[str]:
    """A database that another test may have had before: emptied, for that is ten times as quick as
    a new one. One whose tables or triggers were changed is thrown away."""
    spare = _spare.setdefault(server, [])
    lent = spare.pop() if spare else Lent(_made(server))
    try:
        yield lent.url
    finally:
        if lent.is_as_before():
            spare.append(lent)
        else:
            lent.close()
            _drop(server, lent.url)


class Lent:
    """A database with a connection that stays: a new one has to learn of every table first, which
    takes longer than most tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._database = _opened(url)
        self._structure = self._found()

    def is_as_before(self) -> bool:
        """Emptied, unless it was changed or the test ended our connection."""
        try:
            if self._found() != self._structure:
                return False
            self._database.connection().execute(EMPTY)
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        self._database.close()

    def _found(self) -> Any:
        return self._database.connection().execute(STRUCTURE).fetchone()


def empty(url: str) -> None:
    """Takes every row out of a PostgreSQL database, and everybody's connection from it."""
    with connected(url) as connection:
        connection.execute(EMPTY)


def remembered(url: str) -> Callable[[], None]:
    """What brings every row of a PostgreSQL database back as it is now, each time it is called."""

    def recall() -> None:
        with connected(url) as connection:
            connection.execute(RECALL)

    with connected(url) as connection:
        connection.execute(REMEMBER)
    return recall


# Databases that nobody uses, by server.
_spare: dict[str, list[Lent]] = {}

STRUCTURE = """
SELECT (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_class
         WHERE relnamespace = 'public'::regnamespace),
       (SELECT string_agg(oid || tgenabled::text, ',' ORDER BY oid) FROM pg_trigger)
"""

# As a replica nothing but the deletions happens: no trigger refuses, no foreign key looks.
EMPTY = """
SET session_replication_role = replica;
DO $$
DECLARE named text;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  FOR named IN SELECT tablename FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'schema_migration'
  LOOP EXECUTE format('DELETE FROM %I', named); END LOOP;
  PERFORM setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


REMEMBER = """
DO $$ DECLARE named text; BEGIN
  DROP SCHEMA IF EXISTS kept CASCADE;
  CREATE SCHEMA kept;
  FOR named IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
  LOOP EXECUTE format('CREATE TABLE kept.%I AS TABLE public.%I', named, named); END LOOP;
END $$
"""
RECALL = """
SET session_replication_role = replica;
DO $$ DECLARE named text; BEGIN
  FOR named IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename
  LOOP
    EXECUTE format('DELETE FROM public.%I', named);
    EXECUTE format('INSERT INTO public.%I SELECT * FROM kept.%I', named, named);
  END LOOP;
END $$
"""


def _made(server: str) -> str:
    name = f"test_{uuid4().hex[:12]}"
    _admin(server, f"CREATE DATABASE {name} TEMPLATE {_postgresql_template(server)}")
    return server.rpartition("/")[0] + f"/{name}"


def _drop(server: str, url: str) -> None:
    _admin(server, f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


def _admin(server: str, statement: str) -> None:
    with connected(server) as connection:
        connection.execute(statement)


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A connection past the program's own, where each statement is its own transaction."""
    other = _opened(url)
    try:
        yield other.connection()
    finally:
        other.close()


def _opened(url: str) -> Database:
    other = connect(url, autoconnect=False)
    other.connect()
    other.connection().autocommit = True
    return other
