"""Eight clients accept invitations at once, in processes and threads as the web process has them:
people who leave a paid plan, each client's into an organisation of its own, for a refund of what
they did not use. All take their documents' numbers from the one series.

On SQLite beside what the disk takes of single synced writes, this one and one that is slower; on
PostgreSQL beside the same transaction as one writes it with peewee at first."""

import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from bench import databases
from bench.peers import with_peewee
from bench.results import Result
from bench.rounds import percentile
from bench.works.setting import Setting
from tests import money
from tests.apps import make_app
from webapp import clock
from webapp.actions import joining, ledger_check, quotes, sessions
from webapp.database import database, unhurried_transaction
from webapp.models import Acceptance, Invitation, Membership, Session, User

PROCESSES, THREADS = 2, 4
CLIENTS = PROCESSES * THREADS
EACH = 10
ROUNDS = 5
P99 = {"sqlite": 100.0, "postgresql": 20.0}
ACCEPT: Mapping[str, Callable[..., object]] = {
    "ours": joining.accept,
    "held": joining.accept,
    "alone": joining.accept,
    "peewee": with_peewee.accept,
}
# Where a sync takes so long, the disk is what everybody waits for: each commit is held that long.
HELD = 1 / 250
# What a client needs for one: the invitation, the session and the offer that was shown.
Asked = tuple[int, int, str]


def measure(setting: Setting) -> Iterator[Result]:
    rounds = min(ROUNDS, setting.rounds)
    names = ("ours", "alone", "held" if setting.engine == "sqlite" else "peewee")
    with databases.fresh(setting.at) as url:
        app = make_app(url)
        with app.app_context():
            # The first turns warm everything up, and count for nothing.
            turns = [
                (name, _invited(1 if name == "alone" else CLIENTS))
                for _ in range(rounds + 1)
                for name in names
            ]
            database.close()
            seconds, rates, synced = _take_turns(url, turns, len(names))
            _check(sum(len(each) for _name, asked in turns for each in asked))
    p50, p99 = _times(seconds["ours"])
    p50_alone, p99_alone = _times(seconds["alone"])
    rate = median(rates["ours"])
    if setting.engine == "sqlite":
        beside, wanted, what = synced, 0.5, "the disk's fdatasync"
    else:
        beside, wanted, what = median(rates["peewee"]), 4.0, "peewee statement by statement"
    yield Result(
        f"acceptances, {CLIENTS} clients, {setting.label}: rate of ours / of {what}",
        rate / beside, wanted, is_floor=True,
        figures=f"{rate:.0f} / {beside:.0f} a second; the disk syncs {synced:.0f} times a second",
    )  # fmt: skip
    if setting.engine == "sqlite":
        slow, held = 1 / (HELD + 1 / synced), median(rates["held"])
        yield Result(
            f"the same where each sync takes {HELD * 1e3:.0f} ms longer", held / slow, wanted,
            is_floor=True, figures=f"{held:.0f} / {slow:.0f} a second",
        )  # fmt: skip
    yield Result(
        f"acceptances, {CLIENTS} clients, {setting.label}: p99", p99, P99[setting.engine],
        unit="ms", figures=f"p50 {p50:.0f} ms, longest {max(seconds['ours']) * 1e3:.0f} ms; "
        f"a client alone: p50 {p50_alone:.0f} ms, p99 {p99_alone:.0f} ms",
    )  # fmt: skip


def _times(seconds: list[float]) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    return percentile(seconds, 0.5) * 1e3, percentile(seconds, 0.99) * 1e3


_numbers = count(1)


def _invited(clients: int) -> list[list[Asked]]:
    """The people of each client."""
    with unhurried_transaction():
        found = [_of_client() for _ in range(clients)]
    # PostgreSQL would go on with plans that were made for tables of a few rows.
    database.execute_sql("ANALYZE")
    return found


def _of_client() -> list[Asked]:
    name = f"Organisation {next(_numbers)}"
    organisation = money.make_organisation(name, seats=1_000)
    owner = money.make_user(f"owner@o{organisation.id}.example", organisation, is_owner=True)
    return [_person(organisation, owner, number) for number in range(EACH)]


def _person(organisation: Any, owner: User, number: int) -> Asked:
    now = clock.now()
    account = money.make_account()
    user = money.make_user(f"p{number}@o{organisation.id}.example", account, is_owner=True)
    start, end = now.date() - timedelta(days=20), now.date() + timedelta(days=10)
    money.make_plan(account, period_start_on=start, period_end_on=end)
    invitation: Invitation = Invitation.create(
        account=organisation, email=user.email, locale="fr", inviter=owner, created_at=now,
        delivery_at=now, expires_at=now + timedelta(days=30),
    )  # fmt: skip
    session = Session.get(Session.id == _session(user))
    return invitation.id, session.id, quotes.sign(quotes.current(account, now), invitation)


def _session(user: User) -> int:
    sessions.start(user, agent="bench")
    found: Session = Session.get(Session.user == user)
    return int(found.id)


def _take_turns(
    url: str, turns: list[tuple[str, list[list[Asked]]]], warming: int
) -> tuple[dict[str, list[float]], dict[str, list[float]], float]:
    """Seconds of each acceptance and acceptances a second of each turn, by the contestant's name;
    and what the disk synced a second between the turns."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(PROCESSES + 1), context.SimpleQueue()
    parts = [
        [(name, asked[number::PROCESSES]) for name, asked in turns] for number in range(PROCESSES)
    ]
    processes = [
        context.Process(target=_accept, args=(url, part, barrier, answers), daemon=True)
        for part in parts
    ]
    for process in processes:
        process.start()
    seconds: dict[str, list[float]] = {name: [] for name, _asked in turns}
    rates: dict[str, list[float]] = {name: [] for name, _asked in turns}
    synced = []
    for number, (name, _asked) in enumerate(turns):
        barrier.wait(120)
        begun = time.perf_counter()
        found = [each for _ in processes for each in answers.get()]
        rate = len(found) / (time.perf_counter() - begun)
        for error in found:
            if isinstance(error, BaseException):
                raise error
        if number >= warming:
            seconds[name] += found
            rates[name].append(rate)
            synced.append(_synced(databases.FOLDER))
    for process in processes:
        process.join(30)
    return seconds, rates, median(synced)


def _accept(
    url: str, turns: list[tuple[str, list[list[Asked]]]], barrier: Any, answers: Any
) -> None:
    app = make_app(url)
    gc.freeze()  # as wsgi.py does
    with ThreadPoolExecutor(THREADS) as pool, app.app_context():
        known = {one.id: one for one in Session.select()}
        database.close()
        commit: Any = database.obj.commit
        for name, asked in turns:
            database.obj.commit = partial(_held, commit) if name == "held" else commit
            barrier.wait(120)
            each = [pool.submit(_one_client, app, name, one, known) for one in asked]
            errors = [error for done in each if (error := done.exception())]
            answers.put(errors or [seconds for done in each for seconds in done.result()])


def _held(commit: Callable[[], None]) -> None:
    """What others wait for in the meantime they would on a slow disk, too."""
    time.sleep(HELD)
    commit()


def _one_client(
    app: Any, name: str, asked: list[Asked], known: Mapping[int, Session]
) -> list[float]:
    seconds = []
    with app.app_context():
        database.connect(reuse_if_open=True)
        for invitation, session, offer in asked:
            begun = time.perf_counter()
            ACCEPT[name](invitation, known[session], "refund", offer)
            seconds.append(time.perf_counter() - begun)
    return seconds


def _check(wanted: int) -> None:
    accepted = Acceptance.select().count()
    moved = Membership.select().where(Membership.ended_at.is_null(False)).count()
    if (accepted, moved) != (wanted, wanted):
        raise RuntimeError(f"{accepted} acceptances and {moved} moves of {wanted}")
    if ledger_check.check():
        raise RuntimeError(f"the ledger: {ledger_check.check()}")


def _synced(folder: Path) -> float:
    """How many writes of a page to a file that is there the disk takes a second, each synced."""
    path, written = folder / "synced", 0
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.posix_fallocate(file, 0, 1 << 20)
        os.pwrite(file, bytes(1 << 20), 0)
        os.fsync(file)
        begun = time.perf_counter()
        while time.perf_counter() - begun < 0.5:
            os.pwrite(file, b"x" * 4096, 4096 * (written % 256))
            os.fdatasync(file)
            written += 1
        return written / (time.perf_counter() - begun)
    finally:
        os.close(file)
        path.unlink()
