"""Does the time of an answer tell whether an address is known here?

    python -m tests.drills.not_telling [--samples 500] [--engine postgresql]

For signing in with a wrong password, asking for a code (which is also how a password is reset),
previewing and inviting: so many known addresses against as many unknown ones, in random order, in
one process, so that nothing but the work itself makes a difference. Prints the medians and a rank
test (Mann and Whitney's): the chance that a known address took longer than an unknown one, which is
0.5 where time tells nothing, and how many standard deviations it is from there. Ends with 1 where
it is more than four.

Not a part of the tests: what it measures is the machine's, too."""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable

from flask import Flask

from tests.apps import make_app
from tests.client import Browser
from tests.drills.bank import fresh_database
from tests.money import make_organisation
from tests.people import make_individual, make_member
from webapp.database import database

TOO_FAR = 4.0

Ask = Callable[[str, str], int]


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--samples", type=int, default=500)
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    options = asked.parse_args()
    with fresh_database(options.engine) as url:
        told = told_on(url, options.samples)
    return 1 if any(abs(z) > TOO_FAR for z in told) else 0


def told_on(url: str, samples: int) -> list[float]:
    app = make_app(url)
    with app.app_context():
        for at in range(samples):
            make_individual(f"known{at:04d}@example.org")
        owner = make_member(
            "owner@dumas.example",
            make_organisation("Atelier Dumas", invitations_per_day=10 * samples),
            is_owner=True,
        )
        inviting = Browser(app).sign_in_as(owner)
        told = [measure(name, ask, samples) for name, ask in asks(app, inviting).items()]
    database.close()
    return told


def asks(app: Flask, inviting: Browser) -> dict[str, Ask]:
    """What is asked of an address, from a source; each says the status that it got."""
    visiting = Browser(app)

    def send(browser: Browser, path: str, source: str, **fields: str) -> int:
        data = {"csrf_token": browser.csrf(), **fields}
        sent = browser.client.post(path, data=data, environ_overrides={"REMOTE_ADDR": source})
        return sent.status_code

    return {
        "signing in": lambda email, source: send(
            visiting, "/sign-in", source, email=email, password="not the password of anybody"
        ),
        "asking for a code": lambda email, source: send(
            visiting, "/sign-in/code", source, email=email
        ),
        "previewing": lambda email, source: send(
            inviting, "/invitations/preview", source, emails=email
        ),
        "inviting": lambda email, source: send(inviting, "/invitations", source, emails=email),
    }


def measure(name: str, ask: Ask, samples: int) -> float:
    """Prints what was found; returns how many standard deviations it is from telling nothing."""
    order = [(known, at) for known in (True, False) for at in range(samples)]
    random.shuffle(order)
    took: dict[bool, list[float]] = {True: [], False: []}
    statuses: dict[bool, set[int]] = {True: set(), False: set()}
    for known, at in order[:20]:  # whatever is done once only
        ask(f"warm{int(known)}{at:04d}@example.org", "192.0.2.1")
    for number, (known, at) in enumerate(order):
        email = f"{'known' if known else 'nobod'}{at:04d}@example.org"
        source = f"198.51.{number // 200}.{number % 200}"
        began = time.perf_counter()
        statuses[known].add(ask(email, source))
        took[known].append(time.perf_counter() - began)
    assert statuses[True] == statuses[False], statuses
    chance, z = ranks(took[True], took[False])
    known_ms, unknown_ms = (statistics.median(took[each]) * 1000 for each in (True, False))
    print(
        f"{name:18} status {statuses[True]} · known {known_ms:7.2f} ms"
        f" · unknown {unknown_ms:7.2f} ms · known slower in {chance:.3f} · z {z:+.2f}",
        flush=True,
    )
    return z


def ranks(left: list[float], right: list[float]) -> tuple[float, float]:
    """The chance that one of `left` is above one of `right`, and its distance from one half in
    standard deviations, if both were drawn from the same. Times have no ties worth counting."""
    ordered = sorted((value, side) for side, values in enumerate((left, right)) for value in values)
    rank_sum = sum(rank for rank, (_, side) in enumerate(ordered, 1) if side == 0)
    n, m = len(left), len(right)
    chance = (rank_sum - n * (n + 1) / 2) / (n * m)
    return chance, (chance - 0.5) / ((n + m + 1) / (12 * n * m)) ** 0.5


if __name__ == "__main__":
    sys.exit(main())
