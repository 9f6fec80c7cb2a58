"""Copies are taken by `backup` while people join, and put back by `restore` into an empty database:
each is a moment at which the books held, and from which everything goes on.

`python -m tests.drills.restored --engine postgresql --copies 5`"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.databases import fresh_postgresql, fresh_sqlite
from tests.drills.bank import NEVER
from tests.drills.live import Live, arrive, live_on
from tests.postgresql import temporary_server
from tests.processes import Process, environment
from tests.smtp import sending_app
from webapp.actions import ledger
from webapp.database import database
from webapp.models import Acceptance, Refund, Statement

FLASK = ("-m", "flask", "--app", "wsgi")


@dataclass
class Restored:
    """`copies` are what each held; `problems` must stay empty."""

    copies: list[dict[str, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def run(self, engine: str, people: int, copies: int) -> "Restored":
        with tempfile.TemporaryDirectory() as name, _databases(engine, Path(name)) as urls:
            folder = Path(name)
            with live_on(urls[0], people) as live:
                files = self._take(live, folder, copies)
                live.quiesce()
                live.check()
                self.problems += live.problems
            for file in files:
                self._put_back(live, file, urls[1])
        return self

    def _take(self, live: Live, folder: Path, copies: int) -> list[Path]:
        files = [folder / f"copy-{at}" for at in range(copies)]
        with live.load():
            for file in files:
                threading.Event().wait(0.3)
                self._command(live.url, "backup", str(file))
        return files

    def _put_back(self, live: Live, file: Path, url: str) -> None:
        """`restore` itself proves the ledger; then all that was under way arrives."""
        self._command(url, "restore", str(file), "--replace")
        with sending_app(url, live.server):
            self.copies.append(
                {
                    "acceptances": Acceptance.select().count(),
                    "statements": Statement.select().count(),
                    "refunds": Refund.select().count(),
                }
            )
            self.problems += arrive()
            self.problems += ledger.check()
            for sentence, query in NEVER.items():
                if database.execute_sql(query).fetchall():
                    self.problems.append(f"{file.name}: {sentence}")

    def _command(self, url: str, *words: str) -> None:
        with Process((*FLASK, *words), environment(url)) as process:
            status = process.wait(120)
            if status:
                self.problems.append(f"{words}: ended with {status}: {''.join(process.lines)}")


@contextmanager
def _databases(engine: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Where people join, and where copies are put back."""
    if engine == "sqlite":
        yield fresh_sqlite(folder), fresh_sqlite(folder)
        return
    with (
        temporary_server() as server,
        fresh_postgresql(server) as one,
        fresh_postgresql(server) as other,
    ):
        yield one, other


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=60)
    asked.add_argument("--copies", type=int, default=5)
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    options = asked.parse_args()
    begun = time.monotonic()
    restored = Restored().run(options.engine, options.people, options.copies)
    for copy in restored.copies:
        print(", ".join(f"{count} {name}" for name, count in copy.items()))
    print(f"{options.engine}: {len(restored.copies)} copies, {time.monotonic() - begun:.0f} s")
    print("\n".join(restored.problems[:20]) or "each held, and went on")
    return 1 if restored.problems else 0


if __name__ == "__main__":
    sys.exit(main())
