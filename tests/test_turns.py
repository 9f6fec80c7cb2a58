"""Whoever wants to write on SQLite comes in turn, within a process and between several."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from peewee import IntegerField, Model, OperationalError

from webapp.turns import FairSqlite, Line

PATIENCE = 20.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[FairSqlite]:
    database = FairSqlite(
        str(tmp_path / "app.db"), 0.4, pragmas={"journal_mode": "wal"}, lock_type="IMMEDIATE"
    )
    with database:
        database.execute_sql("CREATE TABLE written (number INTEGER)")
    yield database
    database.close()


def started(run: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(12_000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came")


def test_threads_come_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    line, came = Line(tmp_path / "app.db"), list[int]()

    def come(number: int) -> None:
        line.join(PATIENCE)
        came.append(number)
        line.leave()

    line.join(PATIENCE)
    threads = []
    for number in range(8):
        threads.append(started(lambda number=number: come(number)))  # type: ignore[misc]
        wait_until(lambda: len(line._waiting) == len(threads))
    line.leave()
    for thread in threads:
        thread.join()

    assert came == list(range(8))


def test_a_process_with_a_line_that_never_ends_lets_another_one_write(tmp_path: Path) -> None:
    busy, other = Line(tmp_path / "app.db"), Line(tmp_path / "app.db")
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.is_set():
            busy.join(PATIENCE)
            wait_until(lambda: bool(busy._waiting) or is_over.is_set())
            busy.leave()

    threads = [started(go_on) for _ in range(3)]
    wait_until(lambda: bool(busy._waiting))
    try:
        for _ in range(5):
            other.join(PATIENCE)
            other.leave()
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert busy._turn is None
    assert other._turn is None


def test_those_who_stood_in_line_come_before_another_process(tmp_path: Path) -> None:
    line, other, came = Line(tmp_path / "app.db"), Line(tmp_path / "app.db"), list[str]()

    def come(name: str) -> None:
        line.join(PATIENCE)
        came.append(name)
        wait_until(line._is_wanted)
        line.leave()

    def come_from_elsewhere() -> None:
        other.join(PATIENCE)
        came.append("elsewhere")
        other.leave()

    other.join(PATIENCE)
    threads = [started(lambda: come("first"))]
    wait_until(other._is_wanted)
    for number, name in enumerate(("second", "third"), start=1):
        threads.append(started(lambda name=name: come(name)))  # type: ignore[misc]
        wait_until(lambda number=number: len(line._waiting) == number)  # type: ignore[misc]
    threads.append(started(come_from_elsewhere))
    wait_until(lambda: bool(other._waiting))
    other.leave()
    for thread in threads:
        thread.join()

    assert came == ["first", "second", "third", "elsewhere"]


def test_whoever_waits_too_long_is_told_and_keeps_nobody(tmp_path: Path) -> None:
    line, other = Line(tmp_path / "app.db"), Line(tmp_path / "app.db")
    line.join(PATIENCE)

    for late in (line, other):
        with pytest.raises(OperationalError, match="database is locked"):
            late.join(0.05)

    line.leave()
    for each in (other, line, other):
        assert 0 < each.join(PATIENCE) <= PATIENCE
        each.leave()


def test_a_process_that_is_killed_gives_its_turn_back(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, time; from webapp.turns import Line;"
        "Line(pathlib.Path(sys.argv[1])).join(20); print('mine', flush=True); time.sleep(60)"
    )
    path = tmp_path / "app.db"
    holder = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"mine\n"
    line = Line(path)
    with pytest.raises(OperationalError):
        line.join(0.05)

    holder.kill()
    holder.wait()
    holder.stdout.close()

    line.join(PATIENCE)
    line.leave()


@pytest.mark.parametrize("is_transaction", [True, False])
def test_one_who_stands_in_no_line_is_waited_for_in_vain_and_once(
    database: FairSqlite, is_transaction: bool
) -> None:
    def write() -> None:
        if is_transaction:
            with database.transaction():
                database.execute_sql("INSERT INTO written VALUES (1)")
        else:
            database.execute_sql("INSERT INTO written VALUES (1)")

    database.connect(reuse_if_open=True)
    with closing(sqlite3.connect(database.database, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="database is locked"):
            write()
        shell.execute("ROLLBACK")

        write()
        assert shell.execute("SELECT COUNT(*) FROM written").fetchone() == (1,)
    assert not database._line._is_busy
    assert database._line._turn is None


def test_a_transaction_that_fails_gives_its_turn_back(database: FairSqlite) -> None:
    class Written(Model):
        number = IntegerField()

        class Meta:
            database = None
            primary_key = False

    @database.atomic()
    def fail() -> None:
        Written.create(number=1)
        with database.atomic():
            Written.create(number=1 // 0)

    with database.bind_ctx([Written]), database.connection_context():
        with pytest.raises(ZeroDivisionError):
            fail()
        with database.atomic("DEFERRED"):
            assert Written.select().count() == 0
            assert database._line._turn is None
        with database.atomic():
            assert database._line._turn is not None
            Written.create(number=2)
        assert database._line._turn is None
        assert [one.number for one in Written.select()] == [2]
