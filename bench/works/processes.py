"""One, two and three web processes: whether anything that they share stops them. Each is held to a
part of a processor, so that it is the bottleneck, as it would be with a machine of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from statistics import median

from bench import ours
from bench.results import Result
from bench.servers import Server, spent
from bench.works.setting import Setting
from tests.shares import shares

PATH = "/users"
PARTIAL = {"HX-Request": "true"}
MOST = 3
PART = 0.1
# As many ask each process as it has threads to spare; never less than it can do.
CLIENTS = 4
SECONDS = 3.0
ROUNDS = 5


def measure(setting: Setting) -> Iterator[Result]:
    with shares(MOST, PART) as held, ExitStack() as stack:
        if not held:
            setting.notes.append(
                "Web processes side by side were not measured: holding each to a part of a"
                " processor needs control groups, which need Linux and root."
            )
            return
        url = setting.database()
        servers = [stack.enter_context(ours.serving(url)) for _ in range(MOST)]
        for server, its in zip(servers, held, strict=True):
            setting.asking(server, PATH, b'id="people"', **PARTIAL)
            its.hold(server.pids)
        rates: dict[int, list[float]] = {number: [] for number in range(1, MOST + 1)}
        costs: dict[int, list[float]] = {number: [] for number in rates}
        for turn in range(min(ROUNDS, setting.rounds)):
            for place in range(MOST):
                number = 1 + (turn + place) % MOST
                rate, cost = _rate(servers[:number])
                rates[number].append(rate)
                costs[number].append(cost)
    rate = {number: median(each) for number, each in rates.items()}
    cost = {number: median(each) for number, each in costs.items()}
    for number in range(2, MOST + 1):
        yield Result(
            f"list pages a second, {number} web processes beside 1, each held to {PART} of a"
            f" processor, {setting.users:,} users, {setting.label}",
            rate[number] / rate[1], 0.9 * number, is_floor=True,
            figures=f"{rate[number]:.1f} / {rate[1]:.1f} a second; {cost[number] * 1e3:.1f} ms /"
            f" {cost[1] * 1e3:.1f} ms of a processor for one",
        )  # fmt: skip


def _rate(servers: list[Server]) -> tuple[float, float]:
    """Answers a second, and what one cost the web processes in seconds of a processor."""
    before = sum(spent(pid) for server in servers for pid in server.pids)
    begins = time.monotonic()
    ends, answered = begins + SECONDS, list[int]()
    asking = [
        threading.Thread(target=_ask, args=(server, ends, answered))
        for server in servers
        for _ in range(CLIENTS)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    lasted = time.monotonic() - begins
    cpu = sum(spent(pid) for server in servers for pid in server.pids) - before
    if set(answered) != {200}:
        raise RuntimeError(f"{PATH} was answered {set(answered)}")
    return len(answered) / lasted, cpu / 1e9 / len(answered)


def _ask(server: Server, ends: float, answered: list[int]) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    while time.monotonic() < ends:
        connection.request("GET", PATH, headers={**server.headers, **PARTIAL})
        response = connection.getresponse()
        response.read()
        answered.append(response.status)
    connection.close()
