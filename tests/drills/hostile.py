"""`python -m tests.drills.hostile`: hostile requests to every route that the app has, and hostile
files to every import: no 5xx, nothing that takes two seconds, no header, element or template of
theirs in an answer. A new route is among them by itself."""

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisWarning

from tests.drills.bank import fresh_database
from tests.drills.hostile_files import FILES
from tests.drills.hostile_requests import Route, requests
from tests.drills.hostile_stage import Fault, Stage, stage_on


def targets(stage: Stage, methods: tuple[str, ...] = ("POST", "GET")) -> Iterator[tuple[str, Any]]:
    """(label, what sends so many from a seed on)"""
    for method in methods:
        for route in stage.routes(method):
            yield route.label, sender_to(stage, route)
    for name, (contents, take) in FILES.items():
        yield name, _sender(contents, lambda content, take=take: take(stage, content))


def sender_to(stage: Stage, route: Route) -> Callable[..., None]:
    return _sender(requests(route), lambda sent: stage.play(route, sent))


def _sender(strategy: Any, take: Callable[[Any], Any]) -> Callable[..., None]:
    def send(number: int, at: int, is_shrinking: bool = False) -> None:
        phases = (Phase.generate, Phase.shrink) if is_shrinking else (Phase.generate,)
        asked = settings(
            max_examples=number,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        )

        @seed(at)
        @asked
        @given(strategy)
        def stands(given_one: Any) -> None:
            take(given_one)

        with warnings.catch_warnings():
            # That what it found is long: it may well be.
            warnings.simplefilter("ignore", HypothesisWarning)
            stands()

    return send


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    asked.add_argument("--number", type=int, default=10_000, help="of each route and import")
    asked.add_argument("--seconds", type=float, default=10**9, help="begin no other after these")
    asked.add_argument("--seed", type=int, default=int(time.time()))
    asked.add_argument("--skip", type=int, default=0, help="how many of the first to leave out")
    asked.add_argument("--only", default="", help="those with this in their name")
    asked.add_argument("--writes", action="store_true", help="routes that write, and imports")
    options = asked.parse_args()
    begun = time.monotonic()
    print(f"seed {options.seed}", flush=True)
    found = 0
    methods = ("POST",) if options.writes else ("POST", "GET")
    with fresh_database(options.engine) as url, stage_on(url) as stage:
        known = [one for one in targets(stage, methods) if options.only in one[0]]
        for at, (label, send) in enumerate(known[options.skip :], options.skip):
            if time.monotonic() - begun > options.seconds:
                print(f"stopped after {at} of {len(known)}", flush=True)
                break
            before, started = stage.sent, time.monotonic()
            try:
                send(options.number, options.seed, True)
            except Fault as fault:
                found += 1
                print(f"FAULT {str(fault)[:3000]}\n  caused by {fault.__cause__!r}", flush=True)
            took = time.monotonic() - started
            print(f"{at} {label}: {stage.sent - before} in {took:.0f} s", flush=True)
    told = ", ".join(f"{status}: {count}" for status, count in sorted(stage.statuses.items()))
    print(
        f"{options.engine}: {stage.sent} in {time.monotonic() - begun:.0f} s,"
        f" {found} faults ({told})"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
