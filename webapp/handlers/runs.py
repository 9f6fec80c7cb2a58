"""A run: mails of one kind that leave one after the other, each written while the server reads the
one before, and marked while it thinks about the one after.

A mail is marked before the next one's content goes out: who is killed repeats one at most. What
else there is to tell of them is told once, at the end; whoever finds a mark after a kill does that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from flask_mail import Message

from webapp.actions import deliveries, sent
from webapp.forms import Forms
from webapp.handlers import Errand, Handler
from webapp.handlers.taken import taken
from webapp.outbox.claiming import Claim
from webapp.smtp import Post
from webapp.smtp_line import Moments


@dataclass(slots=True)
class Prepared:
    """A mail as its handler would have sent it; without one nobody wants it, or it could not be
    written."""

    message: Message | None = None
    moments: Moments | None = None
    error: Exception | None = None

    def send(self, message: Message, moments: Moments) -> None:
        self.message, self.moments = message, moments


class Run:
    """Of claimed messages, all of one kind, to be ended when no more of it is sent. `finish` marks
    one that was not sent after all."""

    def __init__(
        self,
        claims: Sequence[Claim],
        post: Post,
        handler: Handler,
        finish: Callable[[Claim, bool], object],
        forms: Forms,
    ) -> None:
        self._post, self._handler, self._finish, self._forms = post, handler, finish, forms
        self._drawn = deliveries.draw_links([one.message for one in claims])
        self._after = {one.message.id: following for one, following in pairwise(claims)}
        self._prepared: dict[int, Prepared] = {}
        self._unmarked: Claim | None = None
        self._sent: list[Claim] = []

    def send(self, errand: Errand) -> bool:
        """The handler of each of them, in their order."""
        message_id = errand.message.id
        self._prepare(errand.claim)
        mail = self._prepared.pop(message_id)
        if mail.error is not None:
            raise mail.error
        if mail.message is None or mail.moments is None:
            return False
        following = self._after.get(message_id)
        meanwhile = (lambda: None) if following is None else (lambda: self._prepare(following))
        moments = replace(mail.moments, first=self._settle, meanwhile=meanwhile)
        self._post.send(mail.message, moments)
        return True

    def finish(self, claim: Claim, done: bool) -> None:
        """What was sent is marked a little later."""
        self._settle()
        if done:
            self._unmarked = claim
        else:
            self._finish(claim, done)

    def end(self) -> list[Claim]:
        """Those that were sent, now that all of that is written; the disk has it with the last of
        them."""
        self._settle()
        sent.tell(self._sent)
        return self._sent

    def _settle(self) -> None:
        """Marks what was sent. Again changes nothing."""
        if self._unmarked is not None:
            sent.mark(self._unmarked)
            taken().marked(self._unmarked)
            self._sent.append(self._unmarked)
            self._unmarked = None

    def _prepare(self, claim: Claim) -> None:
        """Writes its mail, unless that was done."""
        if claim.message.id in self._prepared:
            return
        mail = self._prepared[claim.message.id] = Prepared()
        try:
            self._handler(Errand(claim, mail, self._drawn.get(claim.message.id), self._forms))
        except Exception as error:  # its own mail's affair, when that has its turn
            mail.error = error
