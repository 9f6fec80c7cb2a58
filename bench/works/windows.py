"""Open windows, each another person's, that poll the badge as app.js does."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from bench import ours, people
from bench.results import Result
from bench.rounds import percentile
from bench.servers import Server, spent
from bench.works.setting import Setting

SECONDS = 20
# As partials/invitations/badge.html and app.js have it.
EVERY, SPREAD = 3.0, 0.1


@dataclass
class Seen:
    """What the windows met: seconds for each poll, and what was not a 200 or a 304."""

    seconds: list[float] = field(default_factory=list)
    unchanged: int = 0
    failed: int = 0


def measure(setting: Setting) -> Iterator[Result]:
    windows, workers = min(people.WINDOWS, setting.users // 10), os.cpu_count() or 1
    with ours.serving(setting.database(), workers=workers) as server:
        asyncio.run(_look(server, windows, 2 * EVERY))
        before = sum(map(spent, server.pids))
        seen = asyncio.run(_look(server, windows, SECONDS))
        cpu = (sum(map(spent, server.pids)) - before) / 1e9
    polls, offered = len(seen.seconds), windows / EVERY * SECONDS
    each = cpu / polls
    yield Result(
        f"{windows:,} open windows, {setting.users:,} users, {setting.label}: polls answered of"
        " those that came due",
        polls / offered,
        0.95,
        is_floor=True,
        figures=(
            f"{polls / SECONDS:.0f} a second, p50 {percentile(seen.seconds, 0.5) * 1e3:.0f} ms,"
            f" p99 {percentile(seen.seconds, 0.99) * 1e3:.0f} ms, {each * 1e6:.0f} µs of a"
            f" processor each, {seen.unchanged / polls:.0%} unchanged, {seen.failed} failed"
        ),
    )
    yield Result(
        f"polls that failed, {windows:,} open windows, {setting.label}",
        seen.failed,
        0,
        unit="polls",
    )
    setting.notes.append(
        f"10,000 open windows ask {10_000 / EVERY:,.0f} times a second: at {each * 1e6:.0f} µs each"
        f" that is {10_000 / EVERY * each:.1f} processors ({setting.label}; each poll on a"
        " connection of its own, the machine shared with the windows themselves)."
    )


async def _look(server: Server, windows: int, seconds: float) -> Seen:
    seen, ends = Seen(), time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(1, windows + 1):
            group.create_task(_window(server.port, number, ends, seen))
    return seen


async def _window(port: int, number: int, ends: float, seen: Seen) -> None:
    """One person's: opened at any moment, then a poll every three seconds or so."""
    random, etag = Random(number), ""
    request = (
        "GET /invitations/badge HTTP/1.1\r\nHost: 127.0.0.1\r\nHX-Request: true\r\n"
        f"Connection: close\r\nCookie: {ours.cookie(number)}\r\n"
    )
    await asyncio.sleep(EVERY * random.random())
    while (begins := time.monotonic()) < ends:
        known = f"If-None-Match: {etag}\r\n" if etag else ""
        try:
            answer = await _ask(port, f"{request}{known}\r\n".encode())
        except OSError:
            answer = b""
        seen.seconds.append(time.monotonic() - begins)
        status = answer[9:12]
        seen.unchanged += status == b"304"
        seen.failed += status not in (b"200", b"304")
        etag = _etag(answer) or etag
        pause = EVERY * random.uniform(1 - SPREAD, 1 + SPREAD)
        await asyncio.sleep(max(0.0, begins + pause - time.monotonic()))


async def _ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


def _etag(answer: bytes) -> str:
    for line in answer.split(b"\r\n"):
        if line.lower().startswith(b"etag:"):
            return line[5:].strip().decode()
    return ""
