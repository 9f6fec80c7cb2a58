"""A poll of the live pending badge, with its session check, beside Flask's least."""

from collections.abc import Iterator

from bench import ours
from bench.results import Result
from bench.rounds import medians
from bench.servers import started
from bench.works.setting import Setting

PATH = "/invitations/badge"
PARTIAL = {"HX-Request": "true"}


def measure(setting: Setting) -> Iterator[Result]:
    with (
        ours.serving(setting.database()) as server,
        started("bench.hello:app", ours.PYTHON) as hello,
    ):
        _status, _body, headers = server.ask(PATH, **PARTIAL)
        known = {**PARTIAL, "If-None-Match": headers["ETag"]}
        unchanged = setting.asking(server, PATH, **known)
        if unchanged.status != 304:
            raise RuntimeError(f"an unchanged badge answered {unchanged.status}")
        cost = medians(
            {
                "unchanged": unchanged,
                "changed": setting.asking(server, PATH, b"pending-badge", **PARTIAL),
                "hello": setting.asking(hello, "/", b"hello"),
            },
            setting.rounds,
        )
    us = {name: f"{value / 1e3:.0f} µs" for name, value in cost.items()}
    for name, words in (("unchanged", "unchanged (304)"), ("changed", "changed (200)")):
        yield Result(
            f"badge poll with session check, {words}, {setting.label}: ours / Flask “hello”",
            cost[name] / cost["hello"], 1.5, figures=f"{us[name]} / {us['hello']}",
        )  # fmt: skip
