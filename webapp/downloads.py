"""CSV for people to download: opened by their spreadsheet with a double click, and such that it
takes no cell for a formula (threat T30)."""

import csv
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO

# Some spreadsheet takes these at the beginning of a cell for the beginning of a formula; the wide
# ones where people write Japanese.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
# What spreadsheets of a country with a decimal comma expect.
SEPARATORS = {"fr": ";", "en": ","}

# Below this, lines wait for each other: fewer and larger pieces leave.
PIECE = 16 * 1024


def csv_of(rows: Iterable[Iterable[object]], locale: str = "en") -> Iterator[str]:
    """The file in pieces, with the mark by which a spreadsheet knows UTF-8. Without a locale it is
    what RFC 4180 says, for programs in any country. Numbers stay numbers, below zero too."""
    yield "\ufeff"
    yield from lines_of(rows, locale)


def lines_of(rows: Iterable[Iterable[object]], locale: str = "en") -> Iterator[str]:
    """The same without the mark: what goes on in a file that has it."""
    page = StringIO()
    lines = csv.writer(page, delimiter=SEPARATORS.get(locale, ","), lineterminator="\r\n")
    for row in rows:
        lines.writerow([_plain(cell) for cell in row])
        if page.tell() >= PIECE:
            yield page.getvalue()
            page.seek(0)
            page.truncate()
    yield page.getvalue()


def file_name(parts: Iterable[str], ending: str) -> str:
    """Of letters, digits, - and _ alone: "statements-2026-11-refund.csv"."""
    words = (re.sub(r"[^A-Za-z0-9_]+", "-", part).strip("-").lower() for part in parts)
    return "-".join(filter(None, words)) + ending


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _plain(cell: object) -> str:
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return str(cell) if isinstance(cell, int) else safe(str(cell))
