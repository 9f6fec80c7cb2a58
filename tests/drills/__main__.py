"""`python -m tests.drills [NAME …]`: every drill at length on both engines, one after the other.

How long is said by environment variables, which `make drills` passes on: ROUNDS of every point and
MOMENTS at random, PROGRAMS killed at every point, LIVES of 50 steps, MAILS, SECONDS of the bank,
REFUNDS, RESTARTS of PostgreSQL, HOLD in seconds of SQLite's lock, JUMPS of the clock, COPIES,
NUMBER of hostile requests to each route, SAMPLES of known and of unknown addresses."""

import os
import subprocess
import sys
import time

ENGINES = ("sqlite", "postgresql")


def _of(name: str, usual: int) -> str:
    return os.environ.get(name) or str(usual)


# name → the arguments of its program
DRILLS = {
    "bank": ("--seconds", _of("SECONDS", 60)),
    "killed_programs": ("--rounds", _of("PROGRAMS", 3)),
    "hostile": ("--number", _of("NUMBER", 10_000)),
    "kills": ("--rounds", _of("ROUNDS", 50), "--moments", _of("MOMENTS", 200)),
    "life": ("--examples", _of("LIVES", 2000), "--steps", "50"),
    "mail_outage": ("--mails", _of("MAILS", 500), "--outage", "60"),
    "gateway": ("--lives", _of("REFUNDS", 500)),
    "away": ("--times", _of("RESTARTS", 20), "--hold", _of("HOLD", 30)),
    "full": (),
    "jumps": ("--rounds", _of("JUMPS", 20)),
    "restored": ("--copies", _of("COPIES", 5)),
    "not_telling": ("--samples", _of("SAMPLES", 500)),
}


def main(names: list[str]) -> int:
    failed = []
    for name in names or list(DRILLS):
        for engine in ENGINES:
            begun = time.monotonic()
            print(f"\n== {name}, {engine}", flush=True)
            program = [sys.executable, "-m", f"tests.drills.{name}", *DRILLS[name]]
            if subprocess.run([*program, "--engine", engine]).returncode:
                failed.append(f"{name} ({engine})")
            print(f"== {time.monotonic() - begun:.0f} s", flush=True)
    print("\nfailed: " + ", ".join(failed) if failed else "\nall drills held")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
