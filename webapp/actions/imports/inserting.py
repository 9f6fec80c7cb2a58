"""Many rows in few statements, on either engine."""

from typing import Any

from peewee import chunked

# Far under the number of values that either engine takes in one statement.
AT_ONCE = 500


def insert_all(model: Any, key: str, rows: list[dict[str, Any]]) -> list[int]:
    """Inserts rows of the same columns; returns their ids in the same order. Neither engine
    promises that order, so they are found again by the unique column `key`."""
    found: dict[Any, int] = {}
    column = getattr(model, key)
    for batch in chunked(rows, AT_ONCE):
        model.insert_many(batch).execute()
        values = [row[key] for row in batch]
        newest = model.select(column, model.id).where(column.in_(values)).order_by(model.id)
        found |= dict(newest.tuples())
    return [found[row[key]] for row in rows]
