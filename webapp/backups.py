"""Copies of the whole database, taken while everything runs, and put back.

SQLite copies itself (`VACUUM INTO`, and the backup interface to put it back); PostgreSQL's own
programs do it (`pg_dump`, `pg_restore`), in one transaction each."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from webapp.config import environment_with
from webapp.database import database, is_postgresql
from webapp.models import Account

# Where Debian keeps the programs of each version; a newer one reads what an older one wrote.
HOMES = "/usr/lib/postgresql"
# How programs of PostgreSQL take what is in an address; a password never stands in their arguments,
# which everybody on the machine can read.
LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


class Unusable(Exception):
    """The copy cannot be made or put back; the message is a sentence for the operator."""


def take(file: Path, url: str) -> None:
    """Writes a copy of the database to `file`, which appears when it is whole. Raises Unusable."""
    if file.exists():
        raise Unusable(f"{file} is there already: name another file, or remove it.")
    draft = file.with_name(f".{file.name}.part")
    try:
        with _private():
            if is_postgresql():
                _run("pg_dump", url, "--format=custom", f"--file={draft}")
            else:
                draft.unlink(missing_ok=True)
                database.execute_sql("VACUUM INTO ?", (str(draft),))
        _require_whole(draft, url)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def put_back(file: Path, url: str, replace: bool) -> None:
    """Makes the database what it was when `file` was written: all of it, or nothing is changed.
    Raises Unusable, also where there are accounts and `replace` does not say that they may go."""
    if has_data() and not replace:
        raise Unusable("The database has accounts. To replace all of it by the copy: --replace.")
    _require_whole(file, url)
    if is_postgresql():
        database.close()
        words = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--exit-on-error")
        _run("pg_restore", url, *words, "--single-transaction", f"--dbname={_name(url)}", str(file))
    else:
        with closing(sqlite3.connect(file)) as copy:
            copy.backup(database.connection())


def has_data() -> bool:
    """Is there more in the database than an empty schema, or none at all?"""
    return bool(database.table_exists("account") and Account.select().exists())


def _require_whole(file: Path, url: str) -> None:
    if is_postgresql():
        _run("pg_restore", url, "--list", str(file))
        return
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
            found = copy.execute("PRAGMA integrity_check").fetchall()
            found += copy.execute("PRAGMA foreign_key_check").fetchall()
            tables = copy.execute("SELECT name FROM sqlite_master").fetchall()
    except sqlite3.DatabaseError as error:
        raise Unusable(f"{file} is no SQLite database: {error}.") from error
    if found != [("ok",)] or ("schema_migration",) not in tables:
        raise Unusable(f"{file} is no whole copy of Affluent's database.")


@contextmanager
def _private() -> Iterator[None]:
    """Nobody else may read the file: everything is in it."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _run(name: str, url: str, *arguments: str) -> None:
    installed = sorted(Path(HOMES).glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    program = shutil.which(name) or (str(installed[-1]) if installed else "")
    if not program:
        raise Unusable(f"{name} was not found: it comes with PostgreSQL's client programs.")
    done = subprocess.run(  # no shell; arguments are ours and the operator's
        [program, *arguments], env=_environment(url), capture_output=True, text=True
    )
    if done.returncode:
        words = " ".join(done.stderr.split())[:500]
        raise Unusable(f"{name} refused: {words or done.returncode}")


def _environment(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    given = {
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": _name(url),
        **dict(parse_qsl(parts.query)),
    }
    ours = {LIBPQ[name]: str(value) for name, value in given.items() if value and name in LIBPQ}
    return environment_with(ours)


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.removeprefix("/"))
