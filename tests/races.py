"""Many at once: real threads, each with a connection of its own, let go together."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from webapp.database import database


def race(runners: int, run: Callable[[int], Any]) -> list[Any]:
    """What `run(0)`, `run(1)` … returned or raised, in that order."""
    barrier = Barrier(runners)
    outcomes: list[Any] = [None] * runners

    def lane(at: int) -> None:
        with database.connection_context():
            barrier.wait(timeout=30)
            try:
                outcomes[at] = run(at)
            except Exception as error:
                outcomes[at] = error

    threads = [Thread(target=lane, args=(at,)) for at in range(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes
