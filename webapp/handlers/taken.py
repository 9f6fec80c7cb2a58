"""Mails that the mail server took, remembered by this process from that moment on until the
database has it for good.

When the database goes away exactly between the two, its row says that the mail waits. Whoever
lives on marks it before anything is sent again, and sends it no more; a worker that is killed there
has it sent once more by another (docs/decisions/0019)."""

from collections.abc import Iterable

from flask import current_app

from webapp.actions import sent
from webapp.models import OutboxMessage
from webapp.outbox.claiming import Claim


class Taken:
    """Of one process, whose threads send side by side: each use is a single step on a dictionary,
    or on a copy of one."""

    def __init__(self) -> None:
        self._claims: dict[int, Claim] = {}
        self._marked: set[int] = set()

    def remember(self, claim: Claim) -> None:
        self._claims[claim.message.id] = claim

    def has(self, message: OutboxMessage) -> bool:
        return message.id in self._claims

    def marked(self, claim: Claim) -> None:
        """The database has it, perhaps not yet for good."""
        self._marked.add(claim.message.id)

    def forget(self, claim: Claim) -> None:
        """The database has it for good, or the message has ended otherwise."""
        self._claims.pop(claim.message.id, None)
        self._marked.discard(claim.message.id)

    def doubt(self) -> None:
        """The database went away: what it was told last it may have lost."""
        self._marked.clear()

    def tell(self) -> None:
        """Marks them, so that no other worker sends them either once a claim has ended."""
        for claim in self._unmarked():
            sent.mark(claim)
            self.marked(claim)

    def _unmarked(self) -> Iterable[Claim]:
        return [claim for id, claim in list(self._claims.items()) if id not in self._marked]


def taken() -> Taken:
    """This process's."""
    found: Taken = current_app.extensions.setdefault("taken", Taken())
    return found
