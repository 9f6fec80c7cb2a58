"""Fresh, migrated databases: each a copy of one that was migrated once in this run."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

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
    name = f"test_{uuid4().hex[:12]}"
    _admin(server, f"CREATE DATABASE {name} TEMPLATE {_postgresql_template(server)}")
    try:
        yield server.rpartition("/")[0] + f"/{name}"
    finally:
        _admin(server, f"DROP DATABASE {name} WITH (FORCE)")


def _admin(server: str, statement: str) -> None:
    admin = connect(server, autoconnect=False)
    admin.connect()
    try:
        admin.connection().autocommit = True
        admin.connection().execute(statement)
    finally:
        admin.close()
