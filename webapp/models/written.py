"""Statements that are sent so often that building them anew each time would cost more than the
database does: their words are written once."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from peewee import Field

from webapp.database import database, is_postgresql


def fetch_all(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement whose values stand as `?`."""
    return list(_cursor(statement, values).fetchall())


def fetch_one(statement: str, *values: Any) -> tuple[Any, ...] | None:
    """The first row, if there is one."""
    found: tuple[Any, ...] | None = _cursor(statement, values).fetchone()
    return found


def fetch_planned(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement that PostgreSQL plans anew each time, with its values before it: a
    plan for any organisation and any word is a plan for small ones and common ones."""
    if not is_postgresql():
        return fetch_all(statement, *values)
    return list(_planned(statement.replace("?", "%s"), values))


def rows_of(query: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a peewee query as the driver has them, where few columns need to be converted;
    planned as above."""
    return iter(_planned(*query.sql()) if is_postgresql() else database.execute(query))


def _planned(statement: str, values: Sequence[Any]) -> Any:
    return database.cursor().execute(statement, values, prepare=False)


def _cursor(statement: str, values: Sequence[Any]) -> Any:
    written = statement.replace("?", "%s") if is_postgresql() else statement
    return database.execute_sql(written, values)


@cache
def _reading(model: Any) -> list[tuple[str, Callable[[Any], Any] | None]]:
    """A model's field names in order, each with what makes a Python value of the driver's."""
    plain = Field.python_value
    return [
        (field.name, None if type(field).python_value is plain else field.python_value)
        for field in model._meta.sorted_fields
    ]


def columns_of(*models: Any) -> str:
    """All of theirs, as a SELECT names them."""
    return ", ".join(
        f'"{model._meta.table_name}"."{field.column_name}"'
        for model in models
        for field in model._meta.sorted_fields
    )


def instances(row: Sequence[Any], *models: Any) -> list[Any]:
    """What `columns_of(*models)` selected, as instances: for the few queries that every request
    makes, whose SQL is written once instead of each time."""
    found, values = [], iter(row)
    for model in models:
        instance = model(__no_default__=True)
        for name, convert in _reading(model):
            value = next(values)
            instance.__data__[name] = value if convert is None else convert(value)
        found.append(instance)
    return found
