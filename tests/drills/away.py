"""The database goes away under load: PostgreSQL is restarted ("fast", which ends every session, and
"immediate", which is a crash), or another process holds SQLite's only write lock. Whoever presses
meanwhile is told 503 and when to come back; nothing is lost, doubled or half done.

`python -m tests.drills.away --engine postgresql --times 20`"""

import argparse
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path
from signal import SIGINT, SIGQUIT

from tests.databases import fresh_postgresql, fresh_sqlite
from tests.drills.live import Live, live_on
from tests.postgresql import running_server
from tests.processes import ROOT

# So long somebody waits for the lock before they are told 503; fifteen seconds is what people get.
PATIENCE = 0.5
# Between two restarts, and while the server is down.
UP, DOWN = 1.0, 0.7


def restarted(times: int, people: int, pooled: bool = False) -> Live:
    """PostgreSQL, by turns fast and immediate."""
    with running_server() as server, fresh_postgresql(server.url) as url:
        url = url.replace("postgresql://", "postgresql+pool://") if pooled else url
        with live_on(url, people) as live:
            with live.load():
                for at in range(times):
                    threading.Event().wait(UP)
                    server.stop(SIGQUIT if at % 2 else SIGINT)
                    threading.Event().wait(DOWN)
                    server.start()
            live.quiesce()
            live.check()
            print(live.figures())
        return live


def locked(seconds: float, people: int, patience: float = PATIENCE) -> Live:
    """SQLite's write lock, held by somebody else."""
    launcher = (str(ROOT / "tests" / "with_pragmas.py"), f"busy_timeout={patience * 1000:.0f}")
    with tempfile.TemporaryDirectory() as folder:
        url = fresh_sqlite(Path(folder))
        with live_on(url, people, launcher) as live:
            with live.load():
                threading.Event().wait(0.5)
                holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
                holder.execute("PRAGMA busy_timeout=20000")
                holder.execute("BEGIN IMMEDIATE")
                threading.Event().wait(seconds)
                holder.execute("ROLLBACK")
                holder.close()
            live.quiesce()
            live.check()
            print(live.figures())
        return live


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--times", type=int, default=20, help="restarts of PostgreSQL")
    asked.add_argument("--hold", type=float, default=30, help="seconds of SQLite's lock")
    asked.add_argument("--people", type=int, default=150)
    asked.add_argument("--patience", type=float, default=15, help="as busy_timeout, in seconds")
    asked.add_argument("--pooled", action="store_true")
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    options = asked.parse_args()
    begun = time.monotonic()
    if options.engine == "sqlite":
        live = locked(options.hold, options.people, options.patience)
        done = f"the lock was held for {options.hold:g} s"
    else:
        live = restarted(options.times, options.people, options.pooled)
        done = f"{options.times} restarts"
    print(f"{options.engine}: {done}, {time.monotonic() - begun:.0f} s")
    print("\n".join(live.problems[:20]) or "nothing was lost, doubled or half done")
    return 1 if live.problems else 0


if __name__ == "__main__":
    sys.exit(main())
