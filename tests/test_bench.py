"""The benchmarks' people and table; nothing here is timed."""

from pathlib import Path

import pytest
from flask import Flask

from bench import databases, people, works
from bench.results import Report, Result
from bench.rounds import medians, percentile
from tests import shares
from webapp import clock
from webapp.actions import ledger_check
from webapp.models import Account, Invitation, Membership, User
from webapp.models.asked import Asked
from webapp.models.people import page


def test_the_people_are_as_promised_and_the_same_each_time(app: Flask) -> None:
    people.make(200)

    large = Account.get_by_id(people.LARGE)
    assert User.select().count() == Membership.select().count() == 200
    assert Membership.select().where(Membership.account == large).count() == 20
    assert Invitation.select().count() == 50
    assert Membership.select(Membership.account).distinct().count() == 20
    assert ledger_check.check() == []
    shown, has_more = page(large, Asked(), clock.now())
    assert (len(shown), has_more) == (29, False)
    assert list(people._people(200, 1)) == list(people._people(200, 1))


def test_a_database_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "FOLDER", tmp_path)
    setting = works.Setting("sqlite", "", users=40, rounds=1)

    made = setting.database()
    begun = Path(made.removeprefix("sqlite:///")).stat().st_mtime_ns

    assert setting.database() == made
    assert Path(made.removeprefix("sqlite:///")).stat().st_mtime_ns == begun
    assert [path.suffix for path in tmp_path.iterdir()] == [".db"]
    assert {"list", "search", "badge", "peers", "windows", "processes", "joining"} <= set(works.ALL)


def test_each_contestant_takes_its_turn() -> None:
    turns: list[str] = []

    def contestant(name: str, cost: int) -> int:
        turns.append(name)
        return cost * (1 + len(turns))

    found = medians({n: lambda n=n: contestant(n, len(n)) for n in ("a", "bb")}, 4)
    assert turns == ["a", "bb", "bb", "a"] * 2
    assert found["a"] < found["bb"]
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_the_table_says_what_falls_short(tmp_path: Path) -> None:
    report = Report([Result("quick", 1.1, 1.25), Result("slow", 2.0, 3.0, is_floor=True)])
    report.notes.append("Noted.")

    page = report.page("make bench")

    assert "| quick | 1.10 ×   | ≤ 1.25 × | pass" in page
    assert "| slow  | 2.00 ×   | ≥ 3 ×    | short" in page
    assert "- Noted." in page
    assert "SQLite" in page


@pytest.mark.parametrize(
    ("folder", "written"),
    [
        ("cpu", {"cpu.cfs_period_us": "20000", "cpu.cfs_quota_us": "-1", "cpu.shares": "10240"}),
        ("", {"cpu.max": "max", "cpu.weight": "1000"}),
    ],
)
def test_a_share_of_a_processor_is_asked_of_both_kinds_of_control_groups(
    folder: str, written: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "ROOT", tmp_path)
    (tmp_path / folder).mkdir(exist_ok=True)

    share = shares.Share(0.1)
    limit = share.folder / ("cpu.cfs_quota_us" if folder else "cpu.max")
    assert limit.read_text() in ("2000", "2000 20000")
    share.hold([7])
    share.lift()

    found = {file.name: file.read_text() for file in share.folder.iterdir()}
    assert found == {**written, "cgroup.procs": "7"}
