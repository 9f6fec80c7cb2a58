"""What the worker does for each kind of outbox message. Handlers are idempotent: a message may come
again after a crash."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

from flask_mail import Message

from webapp import clock, mailer
from webapp.actions.deliveries import Drawn
from webapp.forms import Forms
from webapp.handlers.taken import taken
from webapp.mailer import Letter
from webapp.models import OutboxMessage
from webapp.models.user import is_erased
from webapp.outbox import claiming
from webapp.outbox.claiming import Claim
from webapp.smtp_line import Moments

# A claim with less left than this is renewed before a mail's content goes out.
ROOM = timedelta(seconds=45)


class Way(Protocol):
    """How a mail leaves: the post, or whoever sends it a little later."""

    def send(self, message: Message, moments: Moments) -> None: ...


@dataclass(frozen=True, slots=True)
class Errand:
    """A claimed message, how its mail would leave, the link that it is to carry where that
    was drawn already, and the forms of what is written together with it."""

    claim: Claim
    post: Way
    drawn: Drawn | None = None
    forms: Forms | None = None

    @property
    def message(self) -> OutboxMessage:
        return self.claim.message

    def mail(self, letter: Letter) -> bool:
        if is_erased(letter.to):
            return False  # the person has had their data erased meanwhile
        moments = Moments(self._may_begin, taken=partial(taken().remember, self.claim))
        self.post.send(mailer.compose(letter, self.message.id, self.forms), moments)
        return True

    def _may_begin(self) -> bool:
        """Is the message still this worker's for as long as the server may take to answer?"""
        left = self.message.claimed_until - clock.now()
        return left > ROOM or claiming.renew(self.claim)


# Says whether anything was done; False: nobody wants it any more.
Handler = Callable[[Errand], bool]
