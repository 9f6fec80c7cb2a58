"""A PostgreSQL server of our own on a temporary folder, from the system's binaries."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    with (
        tempfile.TemporaryDirectory(prefix="affluent-postgresql-") as folder,
        server_in(Path(folder), "fsync=off", "full_page_writes=off", "max_connections=200") as url,
    ):
        yield url


@contextmanager
def server_in(folder: Path, *settings: str) -> Iterator[str]:
    """The same on a folder that may have been a server's before."""
    programs, port = binaries(), free_port()
    owner = _owner(folder)
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "affluent", "-A", "trust", "-E", "UTF8", "-N"],
            check=True,
            capture_output=True,
            **owner,
        )
    settings += ("listen_addresses=127.0.0.1", f"unix_socket_directories={folder}")
    options = [part for setting in settings for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), *options],
            stdout=log,
            stderr=log,
            **owner,
        )
    try:
        _wait(programs, port, server)
        yield f"postgresql://affluent@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _owner(folder: Path) -> dict[str, str]:
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


def _wait(programs: Path, port: int, server: subprocess.Popen[bytes]) -> None:
    ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
    for _ in range(300):
        if subprocess.run(ready).returncode == 0:
            return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("the PostgreSQL server did not start")
