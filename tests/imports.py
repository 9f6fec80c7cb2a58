"""Import files as tests write them, and what their import says."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from webapp.actions.imports import Counts, Import, Sources
from webapp.imports import files
from webapp.imports.rows import Defaults
from webapp.models import ALL
from webapp.payments import simulated


def read(path: Path, gateway: str = "simulated") -> tuple[Counts, dict[int, str]]:
    """Imports a file; returns the counts, and the reasons by line."""
    reasons: dict[int, str] = {}
    defaults = Defaults("fr", "EUR", "Europe/Paris", gateway)
    capture = simulated.capture if gateway == "simulated" else None
    lines, _ = files.read(path)
    counts = Import(Sources(defaults, capture), reasons.__setitem__).run(lines)
    return counts, reasons


def import_csv(*rows: dict[str, str], **options: Any) -> tuple[Counts, dict[int, str]]:
    """Rows under one heading row of all their columns; what a row does not have is blank."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return import_text(text.getvalue(), "people.csv", **options)


def import_json(*rows: Any, **options: Any) -> tuple[Counts, dict[int, str]]:
    return import_text("\n".join(json.dumps(row) for row in rows), "people.jsonl", **options)


def import_text(text: str, name: str, **options: Any) -> tuple[Counts, dict[int, str]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode())
        return read(path, **options)


def contents() -> dict[str, list[Any]]:
    """Every row of every table."""
    return {
        model.__name__: list(model.select().order_by(model._meta.primary_key).tuples())
        for model in (*ALL, *simulated.ALL)
        if model.__name__ != "StatementSeries"
    }
