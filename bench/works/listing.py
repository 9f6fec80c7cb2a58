"""The 50-row partial of the users list."""

from collections.abc import Iterator

from bench import ours
from bench.results import Result
from bench.rounds import medians
from bench.servers import started
from bench.works.setting import Setting

PATH = "/users"
PARTIAL = {"HX-Request": "true"}
SMALL = 1_000


def measure(setting: Setting) -> Iterator[Result]:
    few, many = setting.database(SMALL), setting.database()
    with (
        ours.serving(few) as small,
        ours.serving(many) as large,
        started("bench.raw:app", ours.PYTHON, BENCH_DATABASE=many, BENCH_PATH=PATH) as raw,
    ):
        cost = medians(
            {
                "small": setting.asking(small, PATH, b'id="people"', **PARTIAL),
                "large": setting.asking(large, PATH, b'id="people"', **PARTIAL),
                "raw": setting.asking(raw, PATH, b'id="people"', **PARTIAL),
            },
            setting.rounds,
        )
    ms = {name: f"{value / 1e6:.2f} ms" for name, value in cost.items()}
    yield Result(
        f"50-row users partial, {setting.users:,} users, {setting.label}: ours / raw + Jinja",
        cost["large"] / cost["raw"], 1.25, figures=f"{ms['large']} / {ms['raw']}",
    )  # fmt: skip
    yield Result(
        f"the same: growth from {SMALL:,} to {setting.users:,} users, {setting.label}",
        cost["large"] / cost["small"], 1.1, figures=f"{ms['large']} / {ms['small']}",
    )  # fmt: skip
