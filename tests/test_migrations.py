"""The migrated schema is the models' schema."""

import re

from flask import Flask
from huey.contrib.sql_huey import SqlStorage

from webapp import migrations
from webapp.database import database, is_postgresql
from webapp.models import ALL
from webapp.payments import simulated

SQLITE = "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
POSTGRESQL = """
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


def schema() -> set[str]:
    query = POSTGRESQL if is_postgresql() else SQLITE
    rows = (row[0] for row in database.execute_sql(query).fetchall())
    # The search indexes are each engine's own, and tried by tests/actions/test_search.py.
    kept = (row for row in rows if "schema_migration" not in row and "_search" not in row)
    return {re.sub(r'[\s"]+', "", row) for row in kept}


def test_the_migrated_schema_is_that_of_the_models(app: Flask) -> None:
    migrated = schema()
    huey = SqlStorage(database=database.obj, create_tables=False)
    models = [*ALL, *simulated.ALL, huey.KV, huey.Schedule, huey.Task, huey.Counter]
    if is_postgresql():
        database.execute_sql("DROP SCHEMA public CASCADE")
        database.execute_sql("CREATE SCHEMA public")
    else:
        database.execute_sql("PRAGMA foreign_keys = 0")
        for model in reversed(models):
            model._schema.drop_table()
    database.create_tables(models, safe=False)
    assert schema() == migrated


def test_nothing_is_pending_after_migrating(app: Flask) -> None:
    assert migrations.pending() == []
    assert migrations.apply() == []
