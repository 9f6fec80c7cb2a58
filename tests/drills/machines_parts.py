"""nginx, PgBouncer, Redis, and PostgreSQL with a synchronous standby, all on the loopback address,
set up by the files of docs/machines and docs/examples with other addresses and folders."""

import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.databases import connected
from tests.ports import free_port
from tests.postgresql import binaries, owner_of, wait_for
from tests.processes import ROOT

RECIPE = ROOT / "docs" / "machines"
PROGRAMS = ("nginx", "pgbouncer", "redis-server")
PASSWORD = secrets.token_urlsafe(16)


def missing() -> list[str]:
    """What to install before this can be done."""
    named = [name for name in PROGRAMS if program(name) is None]
    with suppress(RuntimeError):
        if (binaries() / "pg_basebackup").exists():
            return named
    return [*named, "postgresql"]


def program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def adapted(name: str, other: dict[str, str]) -> str:
    """A file of the recipe with other addresses."""
    text = (RECIPE / name).read_text()
    for ours, theirs in other.items():
        assert ours in text, f"{name} has no {ours}"
        text = text.replace(ours, theirs)
    return text


@contextmanager
def running(command: list[Any], log: Path, **owner: Any) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, **owner)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT if "postgres" in str(command[0]) else signal.SIGTERM)
            process.wait(30)


def until(is_so: Callable[[], Any], what: str, seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        threading.Event().wait(0.05)


class Cluster:
    """One PostgreSQL server of two; `url` leads to it past its PgBouncer."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.port, self.bouncer_port = free_port(), free_port()
        self.folder, self.data = folder, folder / "data"
        self.owner = owner_of(folder)
        self.url = f"postgresql://affluent@127.0.0.1:{self.port}/affluent"
        self.server: subprocess.Popen[bytes] | None = None
        self.bouncer: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        self._do("initdb", "-D", self.data, "-U", "affluent", "-A", "trust", "-E", "UTF8")
        settings = adapted("postgresql.conf", {"'*'": "'127.0.0.1'"})
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"{settings}\nunix_socket_directories = ''\n")

    def copy_of(self, primary: "Cluster") -> None:
        """As the recipe says it; the name is the one that the primary waits for."""
        source = f"host=127.0.0.1 port={primary.port} user=affluent application_name=standby"
        self._do("pg_basebackup", "-d", source, "-D", self.data, "-R", "-X", "stream", "-c", "fast")

    @contextmanager
    def started(self) -> Iterator[None]:
        postgres = binaries() / "postgres"
        command = [postgres, "-D", self.data, "-p", str(self.port)]
        with running(command, self.folder / "log", **self.owner) as process:
            self.server = process
            wait_for(binaries(), self.port, process)
            yield

    def kill(self, leave_bouncer: bool = False) -> None:
        """The machine is gone, with its PgBouncer, or PostgreSQL alone is."""
        gone = [self.server] if leave_bouncer else [self.server, self.bouncer]
        for process in filter(None, gone):
            process.kill()
            process.wait(10)

    def promote(self) -> None:
        self._do("pg_ctl", "promote", "-w", "-D", self.data)
        self.tell_bouncer("RECONNECT affluent")

    def tell_bouncer(self, command: str) -> None:
        """As its administrator; nothing where there is none, or it is gone."""
        if self.bouncer is None or self.bouncer.poll() is not None:
            return
        address = ["-h", "127.0.0.1", "-p", str(self.bouncer_port), "-U", "affluent", "pgbouncer"]
        env = {**os.environ, "PGPASSWORD": PASSWORD}
        asked = [binaries() / "psql", *address, "-c", command]
        # SHUTDOWN ends the connection by which it was asked, and psql with it.
        subprocess.run(asked, env=env, check=command != "SHUTDOWN", capture_output=True)

    def ask(self, *statements: str, database: str = "affluent") -> Any:
        """The first row of the last one."""
        with connected(self.url.rpartition("/")[0] + "/" + database) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchone() if cursor.description else None

    def _do(self, name: str, *arguments: Any) -> None:
        subprocess.run(
            [binaries() / name, *arguments], check=True, capture_output=True, **self.owner
        )

    @contextmanager
    def bounced(self) -> Iterator[None]:
        """Its PgBouncer."""
        users = self.folder / "userlist.txt"
        users.write_text(f'"affluent" "{PASSWORD}"\n')
        ini = self.folder / "pgbouncer.ini"
        ini.write_text(
            adapted("pgbouncer.ini", {
                "listen_addr = 10.0.0.21": "listen_addr = 127.0.0.1",
                "listen_port = 6432": f"listen_port = {self.bouncer_port}\nunix_socket_dir =",
                "port=5432": f"port={self.port}",
                "/etc/pgbouncer/userlist.txt": str(users),
            })
        )  # fmt: skip
        command = [program("pgbouncer"), ini]
        with running(command, self.folder / "pgbouncer.log", **self.owner) as process:
            self.bouncer = process
            yield


def replicated(primary: Cluster, standby: Cluster) -> Iterator[None]:
    """The two, with a commit on the first waiting for the second."""
    primary.create()
    with primary.started():
        primary.ask("CREATE DATABASE affluent", database="postgres")
        standby.copy_of(primary)
        with standby.started():
            primary.ask("ALTER SYSTEM SET synchronous_standby_names = 'standby'",
                        "SELECT pg_reload_conf()")  # fmt: skip
            state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
            until(lambda: primary.ask(state) == (1,), "the standby follows")
            yield


@contextmanager
def in_front(folder: Path, port: int, webs: list[int]) -> Iterator[None]:
    """nginx, without TLS and its certificate, on a port that the application's address names."""
    servers = "\n".join(f"server 127.0.0.1:{web} max_fails=3 fail_timeout=2s;" for web in webs)
    site = adapted("../examples/nginx.conf", {
        "server 127.0.0.1:8000 max_fails=3 fail_timeout=2s;": servers,
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port};",
        "    ssl_certificate /etc/ssl/affluent/cert.pem;\n": "",
        "    ssl_certificate_key /etc/ssl/affluent/key.pem;\n": "",
        "/var/log/nginx/": f"{folder}/",
        "-Host $host;": "-Host $http_host;",
        " Host $host;": " Host $http_host;",
    })  # fmt: skip
    own = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{own}{site}}}\n"
    )
    with running([program("nginx"), "-p", folder, "-c", conf], folder / "nginx.said"):
        yield


@contextmanager
def queueing(folder: Path) -> Iterator[str]:
    """Redis, which keeps nothing on the disk: a nudge that is lost costs seconds."""
    port = free_port()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with running([*command, "--dir", folder], folder / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"
