"""What a work is measured with."""

from dataclasses import dataclass, field

from bench import databases
from bench.servers import Server, spent

# Answers in a round: long enough for the clock, short enough that rounds meet the same machine.
ANSWERS = 10


@dataclass
class Setting:
    """`at` is where PostgreSQL answers, empty for SQLite. `notes` are sentences for the page."""

    engine: str
    at: str
    users: int
    rounds: int
    notes: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[self.engine]

    def database(self, users: int | None = None) -> str:
        return databases.prepared(self.at, users or self.users)

    def asking(self, server: Server, path: str, wanted: bytes = b"", **headers: str) -> "Asking":
        return Asking(self, server, path, wanted, headers)


class Asking:
    """A contestant that answers a path; refuses to measure what is not the answer."""

    def __init__(
        self, setting: Setting, server: Server, path: str, wanted: bytes, headers: dict[str, str]
    ) -> None:
        self.setting, self.server, self.path, self.headers = setting, server, path, headers
        for _ in range(3 * ANSWERS):
            status, body, _rest = server.ask(path, **headers)
        if status not in (200, 304) or wanted not in body:
            raise RuntimeError(f"{path} answered {status}: {body[:400]!r}")
        self.status, self.body = status, body

    def __call__(self) -> int:
        """Nanoseconds for one answer, of the web process and of PostgreSQL's for it."""
        before = self._spent()
        for _ in range(ANSWERS):
            self.server.ask(self.path, **self.headers)
        # A connection that was opened meanwhile began at nothing.
        return sum(after - before.get(pid, 0) for pid, after in self._spent().items()) // ANSWERS

    def _spent(self) -> dict[int, int]:
        backends = databases.backends(self.setting.at, self.server.name)
        return {pid: spent(pid) for pid in (*self.server.pids, *backends)}
