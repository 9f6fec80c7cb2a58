"""What the users list can be narrowed to: only what would find somebody."""

from webapp.models.account import Account
from webapp.models.user import User
from webapp.models.written import fetch_all

MOST = 200

# From one value to the next by an index that begins with (account_id, {column}): as many steps as
# there are values, however many rows have each.
VALUES = """
    WITH RECURSIVE each(value) AS (
        SELECT MIN({column}) FROM {table} WHERE {rows}
        UNION ALL
        SELECT (SELECT MIN({column}) FROM {table} WHERE {rows} AND {column} > each.value)
          FROM each WHERE each.value IS NOT NULL
    )
    SELECT value FROM each WHERE value IS NOT NULL LIMIT {most}
"""


def departments(account: Account) -> list[str]:
    """Those of members and invitations, as written, at most MOST."""
    here = "account_id = ? AND department > ''"
    found = {
        *_values("department", "membership", f"{here} AND ended_at IS NULL", account),
        *_values("department", "invitation", here, account),
    }
    return sorted(found, key=str.casefold)[:MOST]


def inviters(account: Account) -> list[User]:
    """Those who have invited somebody, by name: their id, name and address."""
    u, ids = User, _values("inviter_id", "invitation", "account_id = ?", account)
    return list(u.select(u.id, u.name, u.email).where(u.id.in_(ids)).order_by(u.folded, u.id))


def _values(column: str, table: str, rows: str, account: Account) -> list[str]:
    statement = VALUES.format(column=column, table=table, rows=rows, most=MOST)
    return [row[0] for row in fetch_all(statement, account.id, account.id)]
