"""Two hundred people at once, each of whom presses something every few seconds, before a web
process for each processor, beside the same requests one at a time: admins look at lists, search,
have their badge polled and invite; members download a statement; people with a plan accept."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from http.client import HTTPConnection
from random import Random
from typing import Any
from urllib.parse import urlencode

from bench import databases, ours, people
from bench.results import Result
from bench.rounds import percentile
from bench.works.setting import Setting
from tests import money
from tests.apps import make_app
from webapp import clock
from webapp.actions import deliveries, inviting, joining, quotes, sessions
from webapp.database import database, unhurried_transaction
from webapp.models import Membership, OutboxMessage, Session, Statement, User

SECONDS = 25.0
# Between two presses of one person, in seconds.
PAUSE = (2.0, 6.0)
USERS = 5_000
# What admins do, as often as it stands here.
PRESSES = ("badge",) * 5 + ("list",) * 2 + ("search",) * 2 + ("invite",)
ADMINS, MEMBERS, JOINING = 140, 20, 40
# One at a time, of each kind.
IDLE = 30
KINDS = ("list", "search", "badge", "invite", "accept", "download")


@dataclass
class Seen:
    """Seconds of each answer by kind, and every answer that was none."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    failed: list[str] = field(default_factory=list)


@dataclass
class Browser:
    """One person's, with the cookie of a session; `number` is theirs, `link` is for who joins."""

    port: int
    cookies: dict[str, str]
    seen: Seen
    number: int = 0
    link: str = ""
    statement: str = ""

    def ask(self, path: str, kind: str = "", form: dict[str, str] | None = None) -> str:
        """The page. `kind` is what the time counts for, if it does."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "Accept-Language": "en", "Connection": "close"}
        if kind in ("search", "badge"):
            headers["HX-Request"] = "true"
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        begun = time.perf_counter()
        try:
            body = None if form is None else urlencode(form)
            connection.request("GET" if form is None else "POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except OSError as error:
            self.seen.failed.append(f"{kind or path}: {error}")
            return ""
        finally:
            connection.close()
        if kind:
            self.seen.seconds[kind].append(time.perf_counter() - begun)
        if answer.status != (303 if form else 200) and (kind or answer.status >= 400):
            self.seen.failed.append(f"{kind or path}: {answer.status}")
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return text

    def press(self, kind: str) -> None:
        getattr(self, f"_{kind}")()

    def _list(self) -> None:
        self.ask("/users", "list")

    def _search(self) -> None:
        self.ask("/users?q=dup", "search")

    def _badge(self) -> None:
        self.ask("/invitations/badge", "badge")

    def _download(self) -> None:
        self.ask(f"/statements/{self.statement}.pdf", "download")

    def _invite(self) -> None:
        self.number += 1
        csrf = _field(self.ask("/users"), "csrf_token")
        email = f"n{self.number}.{self.cookies['affluent'][-8:].lower()}@example.org"
        form = {"csrf_token": csrf, "emails": re.sub(r"[^a-z0-9.@]", "x", email)}
        self.ask("/invitations", "invite", {**form, "role": "member", "licence": "basic"})

    def _accept(self) -> None:
        self.ask(f"/join/{self.link}")
        page = self.ask("/join")
        form = {name: _field(page, name) for name in ("csrf_token", "quote")}
        self.ask("/join/acceptance", "accept", {**form, "choice": "refund"})


def measure(setting: Setting) -> Iterator[Result]:
    with databases.fresh(setting.at) as url:
        people.make(USERS)
        app = make_app(url, secret_key=ours.SECRET)
        with app.app_context():
            statements = [_settled(number) for number in range(MEMBERS)]
            links = [_invited(number) for number in range(JOINING + IDLE)]
            database.execute_sql("ANALYZE")
            database.close()
        with ours.serving(url, workers=os.cpu_count() or 1) as server:
            idle, busy = Seen(), Seen()
            _one_at_a_time(_crowd(server.port, idle, statements, links[:IDLE], 1))
            _all_at_once(_crowd(server.port, busy, statements, links[IDLE:], ADMINS))
    for seen in (idle, busy):
        if not all(seen.seconds.values()):
            raise RuntimeError(f"not every kind was answered: {seen.failed[:5]}")
    answers = sum(map(len, busy.seconds.values()))
    for kind in KINDS:
        alone, among = (percentile(one.seconds[kind], 0.99) * 1e3 for one in (idle, busy))
        yield Result(
            f"{ADMINS + MEMBERS + JOINING} people at once, {setting.label}: {kind}, p99 / p99 of"
            " one at a time", among / alone, 10,
            figures=f"{among:.0f} / {alone:.0f} ms, {len(busy.seconds[kind])} answers",
        )  # fmt: skip
    yield Result(
        f"the same, {setting.label}: answers that failed", len(busy.failed), 0, unit="answers",
        figures=f"{answers / SECONDS:.0f} answers a second; everybody presses something every"
        f" {PAUSE[0]:g} to {PAUSE[1]:g} s" + "".join(f"; {one}" for one in busy.failed[:3]),
    )  # fmt: skip


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', page)
    return unescape(found[1]) if found else ""


def _crowd(
    port: int,
    seen: Seen,
    statements: Sequence[tuple[str, str]],
    links: Sequence[tuple[str, str]],
    admins: int,
) -> list[tuple[Browser, Sequence[str]]]:
    """Everybody, and what each of them presses."""

    def browser(cookie: str, **held: Any) -> Browser:
        return Browser(port, {"affluent": cookie}, seen, **held)

    of_admins = [ours.cookie(number).partition("=")[2] for number in range(1, admins + 1)]
    found: list[tuple[Browser, Sequence[str]]]
    found = [(browser(cookie), PRESSES) for cookie in of_admins]
    found += [(browser(cookie, statement=one), ("download",)) for cookie, one in statements]
    return found + [(browser(cookie, link=one), ("accept",)) for cookie, one in links]


def _one_at_a_time(crowd: list[tuple[Browser, Sequence[str]]]) -> None:
    admin, *rest = (browser for browser, _presses in crowd)
    # The first answer of each kind fills caches, and counts for nothing.
    for kind in dict.fromkeys(PRESSES):
        admin.press(kind)
        admin.seen.seconds[kind].clear()
        for _ in range(IDLE):
            admin.press(kind)
    members, joining_ones = rest[:MEMBERS], rest[MEMBERS:]
    for number in range(IDLE):
        members[number % MEMBERS].press("download")
        joining_ones[number].press("accept")


def _all_at_once(crowd: list[tuple[Browser, Sequence[str]]]) -> None:
    ends = time.monotonic() + SECONDS
    threads = [
        threading.Thread(target=_live, args=(browser, presses, Random(number), ends))
        for number, (browser, presses) in enumerate(crowd)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _live(browser: Browser, presses: Sequence[str], random: Random, ends: float) -> None:
    """Comes at any moment. Joining is done once; what was to read is read at some moment too."""
    pause: Callable[[], float] = lambda: random.uniform(*PAUSE)  # noqa: E731
    if browser.link:
        time.sleep(random.uniform(0, SECONDS * 0.9))
        browser.press("accept")
        return
    time.sleep(random.uniform(0, PAUSE[1]))
    while time.monotonic() < ends:
        browser.press(random.choice(presses))
        time.sleep(pause())


def _paying(email: str) -> User:
    account = money.make_account()
    user = money.make_user(email, account, is_owner=True)
    today = clock.now().date()
    days = {"period_start_on": today - timedelta(days=20)}
    money.make_plan(account, **days, period_end_on=today + timedelta(days=10))
    return user


def _invited(number: int) -> tuple[str, str]:
    """The cookie of somebody who pays for a plan, and the link of their invitation."""
    with unhurried_transaction():
        user = _paying(f"joins{number}@example.org")
        account = 2 + number % 100
        by = Membership.get(Membership.account == account, Membership.is_owner)
        asked = [inviting.Asked(user.email, user.name, inviting.Offer())]
        (invitation,) = inviting.write_all(by, asked, clock.now())
        message = OutboxMessage.get(OutboxMessage.invitation == invitation)
        drawn = deliveries.draw_link(message)
    return ours.cookie_of(sessions.start(user, agent="bench")), drawn.token if drawn else ""


def _settled(number: int) -> tuple[str, str]:
    """The cookie of somebody who joined, and the number of their statement, which is rendered."""
    cookie, _link = _invited(-1 - number)
    user = User.get(User.email == f"joins{-1 - number}@example.org")
    session = Session.get(Session.user == user)
    message = OutboxMessage.select().order_by(OutboxMessage.id.desc()).first()
    membership = user.membership()
    offer = quotes.sign(quotes.current(membership.account, clock.now()), message.invitation)
    joining.accept(message.invitation_id, session, "refund", offer)
    statement = Statement.get(Statement.user == user)
    Statement.update(pdf=b"%PDF-" + bytes(40_000), sha256="0" * 64, rendered_at=clock.now()).where(
        Statement.id == statement.id
    ).execute()
    return cookie, statement.number
