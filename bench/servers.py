"""Programs that answer over HTTP, each in a gunicorn of its own with the Procfile's settings, and
what an answer costs them: the time that all their processes spent on a processor."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any

from tests.ports import free_port
from webapp.config import ROOT

# As in the Procfile; connections stay open, for contestants wait for their turn.
OPTIONS = ["--worker-class", "gthread", "--threads", "8", "--no-control-socket"]
OPTIONS += ["--keep-alive", "600"]
SECRET = "a key for benchmarks, long enough"


def spent(pid: int) -> int:
    """Nanoseconds, user and system, of all threads of a process (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns(~pid << 3 | 2)


class Server:
    """A started one; `ask` is a request on a connection that stays open."""

    def __init__(self, port: int, pids: list[int], name: str, headers: Mapping[str, str]) -> None:
        self.port, self.pids, self.name, self.headers = port, pids, name, dict(headers)
        self.connection = HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, path: str, **headers: str) -> tuple[int, bytes, Any]:
        """Status, body, headers."""
        self.connection.request("GET", path, headers={**self.headers, **headers})
        response = self.connection.getresponse()
        return response.status, response.read(), response.headers


@contextmanager
def started(
    program: str,
    python: Path,
    headers: Mapping[str, str] | None = None,
    workers: int = 1,
    **environment: str,
) -> Iterator[Server]:
    """`program` is "module:app", importable from the project's root."""
    port = free_port()
    name = f"bench-{port}"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [python, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *OPTIONS]
    command += ["--workers", str(workers), program]
    with tempfile.TemporaryFile() as log:
        settings = {**kept, "PGAPPNAME": name, **environment}
        master = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log)
        try:
            if not _answers(master, port):
                log.seek(0)
                raise RuntimeError(f"{program} did not start:\n{log.read().decode()}")
            yield Server(port, _children(master.pid), name, headers or {})
        finally:
            master.terminate()
            master.wait(timeout=30)


def _answers(master: "subprocess.Popen[bytes]", port: int) -> bool:
    """Once it does; False when it ended instead."""
    while master.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/nothing-is-here")
            connection.getresponse().read()
            return True
        except (ConnectionError, RemoteDisconnected):
            time.sleep(0.05)
        finally:
            connection.close()
    return False


def _children(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            parent = re.search(r"^PPid:\t(\d+)$", status.read_text(), re.MULTILINE)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent and int(parent[1]) == pid:
            found.append(int(status.parent.name))
    return sorted(found)
