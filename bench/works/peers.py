"""The same list page on the same server, next to Django and next to Flask-SQLAlchemy."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

from bench import databases, ours, people
from bench.results import Result
from bench.rounds import medians
from bench.servers import Server, started
from bench.works.setting import Setting

PATH = "/users"
PYTHON = databases.FOLDER / "peers" / "bin" / "python"
PEERS = {"Django": ("with_django", 3.0), "Flask-SQLAlchemy": ("with_flask", 1.5)}


def measure(setting: Setting) -> Iterator[Result]:
    url = setting.database()
    cookies = {
        "with_django": f"peer={people.token(people.LARGE)}",
        "with_flask": ours.cookie(people.LARGE, name="session"),
    }
    with (
        ours.serving(url) as server,
        _peer("with_django", url, cookies) as django,
        _peer("with_flask", url, cookies) as flask,
    ):
        asking = {"ours": server, "Django": django, "Flask-SQLAlchemy": flask}
        contestants = {
            name: setting.asking(each, PATH, b'id="person-member-') for name, each in asking.items()
        }
        rows = {name: each.body.count(b"<tr id=") for name, each in contestants.items()}
        if set(rows.values()) != {50}:
            raise RuntimeError(f"not the same list: {rows}")
        cost = medians(contestants, setting.rounds)
    for name, (_module, target) in PEERS.items():
        yield Result(
            f"the same list page, {setting.users:,} users, {setting.label}: {name} / ours",
            cost[name] / cost["ours"],
            target,
            is_floor=True,
            figures=f"{cost[name] / 1e6:.2f} ms / {cost['ours'] / 1e6:.2f} ms",
        )


def _peer(module: str, url: str, cookies: dict[str, str]) -> AbstractContextManager[Server]:
    headers = {"Cookie": cookies[module]}
    return started(f"bench.peers.{module}:app", PYTHON, headers, BENCH_DATABASE=url)
