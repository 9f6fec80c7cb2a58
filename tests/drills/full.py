"""The disk is full while people join: SQLite by a quota of pages, or on a small file system of its
own where one can be mounted; PostgreSQL on such a file system. Whoever presses is told 503 and when
to come back, nothing is half done, the file is whole, and with room again all goes on.

`python -m tests.drills.full --engine postgresql`"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from tests.apps import make_app
from tests.client import Browser, field_of
from tests.databases import fresh_postgresql, fresh_sqlite
from tests.drills.bank import NEVER
from tests.drills.killed_refund import payer
from tests.joined import make_invitation, make_owned
from tests.people import link_of
from tests.postgresql import running_server
from webapp import mailer, outbox
from webapp.actions import ledger
from webapp.database import database
from webapp.models import Acceptance, OutboxMessage, Settlement, Statement

ALLOWED = (303, 503)
# How large the small disk is, and how much room the ballast leaves on it.
SMALL = {"sqlite": ("12m", 200_000), "postgresql": ("160m", 0)}


@dataclass
class Full:
    """People join until there is no room, try in vain, and join once there is room again."""

    app: Flask
    answers: Counter[int] = field(default_factory=Counter)
    after: Counter[int] = field(default_factory=Counter)

    def run(self, people: int, fill: Callable[[], None], make_room: Callable[[], None]) -> None:
        """AssertionError where somebody was answered otherwise or something is half done."""
        organisation = make_owned()
        joining = [self._ready(organisation, at) for at in range(people)]
        fill()
        waiting = [press for press in joining if not self._press(press, self.answers)]
        assert waiting, "there was room for all of them"
        self._check(people - len(waiting))
        make_room()
        waiting = [press for press in waiting if not self._press(press, self.after)]
        assert not waiting, "there was room again"
        self._check(people)

    def _ready(self, organisation: object, at: int) -> Callable[[], tuple[int, str]]:
        user = payer(f"p{at}@full.example")
        invitation = make_invitation(user, organisation)  # type: ignore[arg-type]
        outbox.write("mail:invitation", {"invitation_id": invitation.id}, invitation=invitation)
        browser = Browser(self.app).sign_in_as(user)
        form = {"quote": field_of(browser.open_link(link_of(invitation)), "quote")}
        form["choice"] = ("refund", "credit")[at % 2]
        browser.csrf()

        def press() -> tuple[int, str]:
            answer = browser.post("/join/acceptance", **form)
            return answer.status_code, answer.headers.get("Retry-After", "")

        return press

    def _press(self, press: Callable[[], tuple[int, str]], answers: Counter[int]) -> bool:
        status, later = press()
        answers[status] += 1
        assert status in ALLOWED, status
        assert status == 303 or later, "come back when?"
        return status == 303

    def _check(self, joined: int) -> None:
        """Exactly those who were told so have joined, with all that belongs to it."""
        assert Acceptance.select().count() == Settlement.select().count() == joined
        mails = OutboxMessage.select().where(OutboxMessage.kind == "mail:accepted")
        assert mails.count() == joined
        credits = Settlement.select().where(Settlement.choice == "credit").count()
        assert Statement.select().count() == joined + credits
        assert ledger.check() == []
        for sentence, query in NEVER.items():
            assert not database.execute_sql(query).fetchall(), sentence
        if "sqlite" in type(database.obj).__name__.lower():
            assert database.execute_sql("PRAGMA integrity_check").fetchall() == [("ok",)]


def by_quota(people: int = 12) -> Full:
    """SQLite may have no more pages than it has."""
    with tempfile.TemporaryDirectory() as folder, _app(fresh_sqlite(Path(folder))) as app:
        full = Full(app)

        def fill() -> None:
            database.execute_sql("VACUUM")  # no page of it is spare
            pages = database.execute_sql("PRAGMA page_count").fetchone()[0]
            database.execute_sql(f"PRAGMA max_page_count = {pages + 3}")

        def make_room() -> None:
            database.execute_sql("PRAGMA max_page_count = 100000")

        full.run(people, fill, make_room)
        return full


def on_small_disk(engine: str, people: int = 12) -> Full:
    """A file system of its own, filled up by another file."""
    size, leave = SMALL[engine]
    with small_disk(size) as disk, _on(engine, disk) as url, _app(url) as app:
        ballast = disk / "ballast"

        def fill() -> None:
            free = os.statvfs(disk)
            with ballast.open("wb") as file, suppress(OSError):
                file.write(b"\0" * max(free.f_bavail * free.f_bsize - leave, 0))

        full = Full(app)
        full.run(people, fill, ballast.unlink)
        database.close()
        return full


@contextmanager
def _on(engine: str, disk: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield fresh_sqlite(disk)
        return
    with running_server(str(disk)) as server, fresh_postgresql(server.url) as url:
        yield url


@contextmanager
def _app(url: str) -> Iterator[Flask]:
    app = make_app(url)
    mailer.install(app)
    with app.app_context():
        yield app
        if not database.is_closed():
            database.close()


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """PermissionError where nothing may be mounted."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
            raise PermissionError("nothing may be mounted here")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=60)
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    options = asked.parse_args()
    begun = time.monotonic()
    drills = {"a small disk": lambda: on_small_disk(options.engine, options.people)}
    if options.engine == "sqlite":
        drills["a quota of pages"] = lambda: by_quota(options.people)
    for name, drill in drills.items():
        try:
            full = drill()
        except PermissionError as error:
            print(f"{options.engine}, {name}: {error}")
            continue
        print(f"{options.engine}, {name}: full {dict(full.answers)}, later {dict(full.after)}")
    print(f"nothing was half done, {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
