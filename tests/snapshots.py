"""Everything that a database holds, to see whether something changed it."""

from typing import Any

from webapp.database import database

# The one thing that a GET may write (rule J1).
EXCEPT = {("session_", "last_seen_at")}


def everything() -> dict[str, list[str]]:
    """The rows of every table, as text, in no order but their own."""
    return {table: _rows(table) for table in sorted(database.get_tables())}


def _rows(table: str) -> list[str]:
    names = [column.name for column in database.get_columns(table)]
    kept = [name for name in names if (table, name) not in EXCEPT]
    columns = ", ".join(f'"{name}"' for name in kept)
    rows = database.execute_sql(f'SELECT {columns} FROM "{table}"').fetchall()
    return sorted(repr([_plain(value) for value in row]) for row in rows)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
