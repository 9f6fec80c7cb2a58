"""What the users list can be narrowed to: only what would find somebody."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from webapp.database import is_postgresql
from webapp.models.account import Account
from webapp.models.user import User
from webapp.models.written import Statement, among, fetch_all, ids_given, written

MOST = 200

# From one value to the next by an index that begins with (account_id, {column}): as many steps as
# there are values, however many rows have each.
VALUES = """
    WITH RECURSIVE each(value) AS (
        SELECT MIN({column}) FROM {table} WHERE account_id = ?{rows}
        UNION ALL
        SELECT (SELECT MIN({column}) FROM {table}
                 WHERE account_id = ?{rows} AND {column} > each.value)
          FROM each WHERE each.value IS NOT NULL
    )
    SELECT value FROM each WHERE value IS NOT NULL
"""


def departments(account: Account) -> list[str]:
    """Those of members and invitations, as written, at most MOST."""
    found = {
        *_values("department", "membership", account, " AND ended_at IS NULL"),
        *_values("department", "invitation", account),
    }
    return sorted(found - {""}, key=str.casefold)[:MOST]


def inviters(account: Account) -> list[tuple[int, str]]:
    """Those who have invited somebody, by name: their id, and what they are called."""
    ids = ids_given(inviter_ids(account))
    found = _named(is_postgresql()).rows({"ids": ids}, is_planned=False)
    return [(id, name or email) for id, name, email in found]


@cache
def _named(_on_postgresql: bool) -> Statement:
    u = User
    named = u.select(u.id, u.name, u.email).where(among(u.id, "ids"))
    return written(named.order_by(u.folded, u.id).limit(MOST))


def inviter_ids(account: Account) -> list[int]:
    return list(_values("inviter_id", "invitation", account))


def _values(column: str, table: str, account: Account, rows: str = "") -> Iterator[Any]:
    statement = VALUES.format(column=column, table=table, rows=rows)
    return (row[0] for row in fetch_all(statement, account.id, account.id))
