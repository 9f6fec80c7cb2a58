"""Processes held to a part of one processor by Linux's control groups, so that each of them is what
limits its work, however many of them and of whatever else share the machine's processors."""

import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
# Microseconds: short, so that an answer that waits for its turn waits briefly.
PERIOD = 20_000


class Share:
    """A group; what it holds may spend `part` of a processor, until that is lifted, and gets that
    before what else runs."""

    def __init__(self, part: float) -> None:
        """Raises OSError where no groups may be made: this needs Linux and root."""
        # Groups of the first version have a folder for each thing that they limit.
        each = ROOT / "cpu"
        self._is_first = each.exists()
        self.folder = Path(
            tempfile.mkdtemp(prefix="affluent-", dir=each if self._is_first else ROOT)
        )
        quota = int(part * PERIOD)
        if self._is_first:
            self._write("cpu.cfs_period_us", str(PERIOD))
            self._write("cpu.cfs_quota_us", str(quota))
            self._write("cpu.shares", "10240")
        else:
            self._write("cpu.max", f"{quota} {PERIOD}")
            self._write("cpu.weight", "1000")

    def hold(self, pids: Iterable[int]) -> None:
        for pid in pids:
            self._write("cgroup.procs", str(pid))

    def lift(self) -> None:
        name, free = ("cpu.cfs_quota_us", "-1") if self._is_first else ("cpu.max", "max")
        self._write(name, free)

    def remove(self) -> None:
        """Once its processes have ended; the kernel forgets them a moment later."""
        for _ in range(100):
            with suppress(OSError):
                self.folder.rmdir()
                return
            threading.Event().wait(0.02)

    def _write(self, name: str, value: str) -> None:
        with (self.folder / name).open("w") as file:
            file.write(value)


@contextmanager
def shares(number: int, part: float) -> Iterator[list[Share]]:
    """For the whole life of what is held; none where there can be none."""
    made: list[Share] = []
    try:
        with suppress(OSError):
            made = [Share(part) for _ in range(number)]
        yield made
    finally:
        for one in made:
            one.remove()
