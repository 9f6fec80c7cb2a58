"""Who writes next on SQLite. Its own way is to try, sleep and try again: whoever came just now is
as likely to be next as whoever has waited for a second, and of eight writers some wait for seconds.

Here threads of a process stand in line, and only the first of each line meets those of the other
processes, at two locks in the kernel: the one who is next waits at the second one while all others
wait at the first one, so that who has just written cannot come before who was waiting. A process
that is killed gives both back."""

import fcntl
import os
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peewee import OperationalError, SqliteDatabase

# Between two looks at another process's lock: a small part of what a transaction takes.
LOOK_EVERY = 0.001
WRITING = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


class FairSqlite(SqliteDatabase):
    """Whatever writes begins when its turn has come, or fails as SQLite does when that takes
    longer than `patience`, in seconds."""

    _state: Any
    _lock_type: str

    def __init__(self, path: str, patience: float, **options: Any) -> None:
        super().__init__(path, timeout=patience, **options)
        self._patience, self._line = patience, Line(Path(path))

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        if self.in_transaction() or not WRITING.match(sql):
            return self._execute(sql, params)
        left = self._line.join(self._patience)
        try:
            with self._patient(left):
                return self._execute(sql, params)
        finally:
            self._line.leave()

    def _execute(self, sql: str, params: Any = None) -> Any:
        return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]

    def begin(self, lock_type: str | None = None) -> None:
        if (lock_type or self._lock_type) != "IMMEDIATE":
            super().begin(lock_type)
            return
        left = self._line.join(self._patience)
        self._state.has_turn = True
        try:
            with self._patient(left):
                super().begin()
        except BaseException:
            self._end_turn()
            raise

    @contextmanager
    def _patient(self, seconds: float) -> Iterator[None]:
        """Somebody who does not stand in line may be writing, a shell for instance: is waited for
        no longer than what is left."""
        if seconds > self._patience / 2:
            yield
            return
        self._execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
        try:
            yield
        finally:
            self._execute(f"PRAGMA busy_timeout = {self._patience * 1000:.0f}")

    def commit(self) -> None:
        super().commit()
        # Had it failed, the transaction would go on, until it is rolled back.
        self._end_turn()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if getattr(self._state, "has_turn", False):
            self._state.has_turn = False
            self._line.leave()


class Line:
    """One process's line for the database at `path`."""

    def __init__(self, path: Path) -> None:
        self._paths = [path.with_name(f"{path.name}-{name}") for name in ("next", "turn")]
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changing = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_busy = False
        self._turn: int | None = None
        # How many of those who stood in line here when the turn came have yet to have it.
        self._still = 0

    def join(self, patience: float) -> float:
        """Returns when it is the caller's turn, with what is left of its patience. Raises
        OperationalError when that comes to its end."""
        if self._process != os.getpid():  # a child, in whose line nobody stands
            self._begin()
        ends = time.monotonic() + patience
        self._stand_in_line(patience)
        try:
            if self._turn is None:
                self._turn = self._among_processes(ends)
                self._still = len(self._waiting)
        except BaseException:
            self._call_next()
            raise
        return max(0.0, ends - time.monotonic())

    def leave(self) -> None:
        """The turn goes to the next of those who stood in line when it came, and then to another
        process where somebody waits: to hand it over takes longer than to keep it."""
        is_over = not self._waiting or (self._still <= 0 and self._is_wanted())
        self._still -= 1
        if self._turn is not None and is_over:
            os.close(self._turn)
            self._turn = None
        self._call_next()

    def _stand_in_line(self, patience: float) -> None:
        with self._changing:
            if not self._is_busy:
                self._is_busy = True
                return
            called = threading.Event()
            self._waiting.append(called)
        if called.wait(patience):
            return
        with self._changing:
            if not called.is_set():
                self._waiting.remove(called)
                raise OperationalError("database is locked")

    def _call_next(self) -> None:
        with self._changing:
            if self._waiting:
                self._waiting.popleft().set()
                return
            self._is_busy = False
            # Who came in the meantime finds the turn at hand, and must not keep it from others.
            if self._turn is not None:
                os.close(self._turn)
                self._turn = None

    def _among_processes(self, ends: float) -> int:
        """The open file whose lock is the turn."""
        following = _lock(self._paths[0], ends)
        try:
            return _lock(self._paths[1], ends)
        finally:
            os.close(following)

    def _is_wanted(self) -> bool:
        """Does another process wait to be next?"""
        file = _opened(self._paths[0])
        try:
            return not _has_taken(file)
        finally:
            os.close(file)


def _opened(path: Path) -> int:
    # To read suffices for a lock: whoever made the file, others can stand in line too.
    try:
        return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:  # a full disk, for one
        raise OperationalError(str(error)) from error


def _lock(path: Path, ends: float) -> int:
    file = _opened(path)
    try:
        while not _has_taken(file):
            if time.monotonic() > ends:
                raise OperationalError("database is locked")
            time.sleep(LOOK_EVERY)
    except BaseException:
        os.close(file)
        raise
    return file


def _has_taken(file: int) -> bool:
    """Takes the file's lock unless another open file has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
