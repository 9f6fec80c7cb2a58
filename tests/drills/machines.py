"""Many machines, on the loopback address: nginx, three web processes, two workers, Redis, a primary
with a synchronous standby, a PgBouncer in transaction mode beside each. Under load a web process, a
worker and the primary are killed, and the standby is promoted.

`python -m tests.drills.machines --people 250`; `--pgbouncer stays` leaves the dead primary's
PgBouncer alive, `none` is without any. It installs nothing, and says what is missing."""

import argparse
import http.client
import logging
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.drills.live import Live, Person, invited, owner_of
from tests.drills.machines_parts import (
    PASSWORD,
    Cluster,
    adapted,
    in_front,
    missing,
    queueing,
    replicated,
    until,
)
from tests.joined import make_owned
from tests.ports import free_port
from tests.processes import ROOT, Process, environment, start_web, start_worker
from tests.shares import Share, shares
from tests.smtp import MailServer, sending_app
from webapp.database import database, open_database

# Seconds that somebody needs before they press again, so that the load outlasts the story.
PACE = 0.2
# Seconds that nobody may wait for an answer, not even one of 503.
PATIENCE = 10.0
# What happens to the dead primary's PgBouncer.
DIES, STAYS, NONE = "dies", "stays", "none"
# The rate is measured for so many seconds, each web process held to so much of a processor, or the
# two that everything shares here would be what is measured.
MEASURED, PART = 10.0, 0.2


@dataclass
class Watched(Live):
    """The load, when it was answered 503, and when a press was carried out."""

    away_at: list[float] = field(default_factory=list)
    done_at: list[float] = field(default_factory=list)

    def _send(self, what: str, person: Person, *rest: Any) -> bool:
        if what in ("acceptance", "joined"):
            threading.Event().wait(PACE)
        before = self.answers[what, 503]
        done = super()._send(what, person, *rest)
        if self.answers[what, 503] > before:
            self.away_at.append(time.monotonic())
        elif done and not what.startswith("GET"):
            self.done_at.append(time.monotonic())
        return done


@dataclass
class Machines:
    """Everything that runs; a process that was killed is started anew by its number."""

    live: Watched
    env: dict[str, str]
    ports: list[int]
    primary: Cluster
    standby: Cluster
    pgbouncer: str
    without: float
    held: list[Share]
    stack: ExitStack

    def start_web(self, at: int) -> Process:
        return self._kept(start_web(self.env, self.ports[at]))

    def start_worker(self) -> Process:
        return self._kept(start_worker(self.env, lease=8, pace=10))

    def _kept(self, process: Process) -> Process:
        self.live.processes.append(process)
        return self.stack.enter_context(process)


@contextmanager
def machines(folder: Path, people: int, pgbouncer: str, without: float) -> Iterator[Machines]:
    primary, standby = Cluster(folder / "primary"), Cluster(folder / "standby")
    port, ports = free_port(), [free_port() for _ in range(3)]
    with ExitStack() as stack:
        held = stack.enter_context(shares(len(ports), PART))
        stack.enter_context(contextmanager(replicated)(primary, standby))
        if pgbouncer != NONE:
            stack.enter_context(primary.bounced())
            stack.enter_context(standby.bounced())
        queue_url = stack.enter_context(queueing(folder))
        server = stack.enter_context(MailServer())
        stack.enter_context(in_front(folder, port, ports))
        url = either_of(primary, standby)
        env = environment(url, **server.environment, BASE_URL=f"http://127.0.0.1:{port}",
                          QUEUE_URL=queue_url, TRUSTED_PROXIES="1")  # fmt: skip
        migrate = [sys.executable, "-m", "flask", "--app", "wsgi", "migrate"]
        subprocess.run(migrate, env=env, cwd=ROOT, check=True)
        app = stack.enter_context(sending_app(url, server))
        organisation = make_owned(seats=people)
        owner = owner_of(app, organisation)
        joining = [invited(app, organisation, at) for at in range(people)]
        database.close()
        live = Watched(app, server, url, port, joining, owner)
        yield Machines(live, env, ports, primary, standby, pgbouncer, without, held, stack)


def either_of(primary: Cluster, standby: Cluster) -> str:
    """As in docs/machines/environment, through PgBouncer where there is one."""
    ports = [str(one.bouncer_port if one.bouncer else one.port) for one in (primary, standby)]
    found = re.search(r"^DATABASE_URL=(.+)$", adapted("environment", {
        "PASSWORD": PASSWORD,
        "10.0.0.21,10.0.0.22": "127.0.0.1,127.0.0.1",
        "6432,6432": ",".join(ports),
    }), re.MULTILINE)  # fmt: skip
    assert found
    return found[1]


def started(all_of: Machines) -> list[Process]:
    """The three web processes, with the rate of one, two and three of them."""
    webs: list[Process] = []
    for at in range(3):
        webs.append(all_of.start_web(at))
        for share in all_of.held[at : at + 1]:
            share.hold(webs[at].pids)
        rate = throughput(all_of.live)
        each = f"each held to {PART} of a processor" if all_of.held else "sharing the processors"
        print(f"{at + 1} web, {each}: {rate:.1f} list pages a second", flush=True)
    for share in all_of.held:
        share.lift()
    return webs


def throughput(live: Watched) -> float:
    """List pages a second, asked for by twelve keep-alive clients through nginx."""
    ends, answered = time.monotonic() + MEASURED, list[int]()

    def ask() -> None:
        line = http.client.HTTPConnection("127.0.0.1", live.port, timeout=60)
        while time.monotonic() < ends:
            line.request("GET", "/users", headers={"Cookie": live.owner.cookie})
            answer = line.getresponse()
            answer.read()
            answered.append(answer.status)
        line.close()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if set(answered) != {200}:
        print(f"measuring: answered {dict(Counter(answered))}")
    return answered.count(200) / MEASURED


def story(all_of: Machines, webs: list[Process], workers: list[Process]) -> float:
    """What is killed, and when; returns when the primary was."""
    live, pause = all_of.live, threading.Event()
    pause.wait(4)
    webs[0].kill()
    pause.wait(4)
    all_of.start_web(0)
    workers[0].kill()
    pause.wait(3)
    all_of.start_worker()
    pause.wait(2)
    killed_at = time.monotonic()
    all_of.primary.kill(leave_bouncer=all_of.pgbouncer == STAYS)
    pause.wait(all_of.without)
    all_of.primary.tell_bouncer("SHUTDOWN")
    all_of.standby.promote()
    promoted_at = time.monotonic()
    print(f"the standby was promoted after {promoted_at - killed_at:.1f} s")
    try:
        until(lambda: any(at > promoted_at for at in live.done_at), "a press is carried out", 20)
    except TimeoutError as error:
        live.problems.append(str(error))
    pause.wait(6)
    return killed_at


def confirmed_once(live: Watched) -> str:
    """Every acceptance that was confirmed is in the promoted database, once."""
    told = {user.id for user, what in live.acknowledged if what == "joined"}
    rows = database.execute_sql("SELECT user_id FROM acceptance").fetchall()
    found = Counter(row[0] for row in rows)
    wrong = [one for one in told if found[one] != 1]
    live.problems += [f"user {one}: joined {found[one]} times" for one in wrong]
    return f"{len(told)} acceptances confirmed, {len(rows)} found"


def run(people: int, pgbouncer: str, without: float) -> Watched:
    with tempfile.TemporaryDirectory(prefix="affluent-machines-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with machines(folder, people, pgbouncer, without) as all_of:
            live = all_of.live
            webs = started(all_of)
            workers = [all_of.start_worker() for _ in range(2)]
            begun = time.monotonic()
            with live.load():
                killed_at = story(all_of, webs, workers)
            lasted = time.monotonic() - begun
            database.close()
            open_database(all_of.standby.url)
            live.quiesce()
            live.check()
            print(live.figures())
            report(live, killed_at, begun, lasted, without)
        return live


def report(live: Watched, killed_at: float, begun: float, lasted: float, without: float) -> None:
    total = sum(live.answers.values())
    errors = sum(count for (_, status), count in live.answers.items() if status >= 500)
    before = [at - begun for at in live.away_at if at < killed_at]
    after = [at - killed_at for at in live.away_at if at >= killed_at]
    print(f"{total} requests in {lasted:.0f} s, {errors} of them 503 with Retry-After")
    if before:
        print(f"503 before the switch at {', '.join(f'{at:.1f}' for at in before)} s")
    if after:
        print(f"the switch: 503 from {min(after):.1f} to {max(after):.1f} s after the kill")
    print(confirmed_once(live))
    late = [at for at in after if at > without + 15]
    if late:
        live.problems.append(f"{len(late)} answers of 503 long after the switch")
    if live.longest > PATIENCE:
        live.problems.append(f"somebody waited {live.longest:.1f} s")


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=250)
    asked.add_argument("--pgbouncer", choices=(DIES, STAYS, NONE), default=DIES)
    asked.add_argument("--without", type=float, default=3, help="seconds without a primary")
    options = asked.parse_args()
    logging.getLogger("affluent.requests").setLevel(logging.WARNING)
    if missing():
        print("Install first: " + ", ".join(missing()), file=sys.stderr)
        return 2
    begun = time.monotonic()
    live = run(options.people, options.pgbouncer, options.without)
    print(f"{options.people} people, {time.monotonic() - begun:.0f} s")
    print("\n".join(live.problems[:20]) or "nothing was lost, doubled or half done")
    return 1 if live.problems else 0


if __name__ == "__main__":
    sys.exit(main())
