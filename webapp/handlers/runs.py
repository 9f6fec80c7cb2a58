"""A run: mails of one kind that are written together, and leave one after the other, each marked
while the server thinks about the next one.

That is before the next one's content goes out: who is killed repeats one at most. What else there
is to write of them is written once, at the end; whoever finds a mark after a kill does that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask_mail import Message

from webapp.actions import deliveries, sent
from webapp.actions.deliveries import Drawn
from webapp.forms import Forms
from webapp.handlers import Errand, Handler
from webapp.outbox import Claim
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
        self._post, self._handler, self._finish = post, handler, finish
        drawn = deliveries.draw_links([one.message for one in claims])
        self._prepared = {
            claim.message.id: self._prepare(claim, drawn.get(claim.message.id), forms)
            for claim in claims
        }
        self._unmarked: Claim | None = None
        self._sent: list[Claim] = []

    def _prepare(self, claim: Claim, drawn: Drawn | None, forms: Forms) -> Prepared:
        mail = Prepared()
        try:
            self._handler(Errand(claim, mail, drawn, forms))
        except Exception as error:  # its own mail's affair, when that has its turn
            mail.error = error
        return mail

    def send(self, errand: Errand) -> bool:
        """The handler of each of them, in their order."""
        mail = self._prepared.pop(errand.message.id)
        if mail.error is not None:
            raise mail.error
        if mail.message is None or mail.moments is None:
            return False
        self._post.send(mail.message, Moments(mail.moments.may_begin, self._settle))
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
            self._sent.append(self._unmarked)
            self._unmarked = None
