"""CSV for people to download: opened by their spreadsheet with a double click, and such that it
takes no cell for a formula (threat T30)."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

# A spreadsheet reads these at the beginning of a cell as the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What spreadsheets of a country with a decimal comma expect.
SEPARATORS = {"fr": ";", "en": ","}


def csv_of(rows: Iterable[Iterable[object]], locale: str) -> Iterator[str]:
    """The file in pieces, with the mark by which a spreadsheet knows UTF-8."""
    yield "\ufeff"
    page = StringIO()
    lines = csv.writer(page, delimiter=SEPARATORS.get(locale, ","), lineterminator="\r\n")
    for row in rows:
        lines.writerow([_safe(str(cell)) for cell in row])
        yield page.getvalue()
        page.seek(0)
        page.truncate()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
