"""An import file, line by line: CSV with a heading row, or JSON Lines."""

import codecs
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TextIO

COLUMNS = (
    *("email", "name", "password_hash", "locale", "plan", "currency", "billing_zone"),
    *("address", "country", "tax_id", "period_start", "period_end"),
    *("paid", "tax", "tax_rate", "method", "payment_reference", "paid_at"),
    *("invoice_number", "invoice_date", "owed_number", "owed", "owed_due"),
)
ENCODING_HELP = "Save it as UTF-8 (in a spreadsheet: “CSV UTF-8”) and import it again."


class Unreadable(Exception):
    """Nothing of the file can be imported; the message is a sentence with what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One account's line. `fields` holds what it names; `reason` says why it can't be read."""

    number: int
    fields: dict[str, Any] = field(default_factory=dict)
    is_json: bool = False
    reason: str = ""


def lines_in(path: Path) -> int:
    """How many lines the file has, roughly. Raises Unreadable unless all of it is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    found = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                at = found + block.count(b"\n", 0, error.start) + 1
                raise Unreadable(
                    f"{path.name} is not UTF-8 text (see line {at}). {ENCODING_HELP}"
                ) from None
            found += block.count(b"\n")
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise Unreadable(
                f"{path.name} ends in the middle of a character. {ENCODING_HELP}"
            ) from None
    return found + 1


def read(path: Path) -> tuple[Iterator[Line], list[str]]:
    """The lines, and the columns of a CSV heading that are not known and will be ignored. Raises
    Unreadable."""
    if is_json_lines(path):
        return _json_lines(path), []
    with path.open(encoding="utf-8-sig", newline="") as file:
        heading = _heading(file, path.name)
    return _csv_lines(path, heading), [name for name in heading if name and name not in COLUMNS]


def is_json_lines(path: Path) -> bool:
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return True
    with path.open(encoding="utf-8-sig") as file:
        return file.read(1) == "{"


def _heading(file: TextIO, name: str) -> list[str]:
    try:
        heading = [cell.strip().lower() for cell in next(_rows(file), [])]
    except csv.Error as error:
        raise Unreadable(f"{name} has a heading row that is not well-formed: {error}.") from error
    if "email" not in heading:
        raise Unreadable(f"{name} has no column “email” in its first line, the heading row.")
    repeated = {cell for cell in heading if cell and heading.count(cell) > 1}
    if repeated:
        raise Unreadable(f"{name} has the column “{sorted(repeated)[0]}” twice.")
    return heading


def _rows(file: TextIO) -> Any:
    """One reader for the heading and for what follows: both end at the same place."""
    return csv.reader(file, delimiter=_delimiter(file), strict=True)


def _delimiter(file: TextIO) -> str:
    """Spreadsheets of countries with a decimal comma write semicolons."""
    file.seek(0)
    first = file.readline()
    file.seek(0)
    return ";" if first.count(";") > first.count(",") else ","


def _csv_lines(path: Path, heading: list[str]) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = _rows(file)
        next(rows)
        while True:
            number = rows.line_num + 1
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(number, reason=f"is not well-formed CSV: {error}")
                continue
            if any(cell.strip() for cell in cells):
                yield _csv_line(number, heading, cells)


def _csv_line(number: int, heading: list[str], cells: list[str]) -> Line:
    if any(cell.strip() for cell in cells[len(heading) :]):
        reason = f"has {len(cells)} cells, and the heading {len(heading)}"
        return Line(number, reason=reason)
    named = zip(heading, cells, strict=False)
    return Line(number, {name: cell.strip() for name, cell in named if name in COLUMNS})


def _json_lines(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, start=1):
            if text.strip():
                yield _json_line(number, text)


def _json_line(number: int, text: str) -> Line:
    try:
        found = json.loads(text, parse_float=str, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "a value is out of range"
        return Line(number, reason=f"is not well-formed JSON: {why}")
    if not isinstance(found, dict):
        return Line(number, reason="is not a JSON object such as {“email”: …}")
    return Line(number, found, is_json=True)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
