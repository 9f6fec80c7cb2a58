"""What was measured beside what was wanted, as a table for the terminal and for the docs."""

import os
import platform
import sqlite3
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("flask", "werkzeug", "jinja2", "peewee", "flask-login", "flask-babel", "gunicorn",
            "weasyprint", "psycopg")  # fmt: skip


@dataclass(frozen=True)
class Result:
    """`ratio` (or another figure, in `unit`) is to be at most `target`, or at least when
    `is_floor`. `figures` say what it was made of."""

    work: str
    value: float
    target: float
    unit: str = "×"
    is_floor: bool = False
    figures: str = ""

    @property
    def passes(self) -> bool:
        return self.value >= self.target if self.is_floor else self.value <= self.target

    @property
    def cells(self) -> tuple[str, ...]:
        sign = "≥" if self.is_floor else "≤"
        unit = f" {self.unit}"
        verdict = "pass" if self.passes else "short"
        return (
            self.work, f"{self.value:,.2f}{unit}", f"{sign} {self.target:g}{unit}", verdict,
            self.figures,
        )  # fmt: skip


HEADINGS = ("work", "measured", "target", "", "made of")


@dataclass
class Report:
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def table(self) -> str:
        rows = [HEADINGS, *(result.cells for result in self.results)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
        lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join(lines)

    def page(self, command: str) -> str:
        notes = "".join(f"\n- {note}" for note in self.notes)
        return PAGE.format(command=command, table=self.table(), versions=versions(), notes=notes)


PAGE = """# Benchmarks

Written by `{command}`. Each line compares programs that took turns in one run, so that whatever
else the machine did met them all. Unless a line says otherwise, a figure is the median over all
rounds of the time that the serving processes spent on a processor (user and system) for one answer;
PostgreSQL's own processes are counted in.

{table}
{notes}

Measured with {versions}.
"""


def versions() -> str:
    """Of all that the figures depend on."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}; "
        f"{os.cpu_count()} processors ({processor()})"
    )


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
