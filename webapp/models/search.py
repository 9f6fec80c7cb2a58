"""Finding people by parts of words: an index of trigrams that carries the account, for what is
rare in a large organisation. What is common there is found sooner by walking down the list.

A word of three letters or more is found anywhere; one or two letters begin a word."""

from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from string import ascii_lowercase, digits
from typing import Any

from peewee import OP, SQL, Expression, Value, fn

from webapp.database import is_postgresql
from webapp.models.account import Account
from webapp.models.invitation import Invitation
from webapp.models.user import Membership
from webapp.models.written import Place, among, fetch_all, fetch_one, place
from webapp.texts import folded

# So many rows are always walked.
FEW = 2_000
# To collect a row that the index finds takes many times as long as walking past one: of n rows
# walking meets a page of what 1.6 in sqrt(n) have as soon as the index has collected them all. What
# more of them have is common.
COMMON = 1.6
# SQLite's index stops where it has found too many. PostgreSQL's finds all of them before it says
# how many: there so many of the newest rows are asked before.
NEWEST = {Membership: 2_000, Invitation: 1_000}

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


def pattern(needle: str) -> str:
    """For `holds`. SQLite's GLOB and PostgreSQL's LIKE both take less than looking for a place in a
    text, a third of all that walking costs; peewee has one name for the two."""
    if is_postgresql():
        return f"%{needle.translate(_OF_LIKE)}%"
    return f"*{needle.translate(_OF_GLOB)}*"


_OF_LIKE = str.maketrans({letter: f"\\{letter}" for letter in "\\%_"})
_OF_GLOB = str.maketrans({letter: f"[{letter}]" for letter in "*?["})


def holds(model: Any, wanted: Any, begins: bool) -> Any:
    """The condition on rows of `model`; `wanted` is a needle's pattern, `begins` whether the needle
    begins with a space."""
    text = Value(" ", converter=False).concat(model.folded) if begins else model.folded
    # SQLite would make a plan anew for each pattern that it can see.
    return Expression(text, OP.LIKE, wanted if is_postgresql() else wanted.concat(""))


def by_index(model: Any) -> Any:
    """The condition on rows of `model` where `Lookup.rare` has found something, which is given as
    "found". PostgreSQL is to see nothing but the index of keys: neither that the list's own order
    has the account's rows, nor which keys are asked for, so that one plan is for all."""
    if not is_postgresql():
        return among(model.id, "found")
    keys = SQL("(SELECT CAST(%s AS BIGINT[]))", [Place("found")])
    has_keys = Expression(fn.search_keys(model.account, model.folded), "@>", keys)
    return has_keys & (model.account + SQL("0") == place("account"))


@dataclass
class Lookup:
    """A search in an organisation; `rare` says where it finds so few that the index knows them."""

    account: Account
    wanted: list[str]

    def rare(self, model: Any) -> list[int] | None:
        """What `by_index` is given: on SQLite the ids of all rows of `model` that hold it, on
        PostgreSQL the keys of its index. None where walking finds them sooner."""
        numbers, keys = self._known
        rows, hits = numbers[model]
        root = isqrt(rows)
        if rows <= FEW or not keys or hits * root > COMMON * NEWEST[model]:
            return None
        return keys if is_postgresql() else self._by_phrases(model, keys, int(COMMON * root))

    @cached_property
    def _known(self) -> tuple[dict[Any, tuple[int, int]], list[Any]]:
        """About how many rows there are of each model, how many of the newest hold it, where that
        is asked, and what the index is asked for."""
        numbers, asked, values = [f"{SHOWN[model][2]}, 0" for model in SHOWN], "", list[Any]()
        if is_postgresql():
            numbers = [f"{SHOWN[model][2]}, {self._newest_hits(model)}" for model in SHOWN]
            asked = f", {_KEYS}"
            values = [self.account.id, *map(pattern, self.wanted)] * len(SHOWN) + self._edged()
        statement = f"SELECT {', '.join(numbers)}{asked} FROM people_count WHERE account_id = ?"  # nosec B608 # words of SHOWN and _KEYS
        found = fetch_one(statement, *values, self.account.id) if self.wanted else None
        if found is None:
            return dict.fromkeys(SHOWN, (0, 0)), []
        keys = found[-1] if is_postgresql() else [_phrase(each) for each in self._parts]
        return dict(zip(SHOWN, zip(found[0:4:2], found[1:4:2], strict=True), strict=True)), keys

    def _newest_hits(self, model: Any) -> str:
        table, shown, _count, began = SHOWN[model]
        return f"""
            (SELECT COUNT(*) FROM (
                SELECT folded FROM {table} WHERE account_id = ? AND {shown}
                 ORDER BY {began} DESC, id DESC LIMIT {NEWEST[model]}) AS newest
              WHERE {self._holding})
        """  # nosec B608 # words of SHOWN, and statements of ours

    def _by_phrases(self, model: Any, phrases: list[str], most: int) -> list[int] | None:
        """The index's rowids begin with the account: a range of it is what an organisation has.
        None for more than `most`."""
        index, begin = f"{SHOWN[model][0]}_search", self.account.id << 32
        statement = f"""
            SELECT rowid & 4294967295 FROM {index}
             WHERE {index} MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?
        """  # nosec B608 # a table of SHOWN, and a number of ours
        match = " AND ".join(phrases)
        found = fetch_all(statement, match, begin, begin | 4294967295, most + 1)
        return None if len(found) > most else [row[0] for row in found]

    @property
    def _holding(self) -> str:
        texts = ("' ' || folded" if each.startswith(" ") else "folded" for each in self.wanted)
        return " AND ".join(f"{text} LIKE ?" for text in texts)

    def _edged(self) -> list[Any]:
        """The words with one letter around them, and with another: see _KEYS. A needle that begins
        a word keeps its beginning."""
        free = [each for each in ascii_lowercase + digits if each not in " ".join(self.wanted)]
        values: list[Any] = []
        for letter in free[:2] if len(free) > 1 else ("", ""):
            edged = (f"{each if each[0] == ' ' else letter + each}{letter}" for each in self._parts)
            values += [self.account.id, " ".join(edged) if letter else ""]
        return values

    @property
    def _parts(self) -> list[str]:
        """What the index's keys are made of: of several words their ends suffice, since each of the
        rows found is looked at, and each key more is a list more to read."""
        if len(self.wanted) == 1:
            return self.wanted
        ends = ((each,) if len(each) < 4 else (each[:3], each[-3:]) for each in self.wanted)
        return [part for parts in ends for part in parts]


# The keys of all trigrams that a text has wherever the words stand in it. PostgreSQL alone knows
# what it takes for a letter and what for the end of a word, so it is asked twice, with letters
# around the words that are in none of them: what both texts have is there without those letters.
_KEYS = """
    ARRAY(SELECT unnest(search_keys(CAST(? AS BIGINT), ?))
          INTERSECT SELECT unnest(search_keys(CAST(? AS BIGINT), ?)))
"""


def _phrase(needle: str) -> str:
    """As FTS5 is asked for text: two spaces stand before each word there, so that one letter that
    begins a word makes a trigram, too."""
    text = f" {needle}" if len(needle) == 2 else needle
    return '"{}"'.format(text.replace('"', '""'))
