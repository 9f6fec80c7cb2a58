"""XLSX for people to download: real numbers and real days, and no cell that is a formula (threat
T30). Needs requirements-xlsx.txt, which is only loaded here."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import Any, BinaryIO

# What one sheet of the format holds, its heading row apart.
ROWS = 2**20 - 1
PIECE = 64 * 1024

Column = tuple[str, int]  # heading, width in characters


def is_installed() -> bool:
    return find_spec("xlsxwriter") is not None


def xlsx_of(
    title: str, columns: list[Column], rows: Iterable[Iterable[object]], made_at: datetime
) -> Iterator[bytes]:
    """The file in pieces, written to the disk before, a row at a time. A cell may be a text, a
    day, a whole number, or a Decimal, which keeps its decimals. What one sheet cannot hold goes on
    in the next."""
    with TemporaryFile() as file:
        _write(file, title, columns, rows, made_at)
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _write(
    file: BinaryIO,
    title: str,
    columns: list[Column],
    rows: Iterable[Iterable[object]],
    made_at: datetime,
) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    # The format knows no zones: the moment is said in UTC.
    book.set_properties({"title": title, "created": made_at.replace(tzinfo=None)})
    formats = _Formats(book)
    sheet, line = _sheet(book, title, columns, formats), 0
    for row in rows:
        if line == ROWS:
            name = f"{title} {len(book.worksheets()) + 1}"
            sheet, line = _sheet(book, name, columns, formats), 0
        line += 1
        for at, cell in enumerate(row):
            _put(sheet, line, at, cell, formats)
    book.close()


def _sheet(book: Any, name: str, columns: list[Column], formats: "_Formats") -> Any:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for at, (heading, width) in enumerate(columns):
        sheet.set_column(at, at, width)
        sheet.write_string(0, at, heading, formats.heading)
    return sheet


def _put(sheet: Any, line: int, at: int, cell: object, formats: "_Formats") -> None:
    if isinstance(cell, Decimal | int):
        sheet.write_number(line, at, cell, formats.number(cell))
    elif isinstance(cell, date):
        sheet.write_datetime(line, at, cell, formats.day)
    elif cell:
        sheet.write_string(line, at, str(cell))


class _Formats:
    def __init__(self, book: Any) -> None:
        self._book = book
        self._numbers: dict[str, Any] = {}
        self.heading = book.add_format({"bold": True, "bottom": 1})
        # The format's own short date, which each program shows as its reader writes days.
        self.day = book.add_format({"num_format": 14})

    def number(self, cell: Decimal | int) -> Any:
        """With exactly the decimals that the number has."""
        exponent = cell.as_tuple().exponent if isinstance(cell, Decimal) else 0
        decimals = -exponent if isinstance(exponent, int) else 0
        pattern = "#,##0" + ("." + "0" * decimals if decimals > 0 else "")
        if pattern not in self._numbers:
            self._numbers[pattern] = self._book.add_format({"num_format": pattern})
        return self._numbers[pattern]
