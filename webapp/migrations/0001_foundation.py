"""Every table, constraint and index, and the triggers by which the database refuses nonsense.

The tables are written in PostgreSQL's words; SQLite has other names for some types."""

import re
from pathlib import Path
from typing import Any

from peewee import PostgresqlDatabase

HERE = Path(__file__).parent
SQLITE_TYPES = {
    "BIGSERIAL": "INTEGER",
    "SERIAL": "INTEGER",
    "BIGINT": "INTEGER",
    "BOOLEAN": "INTEGER",
    "BYTEA": "BLOB",
}


def up(migrator: Any, db: Any) -> None:
    on_postgresql = isinstance(db, PostgresqlDatabase)
    tables = (HERE / "0001_tables.sql").read_text()
    if not on_postgresql:
        for name, other in SQLITE_TYPES.items():
            tables = re.sub(rf"\b{name}\b", other, tables)
        # SQLite compares text letter by letter as it is.
        tables = tables.replace(' COLLATE "C"', "")
    for statement in tables.split(";\n"):
        if statement.strip():
            db.execute_sql(statement)
    engine = "postgresql" if on_postgresql else "sqlite"
    for part in ("triggers", "search"):
        statements = (HERE / f"0001_{part}_{engine}.sql").read_text()
        for statement in statements.split("\n\n"):
            db.execute_sql(statement)
