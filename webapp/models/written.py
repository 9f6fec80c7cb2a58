"""Statements that are sent so often that building them anew each time would cost more than the
database does: their words are written once."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from peewee import SQL, DateField, Field, Value

from webapp.database import by_our_names, database, is_postgresql

# A statement that changes rows, and its values.
Change = tuple[str, tuple[Any, ...]]


def fetch_all(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement whose values stand as `?`."""
    return list(_cursor(statement, values).fetchall())


def fetch_planned(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The same, planned anew each time: a plan that PostgreSQL made for a small table, and keeps,
    reads all of it for each row when it is large."""
    if not is_postgresql():
        return fetch_all(statement, *values)
    return list(_planned(statement.replace("?", "%s"), values).fetchall())


def fetch_one(statement: str, *values: Any) -> tuple[Any, ...] | None:
    """The first row, if there is one."""
    found: tuple[Any, ...] | None = _cursor(statement, values).fetchone()
    return found


def fetch_of(model: Any, ids: Iterable[int], tail: str = "") -> list[Any]:
    """Those of a model that have these ids."""
    table = model._meta.table_name
    statement = f"SELECT {columns_of(model)} FROM {table} WHERE id {is_given()} {tail}"  # nosec B608 # our columns
    return [instances(row, model)[0] for row in fetch_all(statement, ids_given(ids))]


def is_given() -> str:
    """For where a statement asks whether it is one of the ids that `ids_given` makes one value
    of: however many they are, the words are the same."""
    return "= ANY(?)" if is_postgresql() else "IN (SELECT value FROM json_each(?))"


def given_texts() -> str:
    """For a statement's FROM: a table `given` with a column `value`, of the texts that
    `texts_given` makes one value of.

    What is looked up for each is asked for in a subquery that answers one value, such as
    `(SELECT id FROM user_ WHERE email = given.value)`: that is an index's work whatever else there
    is. Joined, or as `email IN (…)`, a few hundred find half of a table as far as PostgreSQL knows
    without statistics, and it reads all of it."""
    if is_postgresql():
        return "unnest(CAST(? AS text[])) AS given (value)"
    return "json_each(?) AS given"


def one_of(query: str, on_postgresql: bool) -> str:
    """For where a statement asks whether something is among the few that a query finds, which
    PostgreSQL then asks once and first, whatever it knows of the tables."""
    return f"= ANY(ARRAY({query}))" if on_postgresql else f"IN ({query})"


def change(statement: str, *values: Any) -> int:
    """How many rows a statement changed whose values stand as `?`."""
    return int(_cursor(statement, values).rowcount)


def change_together(*changes: Change) -> list[tuple[Any, ...]]:
    """Several changes, of which none asks for what an earlier one changes: PostgreSQL takes them as
    one statement, SQLite one after the other. The rows that the last one's RETURNING names."""
    if is_postgresql():
        words = _together(tuple(words for words, _values in changes))
        return fetch_all(words, *(value for _words, values in changes for value in values))
    for words, values in changes[:-1]:
        change(words, *values)
    words, values = changes[-1]
    return fetch_all(words, *values)


@cache
def _together(changes: tuple[str, ...]) -> str:
    before = ", ".join(f"c{number} AS ({words})" for number, words in enumerate(changes[:-1]))
    return f"WITH {before} {changes[-1]}" if before else changes[-1]


def insert_values(into: str, rows: Sequence[Sequence[Any]], tail: str = "") -> Any:
    """Several rows by one statement; `into` is "table (columns)". The cursor has what a RETURNING
    in `tail` asks for."""
    places = ", ".join(["(" + ", ".join("?" * len(rows[0])) + ")"] * len(rows))
    values = [value for row in rows for value in row]
    return _cursor(f"INSERT INTO {into} VALUES {places} {tail}", values)  # nosec B608 # our names


def locking(statement: str) -> str:
    """As `database.locked` does it for a query."""
    return f"{statement} FOR NO KEY UPDATE" if is_postgresql() else statement


@dataclass(frozen=True)
class Place:
    """Where a value will stand in a query that is built once."""

    name: str


def place(name: str) -> Any:
    """For where a query wants a value, which will be given as the database takes it."""
    return Value(Place(name), converter=False)


def among(column: Any, name: str) -> Any:
    """Is it one of the ids that will be given, by `ids_given`?"""
    if is_postgresql():
        return column == SQL("ANY(%s)", [Place(name)])
    return column.in_(SQL("(SELECT value FROM json_each(?))", [Place(name)]))


def ids_given(ids: Iterable[int]) -> Any:
    return list(ids) if is_postgresql() else json.dumps(list(ids))


def texts_given(texts: Iterable[str]) -> Any:
    return list(texts) if is_postgresql() else json.dumps(list(texts))


def ids_found(on_postgresql: bool) -> str:
    """The aggregate that makes one value of ids, which `ids_read` reads."""
    return "json_agg" if on_postgresql else "json_group_array"


def ids_read(found: Any) -> list[int]:
    """PostgreSQL's driver has read them already, and has None for none."""
    return json.loads(found) if isinstance(found, str) else found or []


@dataclass(frozen=True)
class Statement:
    words: str
    values: Sequence[Any]

    def rows(self, given: Mapping[str, Any], is_planned: bool) -> Iterator[tuple[Any, ...]]:
        """As the driver has them, where few columns need to be converted. `given` is what stands in
        the places, by name. `is_planned`: PostgreSQL plans it anew each time, for these values,
        where a plan for any of them is no plan for each."""
        values = [given[v.name] if isinstance(v, Place) else v for v in self.values]
        if is_planned and is_postgresql():
            return iter(_planned(self.words, values))
        return iter(database.execute_sql(self.words, values))


def written(query: Any) -> Statement:
    """A query's words, kept for as often as it is sent."""
    return Statement(*query.sql())


def _planned(words: str, values: Sequence[Any]) -> Any:
    """For these values, by PostgreSQL's driver itself."""
    with by_our_names:
        return database.cursor().execute(words, values, prepare=False)


def _cursor(statement: str, values: Sequence[Any]) -> Any:
    written = statement.replace("?", "%s") if is_postgresql() else statement
    return database.execute_sql(written, values)


@cache
def _reading(model: Any) -> list[tuple[str, Callable[[Any], Any] | None]]:
    """A model's field names in order, each with what makes a Python value of the driver's."""
    return [
        (field.name, None if _is_plain(field) else field.python_value)
        for field in model._meta.sorted_fields
    ]


def _is_plain(field: Field) -> bool:
    return type(field).python_value is Field.python_value and not isinstance(field, DateField)


@cache
def columns_of(*models: Any, **named: Any) -> str:
    """All of theirs, as a SELECT names them; `named` are models by the alias that they have."""
    aliases = {**{model._meta.table_name: model for model in models}, **named}
    return ", ".join(
        f'"{alias}"."{field.column_name}"'
        for alias, model in aliases.items()
        for field in model._meta.sorted_fields
    )


def instances(row: Sequence[Any], *models: Any) -> list[Any]:
    """What `columns_of(*models)` selected, as instances, None where an outer join found no row:
    for the few queries that are made so often that their SQL is written once."""
    found, values = [], iter(row)
    for model in models:
        instance = model(__no_default__=True)
        for name, convert in _reading(model):
            value = next(values)
            instance.__data__[name] = value if convert is None else convert(value)
        found.append(None if instance.__data__["id"] is None else instance)
    return found
