"""The database handle, the fields that both engines share, and the transaction."""

import json
import select
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import peewee
from flask import request
from peewee import (
    SQL,
    BigAutoField,
    Database,
    DatabaseProxy,
    DateTimeField,
    Model,
    PostgresqlDatabase,
    TextField,
)
from playhouse.db_url import connect as connect_url

from webapp import rows
from webapp.config import ROOT
from webapp.turns import FairSqlite

database = DatabaseProxy()
# What the driver raises where it is asked directly has peewee's names outside, as everywhere else.
by_our_names: Any = peewee.__exception_wrapper__  # type: ignore[attr-defined]
# As many connections as a pool may hold on to.
MOST_POOLED = 20
Piece = TypeVar("Piece", str, bytes)

# WAL lets readers go on beside the one writer; FULL is what keeps a commit through a power cut.
PRAGMAS: dict[str, Any] = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    # Rows that REPLACE takes away are deleted without their triggers otherwise.
    "recursive_triggers": 1,
    "busy_timeout": 15_000,
    "cache_size": -16_000,
}


def open_database(url: str) -> Database:
    """Points the program at `url` and returns the real database behind the proxy."""
    if urlsplit(url).scheme == "sqlite":
        path = Path(url.removeprefix("sqlite:///").partition("?")[0])
        path = path if path.is_absolute() else ROOT / path
        path.parent.mkdir(parents=True, exist_ok=True)
        # IMMEDIATE takes the write lock at BEGIN: what a transaction read cannot be overtaken.
        real: Database = FairSqlite(
            str(path), PRAGMAS["busy_timeout"] / 1000, pragmas=PRAGMAS, lock_type="IMMEDIATE"
        )
    else:
        real = connect_url(url, unquote_password=True, unquote_user=True)
    database.initialize(real)
    return real


def is_postgresql() -> bool:
    return isinstance(database.obj, PostgresqlDatabase)


@contextmanager
def transaction() -> Iterator[None]:
    """One action: everything in it is committed, or nothing is. Nested uses join the outer one."""
    if database.in_transaction():
        yield
        return
    with database.transaction():
        yield


@contextmanager
def unhurried_transaction() -> Iterator[None]:
    """An action that is committed before the disk has it: a process that is killed has lost
    nothing, and a power cut what was committed so since the last ordinary transaction."""
    if is_postgresql():
        with database.transaction():
            database.execute_sql("SET LOCAL synchronous_commit TO off")
            yield
        return
    database.execute_sql("PRAGMA synchronous = normal")
    try:
        with database.transaction():
            yield
    finally:
        database.execute_sql(f"PRAGMA synchronous = {PRAGMAS['synchronous']}")


def as_instant(value: datetime) -> str:
    """As databases keep it."""
    if value.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    there = value if value.tzinfo is UTC else value.astimezone(UTC)
    return there.isoformat(" ", "microseconds")


@contextmanager
def snapshot() -> Iterator[None]:
    """Several queries that read one and the same state, whatever is written beside them."""
    if database.in_transaction():
        yield
    elif is_postgresql():
        with database.transaction():
            database.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        # DEFERRED: reading alone takes no lock that a writer would wait for.
        with database.transaction("DEFERRED"):
            yield


class InstantField(DateTimeField):
    """An aware instant in UTC; text of fixed width on SQLite, so that it compares as it sorts."""

    field_type = "TIMESTAMPTZ"

    def db_value(self, value: datetime | None) -> str | None:
        return None if value is None else as_instant(value)

    def python_value(self, value: str | datetime | None) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        return value.astimezone(UTC)


class FoldedField(TextField):
    """Text that `texts.folded` made, for searching and sorting. PostgreSQL compares it letter by
    letter too, as SQLite and Python do, so that all three agree on who comes before whom."""

    def ddl_datatype(self, ctx: Any) -> Any:
        return SQL('TEXT COLLATE "C"' if is_postgresql() else "TEXT")


_as_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


class JSONTextField(TextField):
    """JSON kept as text: written once, read whole, never searched."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else _as_json(value)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)


class BaseModel(Model):
    id = BigAutoField()

    class Meta:
        database = database
        legacy_table_names = False
        only_save_dirty = True

    def save(self, force_insert: bool = False, only: Any = None) -> Any:
        if force_insert and only is None and self.id is None:
            rows.insert(self)
            return 1
        return super().save(force_insert=force_insert, only=only)


def locked(query: Any) -> Any:
    """The rows a transaction decides on: PostgreSQL locks them, SQLite already holds the file.

    NO KEY: a row that merely refers to one of them (an audit event, a transfer) does not wait, so
    that no insert takes part in the order of locks (user, accounts, the rest).
    """
    return query.for_update("FOR NO KEY UPDATE") if is_postgresql() else query


def forget_plans() -> None:
    """Before many rows are written: PostgreSQL keeps a session's plans, also those by which it
    checks foreign keys. One that it made for a small table reads all of it for each row when it is
    large, until autovacuum comes by."""
    if is_postgresql():
        database.execute_sql("DISCARD PLANS")


def insert_rows(model: Any, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Many rows of plain texts, numbers and booleans: the query builder would take ten times as
    long. All columns without a default of the database must be named."""
    columns = ", ".join(f'"{getattr(model, name).column_name}"' for name in names)
    places = ", ".join([database.obj.param] * len(names))
    statement = f'INSERT INTO "{model._meta.table_name}" ({columns}) VALUES ({places})'  # nosec B608 # names of a model and its columns
    with database.atomic(), by_our_names:
        database.cursor().executemany(statement, rows)


def connect_with(app: Any) -> None:
    """One connection a thread, opened when first needed; a pool gets its connection back."""

    @app.before_request  # type: ignore[untyped-decorator]
    def connect() -> None:
        # Whether the process lives is asked of the process alone; whether it is ready, says itself.
        if request.endpoint not in ("health.healthz", "health.readyz"):
            connect_usably()

    @app.teardown_appcontext  # type: ignore[untyped-decorator]
    def release_at_the_end(error: BaseException | None) -> None:
        release()


def release() -> None:
    """Gives a connection back to its pool, if it is of one."""
    if hasattr(database.obj, "close_idle") and not database.is_closed():
        database.close()


def connect_usably() -> None:
    """A connection that works: the server may have been restarted since it was last used."""
    if not database.is_connection_usable():
        database.close()
    database.connect(reuse_if_open=True)
    # A pool may have more of them.
    for _ in range(MOST_POOLED):
        if not is_postgresql() or not _is_hung_up(database.connection()):
            return
        getattr(database.obj, "manual_close", database.close)()
        database.connect(reuse_if_open=True)


def _is_hung_up(connection: Any) -> bool:
    """Has the server ended it? Asked of the socket, which costs no round trip."""
    socket = select.poll()
    with by_our_names:
        socket.register(connection.fileno(), getattr(select, "POLLRDHUP", 0))
    return bool(socket.poll(0))


def connected(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces of an answer that is read from the database while it leaves, which is after the
    request ended and gave its connection back."""
    database.connect(reuse_if_open=True)
    try:
        yield from pieces
    finally:
        release()
