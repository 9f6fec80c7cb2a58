"""SIGKILL at every named point of `kill_points.py`, again and again, and at random moments. A
story is told to its point in a forked process that is killed there; whoever pressed presses again,
another worker goes on, and everything has happened once. What comes before the kill is the same at
every point of a story, and is told once for all of them: each begins with a copy of its database.

`python -m tests.drills.kills --rounds 50 --moments 200 --engine postgresql`"""

import argparse
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock
from urllib.parse import urlencode
from uuid import uuid4

from flask import Flask

from tests.client import Browser, field_of
from tests.databases import empty, fresh_sqlite, remembered
from tests.drills import kill_stories, killed_refund
from tests.drills.bank import NEVER, fresh_database
from tests.drills.breaking import found
from tests.drills.kill_points import POINTS
from tests.drills.killed_refund import Deed, go_on
from tests.smtp import MailServer, sending_app
from webapp.database import database, open_database
from webapp.views import link

# The only stories whose documents are made in earnest; to all others a document is a few bytes.
RENDERING = "the worker sends it"
TOLD = {name: lambda server, tell=tell: tell() for name, tell in killed_refund.STORIES.items()}
STORIES: dict[str, Callable[[MailServer], Deed]] = {**TOLD, **kill_stories.STORIES}
COOKIES = ("affluent", link.COOKIE)
DONE, WENT_WRONG = 0, 98
# Proofs of who somebody is, quotes and signatures last for minutes.
STANDS = 60.0


@dataclass
class Stage:
    """What leads to a story, and the way back to it."""

    story: str
    deed: Deed
    sent: "Sent"
    act: Callable[[], Any]
    again: Callable[[], Any]
    restore: Callable[[], None]
    made_at: float

    def is_for(self, story: str) -> bool:
        return self.story == story and time.monotonic() - self.made_at < STANDS


@dataclass
class Drill:
    """One run; `problems` is what must stay empty."""

    app: Flask
    url: str
    server: MailServer
    fresh: Callable[[], None]
    remember: Callable[[], Callable[[], None]]
    random: Random
    at_once: int = 1  # mails that are on their way at the same moment, any of which may come again
    stage: Stage | None = None
    told: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    lasts: dict[str, float] = field(default_factory=dict)

    def at_point(self, story: str, point: str, nth: int = 1) -> None:
        """Where a story comes there less often, it is told to its end."""
        arm = lambda: _arm(point, nth)  # noqa: E731
        status = self.tell(story, point, lambda stage: _killed(stage.act, arm))
        if status is not None and status != -signal.SIGKILL:
            self.told["came to the end"] += 1
            if nth == 1:
                self.problems.append(f"{story}: never came to {point}")

    def at_moment(self, story: str) -> None:
        """Killed from outside, whatever it is about just then."""
        if story not in self.lasts:
            self.tell(story, "never", lambda stage: self._timed(story, stage.act))
        after = self.random.uniform(0, self.lasts[story])
        name = f"after {after * 1000:.0f} ms"
        killed = lambda stage: _killed(stage.act, lambda: None, after)  # noqa: E731
        if self.tell(story, name, killed) == DONE:
            self.told["came to the end"] += 1

    def _timed(self, story: str, act: Callable[[], Any]) -> int:
        begun = time.monotonic()
        status = _killed(act, lambda: None)
        self.lasts[story] = time.monotonic() - begun
        return status

    def tell(self, story: str, name: str, kill: Callable[[Stage], int]) -> int | None:
        """How `kill` says that it ended; None where that is a problem."""
        taken = len(self.server.mails)
        try:
            with self.app.app_context(), _documents(story == RENDERING):
                stage = self._stage(story)
                stage.restore()
                status = kill(stage)
                assert status in (DONE, -signal.SIGKILL), f"ended with {status}"
                stage.again()
                go_on(stage.deed)
                self._assert_mails(taken)
                for sentence, query in NEVER.items():
                    assert not database.execute_sql(query).fetchall(), sentence
            self.told["killed" if status != DONE else "not killed"] += 1
            return status
        except Exception:
            self.problems.append(f"{story}, {name}:\n{traceback.format_exc()}")
            return None
        finally:
            database.close()
            del self.server.mails[taken:]

    def _stage(self, story: str) -> Stage:
        if self.stage is None or not self.stage.is_for(story):
            self.fresh()
            deed = STORIES[story](self.server)
            sent = prepared(self.app, deed)
            act, again = _doing(self.app, deed, sent)
            database.close()
            back = self.remember()
            self.stage = Stage(story, deed, sent, act, again, back, time.monotonic())
        return self.stage

    def _assert_mails(self, taken: int) -> None:
        copies = Counter(mail["Message-ID"] for mail in self.server.mails[taken:])
        repeated = sum(copies.values()) - len(copies)
        assert all(count <= 2 for count in copies.values()), copies
        assert repeated <= self.at_once, copies
        self.told["mails"] += len(copies)
        self.told["mails repeated"] += repeated


def _doing(app: Flask, deed: Deed, sent: "Sent") -> tuple[Callable[[], Any], Callable[[], Any]]:
    """What is done in the process that is killed, and what is done again after it."""
    if not deed.path:
        return deed.act, deed.again

    def press(*statuses: int) -> None:
        client = app.test_client(use_cookies=False)
        status = client.post(deed.path, data=sent.body, headers=sent.headers).status_code
        assert status in statuses, status

    done = 200 if deed.path.startswith("/webhooks/") else 303
    # It was done at the first press, or is done now; 200 and 404 say that it was.
    return lambda: press(done), lambda: press(303, 409, 200, 404)


@dataclass
class Sent:
    """What is sent to a deed's path, as often as one likes."""

    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def prepared(app: Flask, deed: Deed) -> Sent:
    """The filled-in form of somebody who is signed in, or what the gateway sends."""
    if not deed.path:
        return Sent()
    if deed.path.startswith("/webhooks/"):
        headers = {name: value for name, value in deed.form.items() if name != "body"}
        return Sent(deed.form["body"].encode(), headers)
    browser = Browser(app).sign_in_as(deed.user)
    at = f"/join/{deed.link}" if deed.link else "/sign-in"
    page = browser.get(at, follow_redirects=True)
    form = {**deed.form, "csrf_token": field_of(page, "csrf_token")}
    if deed.link:
        form["quote"] = field_of(page, "quote")
    kept = [one for name in COOKIES if (one := browser.client.get_cookie(name))]
    headers = {
        "Cookie": "; ".join(f"{one.key}={one.value}" for one in kept),
        "Accept-Language": "en",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Sent(urlencode(form).encode(), headers)


def _killed(act: Callable[[], Any], arm: Callable[[], None], after: float | None = None) -> int:
    """Does it in a process of its own, which is killed by what `arm` prepared or `after` so many
    seconds; returns how that ended, as a negative signal where it was one."""
    database.close()  # no connection is two processes'
    child = os.fork()
    if child == 0:
        status = WENT_WRONG
        try:
            arm()
            act()
            status = DONE
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _arm(point: str, nth: int) -> None:
    """In the process that is to be killed: the nth time it comes to `point`."""
    when, _, place = point.partition(" ")
    owner, name = found(place)
    real, calls = getattr(owner, name), 0

    def armed(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = real(*args, **named)
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, armed)


@contextmanager
def _documents(in_earnest: bool) -> Iterator[None]:
    pdf = importlib.import_module("invoices.pdf")
    with mock.patch.object(pdf, "render", pdf.render if in_earnest else lambda statement: b"%PDF"):
        yield


@contextmanager
def drill_on(engine: str, seed: int) -> Iterator[Drill]:
    with fresh_database(engine) as url, drill_at(url, seed) as drill:
        yield drill


@contextmanager
def drill_at(url: str, seed: int) -> Iterator[Drill]:
    """With this PostgreSQL database, or one in SQLite beside that which is named."""
    engine = url.partition(":")[0]
    with MailServer() as server, sending_app(url, server) as app:

        def fresh() -> None:
            database.close()
            if engine == "sqlite":
                _clear(folder)
                open_database(fresh_sqlite(folder))
            else:
                empty(url)

        def remember() -> Callable[[], None]:
            return _copied(folder) if engine == "sqlite" else remembered(url)

        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            yield Drill(app, url, server, fresh, remember, Random(seed))


def _copied(folder: Path) -> Callable[[], None]:
    """What goes on with another copy of SQLite's database, as it is now, whenever it is called."""
    kept = Path(database.obj.database)
    assert not kept.with_name(f"{kept.name}-wal").exists()

    def restore() -> None:
        _clear(folder, kept)
        open_database(f"sqlite:///{shutil.copyfile(kept, folder / f'{uuid4().hex}.db')}")

    return restore


def _clear(folder: Path, kept: Path | None = None) -> None:
    for path in folder.iterdir():
        if path != kept:
            path.unlink()


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=1, help="of every point")
    asked.add_argument("--moments", type=int, default=0, help="at random, over all stories")
    asked.add_argument("--every", type=int, default=1, help="only each so manieth point")
    asked.add_argument("--seconds", type=float, default=0, help="begins no new round after so long")
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    asked.add_argument("--only", default="", help="stories with this in their name")
    asked.add_argument("--seed", type=int, default=int(time.time()))
    options = asked.parse_args()
    stories = [story for story in STORIES if options.only in story]
    points = [(story, point) for story in stories for point in POINTS[story]]
    begun, rounds = time.monotonic(), 0
    with drill_on(options.engine, options.seed) as drill:
        for rounds in range(1, options.rounds + 1):
            if options.seconds and time.monotonic() - begun > options.seconds:
                rounds -= 1
                break
            at = drill.random.randrange(options.every)
            for story, point in points[at :: options.every]:
                nth = drill.random.choice((1, 1, 2)) if rounds > 1 else 1
                drill.at_point(story, point, nth)
        for _ in range(options.moments):
            drill.at_moment(drill.random.choice(stories))
    told = ", ".join(f"{name} {count}" for name, count in sorted(drill.told.items()))
    print(
        f"{options.engine}, seed {options.seed}: {len(points)} points of {len(stories)} stories,"
        f" {rounds} rounds of every {options.every}, {options.moments} random moments,"
        f" in {time.monotonic() - begun:.0f} s"
    )
    print(told)
    print("\n".join(drill.problems) or "everything happened once")
    return 1 if drill.problems else 0


if __name__ == "__main__":
    sys.exit(main())
