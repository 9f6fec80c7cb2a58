"""A table of people as spreadsheets and other services write it: its encoding and its separator
are guessed, since nobody knows those of their file."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper

SEPARATORS = ",;\t|"
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What a spreadsheet program's own file begins with: a ZIP archive, or an OLE document.
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# Enough to see which separator the first rows have.
SAMPLE = 64 * 1024
# A quote that is never closed swallows the rest of the file.
LONGEST_CELL = 5000
# Of what is not UTF-8, the bytes that no Windows-1252 text has.
NOT_TEXT = bytes(range(9)) + bytes(range(14, 32))


class Unreadable(ValueError):
    """`code` says why: empty, workbook, binary, quotes."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Sheet:
    content: bytes
    encoding: str
    separator: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The lines that have something in them, numbered as a spreadsheet numbers its rows.
        Raises Unreadable where a quote is never closed."""
        text = TextIOWrapper(BytesIO(self.content), self.encoding, "replace", newline="")
        lines = (line.replace("\0", "") for line in text)
        number = 0
        try:
            for cells in csv.reader(lines, delimiter=self.separator):
                number += 1
                if any(len(cell) > LONGEST_CELL for cell in cells):
                    raise Unreadable("quotes")
                if any(cell.strip() for cell in cells):
                    yield number, cells
        except csv.Error as error:
            raise Unreadable("quotes") from error


def read(content: bytes) -> Sheet:
    """Raises Unreadable."""
    if content.startswith(WORKBOOKS):
        raise Unreadable("workbook")
    encoding = _encoding(content)
    start = content[:SAMPLE].decode(encoding, "ignore")
    if not start.strip():
        raise Unreadable("empty")
    return Sheet(content, encoding, _separator(start))


def _encoding(content: bytes) -> str:
    for mark, encoding in BOMS:
        if content.startswith(mark):
            return encoding
    # Every second byte of a Latin text in UTF-16 is a zero.
    start = content[:SAMPLE]
    for first, encoding in ((0, "utf-16-be"), (1, "utf-16-le")):
        if len(start) > 3 and start[first::2].count(0) > 0.4 * len(start):
            return encoding
    if any(byte in start for byte in NOT_TEXT):
        raise Unreadable("binary")
    return "utf-8" if _is_utf8(content) else "cp1252"


def _is_utf8(content: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), SAMPLE):
            decoder.decode(content[start : start + SAMPLE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator(start: str) -> str:
    """The one that splits the first rows alike and into the most cells; a comma if none does."""
    lines = [line for line in start.splitlines()[:20] if line.strip()]

    def fitness(separator: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        alike = sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0
        return alike, widths[0] if widths else 0

    return max(SEPARATORS, key=fitness)
