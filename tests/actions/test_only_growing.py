"""What the database itself lets nobody change: events, transfers, ledger accounts, statements. Not
by writing over them either, which is neither UPDATE nor DELETE."""

import pytest
from peewee import DatabaseError

from tests.money import settled
from tests.people import Cast
from tests.snapshots import everything
from webapp.database import database, is_postgresql
from webapp.models import AuditEvent

TABLES = ("audit_event", "ledger_transfer", "ledger_account", "statement")
ONE = "SELECT * FROM {0} ORDER BY id LIMIT 1"
# As sentences of SQL, for each engine.
SQLITE = {
    "replaced": f"REPLACE INTO {{0}} {ONE}",
    "inserted over": f"INSERT INTO {{0}} {ONE} ON CONFLICT (id) DO UPDATE SET id = excluded.id",
    "updated over": "UPDATE OR REPLACE {0} SET id = id",
    "emptied": "DELETE FROM {0}",
}
POSTGRESQL = {
    "replaced": "DELETE FROM {0} USING {0} same WHERE {0}.id = same.id",
    "inserted over": f"INSERT INTO {{0}} ({ONE}) ON CONFLICT (id) DO UPDATE SET id = excluded.id",
    "updated over": "UPDATE {0} SET id = id",
    "emptied": "TRUNCATE {0} CASCADE",
}


@pytest.mark.parametrize("how", SQLITE)
@pytest.mark.parametrize("table", TABLES)
def test_what_only_grows_is_not_written_over(cast: Cast, table: str, how: str) -> None:
    settled("credit")
    assert AuditEvent.select().exists()
    before = everything()
    sentence = (POSTGRESQL if is_postgresql() else SQLITE)[how].format(table)

    with pytest.raises(DatabaseError, match=r"only grow|statement: "), database.atomic():
        database.execute_sql(sentence)
    assert everything() == before


@pytest.mark.parametrize("table", ["ledger_transfer", "ledger_account", "statement"])
def test_nor_by_a_row_of_the_same_name_and_another_number(cast: Cast, table: str) -> None:
    """Unique are more columns than the number."""
    settled("credit")
    names = [column.name for column in database.get_columns(table) if column.name != "id"]
    columns = ", ".join(f'"{name}"' for name in names)
    before = everything()
    verb = "INSERT INTO" if is_postgresql() else "REPLACE INTO"
    row = f"SELECT {columns} FROM {table} ORDER BY id LIMIT 1"

    with pytest.raises(DatabaseError), database.atomic():
        database.execute_sql(f"{verb} {table} ({columns}) {row}")
    assert everything() == before
