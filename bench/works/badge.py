"""A poll of the live pending badge, with its session check, beside Flask's least."""

from collections.abc import Iterator
from contextlib import ExitStack

from bench import ours
from bench.results import Result
from bench.rounds import medians
from bench.servers import started
from bench.works.setting import Setting

PATH = "/invitations/badge"
PARTIAL = {"HX-Request": "true"}


def measure(setting: Setting) -> Iterator[Result]:
    url = setting.database()
    with ExitStack() as stack:
        server = stack.enter_context(ours.serving(url))
        hello = stack.enter_context(started("bench.hello:app", ours.PYTHON))
        _status, _body, headers = server.ask(PATH, **PARTIAL)
        known = {**PARTIAL, "If-None-Match": headers["ETag"]}
        unchanged = setting.asking(server, PATH, **known)
        if unchanged.status != 304:
            raise RuntimeError(f"an unchanged badge answered {unchanged.status}")
        contestants = {
            "unchanged": unchanged,
            "changed": setting.asking(server, PATH, b"pending-badge", **PARTIAL),
            "hello": setting.asking(hello, "/", b"hello"),
        }
        if setting.at:
            given = {"DATABASE_URL": url.replace("+psycopg", "")}
            asked = stack.enter_context(started("bench.hello:asking", ours.PYTHON, **given))
            contestants["asked"] = setting.asking(asked, "/", b"hello")
        cost = medians(contestants, setting.rounds)
    us = {name: f"{value / 1e3:.0f} µs" for name, value in cost.items()}
    beside = f"; a “hello” that asks PostgreSQL for 1: {us['asked']}" if setting.at else ""
    for name, words in (("unchanged", "unchanged (304)"), ("changed", "changed (200)")):
        yield Result(
            f"badge poll with session check, {words}, {setting.label}: ours / Flask “hello”",
            cost[name] / cost["hello"], 1.5, figures=f"{us[name]} / {us['hello']}{beside}",
        )  # fmt: skip
