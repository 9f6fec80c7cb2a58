"""A PostgreSQL server of our own on a temporary folder, from the system's binaries."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.ports import free_port


def binaries() -> Path:
    """The folder of initdb and postgres. Raises RuntimeError when there is none."""
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name)
    on_path = shutil.which("initdb")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    for folder in reversed(candidates):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise RuntimeError("PostgreSQL's initdb was not found: `make test` installs it")


@contextmanager
def temporary_server() -> Iterator[str]:
    """Yields `postgresql://…/postgres`; the server ends with the block. Its files need no safety
    from power cuts. They are not in pytest's own folder, which every pytest of root closes to the
    user that the server runs as."""
    with running_server() as server:
        yield server.url


@contextmanager
def running_server(home: str | None = None) -> Iterator["Server"]:
    """As above, a server that can be stopped and started; its files are below `home`."""
    with tempfile.TemporaryDirectory(prefix="affluent-postgresql-", dir=home) as folder:
        server = Server(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


# Nothing in a test has to outlive a power cut.
HASTY = ("fsync=off", "full_page_writes=off", "max_connections=200")


class Server:
    """PostgreSQL on a folder of its own, or one that was a server's before; `url` stays the same
    when it is started anew."""

    def __init__(self, folder: Path, settings: tuple[str, ...] = HASTY) -> None:
        self._folder, self._programs, self._port = folder, binaries(), free_port()
        self._settings = settings
        self._owner = owner_of(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://affluent@127.0.0.1:{self._port}/postgres"
        words = ["-U", "affluent", "-A", "trust", "-E", "UTF8", "-N"]
        if (folder / "data" / "PG_VERSION").exists():
            return
        subprocess.run(
            [self._programs / "initdb", "-D", folder / "data", *words],
            check=True,
            capture_output=True,
            **self._owner,
        )

    def start(self) -> None:
        own = ("listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}")
        options = [part for setting in (*self._settings, *own) for part in ("-c", setting)]
        program = [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self._port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*program, *options], stdout=log, stderr=log, **self._owner
            )
        wait_for(self._programs, self._port, self._process)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGTERM lets sessions end, SIGINT ends them ("fast"), SIGQUIT asks nobody and leaves the
        rest to recovery ("immediate"). Again changes nothing."""
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(timeout=30)
        self._process = None


def owner_of(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as the system's user for it."""
    if os.geteuid() != 0:
        return {}
    name = next(n for n in ("postgres", "nobody") if _known(n))
    shutil.chown(folder, name)
    return {"user": name, "cwd": str(folder)}


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def wait_for(programs: Path, port: int, server: subprocess.Popen[bytes]) -> None:
    ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
    for _ in range(300):
        if subprocess.run(ready).returncode == 0:
            return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("the PostgreSQL server did not start")
