"""The real processes, started as the Procfile starts them, each in a group of its own; all of them
share their compiled templates."""

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.apps import compiled_templates

ROOT = Path(__file__).resolve().parent.parent
WORKER = "huey.bin.huey_consumer"
CONSUMER = ("webapp.worker.huey", "-m", "1", "-k", "thread", "-w", "2")


def environment(database_url: str, **settings: str) -> dict[str, str]:
    """Nothing of the tests' own settings reaches the processes."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "DATABASE_URL": database_url,
        "SECRET_KEY": "a key for tests, long enough",
        "PYTHONUNBUFFERED": "1",
        **settings,
    }


class Process:
    """A Python process; its output is read all the time and kept in `lines`."""

    def __init__(self, arguments: tuple[str, ...], env: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        if error is not None:
            print("".join(self.lines))

    def wait_for(self, words: str, seconds: float = 30) -> None:
        """Until the process has said `words`."""
        with self._said:
            if not self._said.wait_for(lambda: any(words in line for line in self.lines), seconds):
                raise TimeoutError(f"never said {words!r}:\n" + "".join(self.lines))

    @property
    def pids(self) -> list[int]:
        """Its own, and those of what it started."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(ProcessLookupError):
                if os.getpgid(int(name)) == self._process.pid:
                    found.append(int(name))
        return found

    def ask_to_stop(self) -> None:
        """As process managers do."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 60) -> int:
        """Until it has ended; returns its exit status."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL, to it and to whatever it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        self._reader.join(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()


def _sharing() -> tuple[str, str]:
    return str(Path(__file__).with_name("with_templates.py")), compiled_templates().directory


def start_worker(
    env: dict[str, str],
    lease: float | None = None,
    pace: float = 1,
    launcher: tuple[str, ...] = (),
) -> Process:
    """A worker that is ready. `lease` in seconds shortens how long a dead worker's claim is
    respected, for tests that kill one; it waits and tries again `pace` times as fast. `launcher`
    is a script, with arguments, that prepares the program."""
    if lease is None:
        process = Process((*_sharing(), *launcher, WORKER, *CONSUMER), env)
    else:
        script = str(Path(__file__).with_name("quick_worker.py"))
        quick = (*launcher, script, str(lease), str(pace))
        process = Process((*_sharing(), *quick, *CONSUMER), env)
    try:
        process.wait_for("Huey consumer started")
    except BaseException:
        process.kill()
        raise
    return process


def start_web(
    env: dict[str, str], port: int, launcher: tuple[str, ...] = (), workers: int = 1
) -> Process:
    """A web process that answers on 127.0.0.1:`port`; `launcher` as above."""
    program = (*_sharing(), *launcher, "gunicorn")
    arguments = (*program, "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread")
    more = ("--workers", str(workers), "--threads", "8", "--no-control-socket", "wsgi:app")
    process = Process((*arguments, *more), {**env, "PORT": str(port)})
    try:
        process.wait_for("Booting worker")
        _await_answer(f"http://127.0.0.1:{port}/healthz")
    except BaseException:
        process.kill()
        raise
    return process


def _await_answer(address: str, seconds: float = 20) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:  # not listening yet, or slow to answer
            pause.wait(0.1)
    raise TimeoutError(f"{address} never answered")
