"""Searching the users list: any words, in the large organisation and in small ones."""

import gc
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

from bench import databases, people
from bench.results import Result
from bench.rounds import percentile
from bench.servers import spent
from bench.works.setting import Setting
from webapp.database import database, open_database
from webapp.models import Account, Membership
from webapp.models.asked import Asked
from webapp.models.people import page

NAME = "bench-search"
EACH = 300
TARGET = 3.0


def measure(setting: Setting) -> Iterator[Result]:
    url = setting.database()
    # Only the connection that is opened next is looked at.
    os.environ["PGAPPNAME"] = NAME
    real = open_database(url)
    gc.freeze()  # as wsgi.py does
    with database.connection_context():
        # A server that has answered before: other names, on the connection that is measured then.
        for _words, account, queries in _kinds(setting.users, 8):
            for q in queries:
                page(account, Asked(q=q), datetime.now(UTC))
        backends = databases.backends(setting.at, NAME)
        for words, account, queries in _kinds(setting.users, 9):
            costs = sorted(_cost(backends, account, q) for q in queries)
            yield Result(
                f"search, {words}, {setting.users:,} users, {setting.label}: p99",
                percentile(costs, 0.99),
                TARGET,
                unit="ms",
                figures=f"median {percentile(costs, 0.5):.2f} ms, {len(costs)} searches",
            )
        gc.unfreeze()
        missed = sum(_missed(account) for account in _small(setting.users))
    real.close()
    del os.environ["PGAPPNAME"]
    yield Result(
        f"search, {setting.users:,} users, {setting.label}: hits missed in small organisations",
        missed, 0, unit="people",
    )  # fmt: skip


def _kinds(users: int, seed: int) -> Iterator[tuple[str, Account, list[str]]]:
    random, large = Random(seed), Account.get_by_id(people.LARGE)
    names = [folded.split()[:2] for folded in _texts(large, random)]
    yield "a name, large organisation", large, [last for _first, last in names]
    yield "a first name, large organisation", large, [first for first, _last in names]
    yield "two names, large organisation", large, [" ".join(each) for each in names]
    yield (
        "letters as they are typed",
        large,
        [last[: 1 + n % 5] for n, (_, last) in enumerate(names)],
    )
    departments = [name for name in people.DEPARTMENTS if name]
    mixed = [f"{first} {random.choice(departments)}" for first, _last in names]
    yield "a first name and a department", large, mixed
    common = ["organisation1", "example", "i.", "com", "ment", "er", "an", "a"] * (EACH // 8)
    yield "what nearly everybody has, large organisation", large, common
    nobody = ["xyzzy", "qqq", "martin zzz", "wq", "example xyzzy"] * (EACH // 5)
    yield "what nobody has, large organisation", large, nobody
    small = random.choice(_small(users))
    yield "any, small organisation", small, [random.choice(each) for each in names]


def _texts(account: Account, random: Random) -> list[str]:
    top = Membership.select(Membership.id).where(Membership.account == account)
    ids = [row[0] for row in top.order_by(Membership.joined_at).limit(20_000).tuples()]
    chosen = Membership.select(Membership.folded).where(Membership.id.in_(random.sample(ids, EACH)))
    return [row[0] for row in chosen.tuples()]


def _small(users: int) -> list[Account]:
    ids = Random(4).sample(range(2, users // 10), min(20, users // 10 - 2))
    return list(Account.select().where(Account.id.in_(ids)))


def _cost(backends: list[int], account: Account, q: str) -> float:
    """Milliseconds on a processor, of this process and of PostgreSQL's for it."""
    now = datetime.now(UTC)
    before = time.process_time_ns() + sum(map(spent, backends))
    page(account, Asked(q=q), now)
    return (time.process_time_ns() + sum(map(spent, backends)) - before) / 1e6


def _missed(account: Account) -> int:
    """Of each member's names, how many do not find that member."""
    now, missed = datetime.now(UTC), 0
    for member in Membership.select().where(Membership.account == account).limit(10):
        first, last = member.folded.split()[:2]
        for q in (last, f"{first} {last}", last[:4]):
            found, _more = page(account, Asked(q=q), now, 1_000)
            missed += member.id not in {each.id for each in found if each.kind == "member"}
    return missed
