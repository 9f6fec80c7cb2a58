"""`python -m bench`: measures, prints one table, and writes it to docs/benchmarks.md."""

import argparse
import os
import sys
from contextlib import ExitStack

from bench import databases, works
from bench.results import Report, versions
from webapp.config import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> int:
    chosen = _arguments()
    report = Report()
    for engine in chosen.engine:
        with ExitStack() as stack:
            at = stack.enter_context(databases.server(engine))
            setting = works.Setting(engine, at, chosen.users, chosen.rounds)
            for name in chosen.only:
                print(f"{engine}: {name} …", flush=True)
                for result in works.ALL[name](setting):
                    report.results.append(result)
                    print("  " + " | ".join(result.cells), flush=True)
            report.notes += setting.notes
    print()
    print(report.table())
    for note in report.notes:
        print(note)
    print(versions())
    if chosen.write:
        arguments = " ".join(sys.argv[1:])
        command = f'make bench ARGS="{arguments}"' if arguments else "make bench"
        PAGE.write_text(report.page(command))
        print(f"Written to {PAGE.relative_to(ROOT)}.")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000, help="of the largest database")
    parser.add_argument("--rounds", type=int, default=41, help="of each comparison")
    parser.add_argument("--engine", type=_engines, default=databases.ENGINES)
    parser.add_argument("--only", type=_works, default=tuple(works.ALL), help=", ".join(works.ALL))
    parser.add_argument(
        "--write",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="docs/benchmarks.md; by default only when everything was measured",
    )
    chosen = parser.parse_args()
    if chosen.write is None:
        chosen.write = len(sys.argv) == 1 and not os.environ.get("CI")
    return chosen


def _engines(text: str) -> tuple[str, ...]:
    return _among(text, databases.ENGINES)


def _works(text: str) -> tuple[str, ...]:
    return _among(text, works.ALL)


def _among(text: str, names: "tuple[str, ...] | dict[str, object]") -> tuple[str, ...]:
    wanted = tuple(text.split(","))
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise argparse.ArgumentTypeError(f"not among {', '.join(names)}: {', '.join(unknown)}")
    return wanted


if __name__ == "__main__":
    sys.exit(main())
