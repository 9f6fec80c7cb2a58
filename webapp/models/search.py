"""Finding people by parts of words: an index of trigrams that carries the account, for what is
rare in a large organisation. What is common there is found sooner by walking down the list.

A word of three letters or more is found anywhere; one or two letters begin a word."""

from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase, digits
from typing import Any

from peewee import Value, fn

from webapp.database import is_postgresql
from webapp.models.account import Account
from webapp.models.invitation import Invitation
from webapp.models.user import Membership
from webapp.models.written import fetch_all, fetch_one, fetch_planned
from webapp.texts import folded

# As many of the newest rows are looked at to learn how common something is: where so many of them
# have it, walking meets a page of it sooner than the index has collected all that there are.
SAMPLE = 2_000
COMMON = 8
# More than this is common after all, wherever it hides.
MOST = 2_000
# What the words share is looked up by so many trigrams; the rows found are looked at themselves.
TRIGRAMS = 9

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


def holds(model: Any, needle: Any, begins: bool) -> Any:
    """The condition on rows of `model`; `begins` where the needle begins with a space."""
    text = Value(" ", converter=False).concat(model.folded) if begins else model.folded
    return (fn.STRPOS if is_postgresql() else fn.INSTR)(text, needle) > 0


@dataclass
class Lookup:
    """A search in an organisation; `rare` says where it finds so few that the index knows them."""

    account: Account
    wanted: list[str]
    _is_common: bool | None = None

    def rare(self, model: Any) -> list[int] | None:
        """The ids of all rows of `model` that hold it, or None where walking finds it sooner."""
        rows, keys = self._known
        if rows[model] <= SAMPLE or not keys:
            return None
        if self._is_common is None:
            # What is common among members is so among those invited, as far as anybody looks.
            self._is_common = self._newest_hits(model) >= COMMON
        if self._is_common:
            return None
        found = self._by_keys(model) if is_postgresql() else self._by_trigrams(model)
        return None if len(found) > MOST else found

    @cached_property
    def _known(self) -> tuple[dict[Any, int], list[Any]]:
        """About how many rows there are of each model, and what their index is asked for."""
        counts = ", ".join(count for _table, _shown, count, _began in SHOWN.values())
        asked, values = (f", {_KEYS}", self._edged()) if is_postgresql() else ("", [])
        statement = f"SELECT {counts}{asked} FROM people_count WHERE account_id = ?"  # nosec B608 # words of SHOWN and _KEYS
        found = fetch_one(statement, *values, self.account.id) if self.wanted else None
        if found is None:
            return dict.fromkeys(SHOWN, 0), []
        keys = found[-1] if is_postgresql() else _trigrams(self.wanted)
        return dict(zip(SHOWN, found, strict=False)), keys

    def _newest_hits(self, model: Any) -> int:
        """How many of the newest rows hold it; not counted beyond COMMON."""
        table, shown, _count, began = SHOWN[model]
        statement = f"""
            SELECT 1 FROM (
                SELECT folded FROM {table} WHERE account_id = ? AND {shown}
                 ORDER BY {began} DESC, id DESC LIMIT {SAMPLE}) AS newest
             WHERE {self._holding} LIMIT {COMMON}
        """  # nosec B608 # words of SHOWN, and statements of ours
        return len(fetch_planned(statement, self.account.id, *self.wanted))

    def _by_trigrams(self, model: Any) -> list[int]:
        """The index's rowids begin with the account: a range of it is what an organisation has."""
        index, begin = f"{SHOWN[model][0]}_search", self.account.id << 32
        statement = f"""
            SELECT rowid & 4294967295 FROM {index}
             WHERE {index} MATCH ? AND rowid BETWEEN ? AND ? LIMIT {MOST + 1}
        """  # nosec B608 # a table of SHOWN, and a number of ours
        match = " AND ".join('"{}"'.format(each.replace('"', '""')) for each in self._known[1])
        return [row[0] for row in fetch_all(statement, match, begin, begin | 4294967295)]

    def _by_keys(self, model: Any) -> list[int]:
        """MATERIALIZED: with the limit in sight, the list would be walked down after all."""
        table, shown, _count, _began = SHOWN[model]
        statement = f"""
            WITH found AS MATERIALIZED (
                SELECT id FROM {table}
                 WHERE search_keys(account_id, folded) @> CAST(? AS BIGINT[])
                   AND account_id = ? AND {shown} AND {self._holding})
            SELECT id FROM found LIMIT {MOST + 1}
        """  # nosec B608 # words of SHOWN, and statements of ours
        values = (self._known[1], self.account.id, *self.wanted)
        return [row[0] for row in fetch_planned(statement, *values)]

    @property
    def _holding(self) -> str:
        inside = "STRPOS" if is_postgresql() else "INSTR"
        texts = ("' ' || folded" if each.startswith(" ") else "folded" for each in self.wanted)
        return " AND ".join(f"{inside}({text}, ?) > 0" for text in texts)

    def _edged(self) -> list[Any]:
        """The words with one letter around them, and with another: see _KEYS. A needle that begins
        a word keeps its beginning."""
        free = [each for each in ascii_lowercase + digits if each not in " ".join(self.wanted)]
        values: list[Any] = []
        for letter in free[:2] if len(free) > 1 else ("", ""):
            edged = (f"{each if each[0] == ' ' else letter + each}{letter}" for each in self.wanted)
            values += [self.account.id, " ".join(edged) if letter else ""]
        return values


# The keys of all trigrams that a text has wherever the words stand in it. PostgreSQL alone knows
# what it takes for a letter and what for the end of a word, so it is asked twice, with letters
# around the words that are in none of them: what both texts have is there without those letters.
_KEYS = """
    ARRAY(SELECT unnest(search_keys(CAST(? AS BIGINT), ?))
          INTERSECT SELECT unnest(search_keys(CAST(? AS BIGINT), ?)))
"""


def _trigrams(wanted: list[str]) -> list[str]:
    """Of the text as indexed, where two spaces stand before each word. One word is looked up by as
    few as have all its letters, since each has a list to be read; several by their ends."""
    found: list[str] = []
    for needle in wanted:
        text = f" {needle}" if len(needle) == 2 else needle
        last = len(text) - 3
        begins = (*range(0, last, 3), last) if len(wanted) == 1 else (0, last)
        found += [text[at : at + 3] for at in begins]
    return list(dict.fromkeys(found))[:TRIGRAMS]
