"""Finding people by parts of words: an index of trigrams that carries the account, for what is
rare in a large organisation. What is common there is found sooner by walking down the list.

A word of three letters or more is found anywhere; one or two letters begin a word."""

from typing import Any

from peewee import SQL, fn

from webapp.database import is_postgresql
from webapp.models.account import Account
from webapp.models.invitation import Invitation
from webapp.models.user import Membership
from webapp.models.written import fetch_all, fetch_one, fetch_planned
from webapp.texts import folded

# Of fewer rows than this, all are looked at.
FEW = 1_000
# As many are looked at to learn how common something is.
SAMPLE = 200
# More than this is common after all, wherever it hides.
MOST = 3_000
# What the words share is looked up by so many trigrams; the rows found are looked at themselves.
TRIGRAMS = 12

# model → the rows that the list shows, how many those are about, and when each began
SHOWN = {
    Membership: ("membership", "ended_at IS NULL", "active", "joined_at"),
    Invitation: (
        "invitation",
        "status <> 'accepted'",
        "pending + refused + expired + declined + revoked",
        "created_at",
    ),
}


def needles(q: str) -> list[str]:
    """What a row must hold, all of it, in its text with a space before."""
    return [word if len(word) > 2 else f" {word}" for word in folded(q).split()]


def holds(model: Any, needle: str) -> Any:
    inside = fn.STRPOS if is_postgresql() else fn.INSTR
    found = inside(model.folded, needle) > 0
    return found | model.folded.startswith(needle[1:]) if needle.startswith(" ") else found


def among(model: Any, account: Account, q: str) -> Any:
    """The condition on rows of `model` under which `q` can be looked for: those of the account,
    or those few of it where the index has found it. None where there is nobody."""
    wanted = needles(q)
    found = _rare(model, account, wanted) if wanted else None
    if found is None:
        return model.account == account
    # As they stand: a value each for thousands would take longer than finding them.
    return model.id.in_(SQL(f"({', '.join(map(str, found))})")) if found else None


def _rare(model: Any, account: Account, wanted: list[str]) -> list[int] | None:
    """The ids of all rows that hold it, or None where walking down the list finds it sooner.

    With a part p of n rows, walking looks at 50 / p of them, and finding by index costs about four
    times as much for each of its p * n: they are even at p² = 12 / n."""
    table, shown, count, began = SHOWN[model]
    size = fetch_one(f"SELECT {count} FROM people_count WHERE account_id = ?", account.id)  # nosec B608
    rows = size[0] if size else 0
    if rows <= FEW:
        return None
    conditions = " AND ".join([_HOLDS[is_postgresql()]] * len(wanted))
    sampled = fetch_planned(
        f"SELECT COUNT(*) FROM (SELECT folded FROM {table} WHERE account_id = ? AND {shown}"  # nosec B608
        f" ORDER BY {began} DESC, id DESC LIMIT {SAMPLE}) AS sample WHERE {conditions}",
        account.id,
        *map(_pattern, wanted),
    )
    if (sampled[0][0] / SAMPLE) ** 2 > 12 / rows:
        return None
    hits = _hits_postgresql if is_postgresql() else _hits_sqlite
    found = hits(table, shown, account, wanted)
    return None if len(found) > MOST else found


# Is it PostgreSQL? → how a row is asked for a needle
_HOLDS = {True: "' ' || folded LIKE ?", False: "instr(' ' || folded, ?) > 0"}


def _pattern(needle: str) -> str:
    if not is_postgresql():
        return needle
    escaped = needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _hits_postgresql(table: str, shown: str, account: Account, wanted: list[str]) -> list[int]:
    """MATERIALIZED: with the limit in sight, the list would be walked down after all. The cast:
    the index is only asked for the account by a number of its own type."""
    conditions = " AND ".join([_HOLDS[True]] * len(wanted))
    statement = f"""
        WITH found AS MATERIALIZED (
            SELECT id FROM {table}
             WHERE account_id = CAST(? AS BIGINT) AND {shown} AND {conditions})
        SELECT id FROM found LIMIT {MOST + 1}
    """  # nosec B608: names of tables and conditions, all of them ours
    return [row[0] for row in fetch_planned(statement, account.id, *map(_pattern, wanted))]


def _hits_sqlite(table: str, shown: str, account: Account, wanted: list[str]) -> list[int]:
    """The index's rowids begin with the account: a range of it is what an organisation has."""
    index, begin = f"{table}_search", account.id << 32
    statement = f"""
        SELECT rowid & 4294967295 FROM {index}
         WHERE {index} MATCH ? AND rowid BETWEEN ? AND ? LIMIT {MOST + 1}
    """  # nosec B608: names of tables, all of them ours
    match = " AND ".join('"{}"'.format(each.replace('"', '""')) for each in _trigrams(wanted))
    return [row[0] for row in fetch_all(statement, match, begin, begin | 4294967295)]


def _trigrams(wanted: list[str]) -> list[str]:
    """Of the text as indexed, where two spaces stand before each word."""
    found: list[str] = []
    for needle in wanted:
        text = f" {needle}" if len(needle) == 2 else needle
        found += [text[at : at + 3] for at in range(len(text) - 2)]
    return list(dict.fromkeys(found))[:TRIGRAMS]
