"""What the worker does for each kind of outbox message. Handlers are idempotent: a message may come
again after a crash."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from webapp import clock, mailer, outbox
from webapp.actions.deliveries import Drawn
from webapp.mailer import Letter
from webapp.models import OutboxMessage
from webapp.models.user import ERASED
from webapp.outbox import Claim
from webapp.smtp import Post

# A claim with less left than this is renewed before a mail's content goes out.
ROOM = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Errand:
    """A claimed message, the post that its mail would go by, and the link that it is to carry where
    that was drawn already."""

    claim: Claim
    post: Post
    drawn: Drawn | None = None

    @property
    def message(self) -> OutboxMessage:
        return self.claim.message

    def mail(self, letter: Letter) -> bool:
        if letter.to.endswith(ERASED):
            return False  # the person has had their data erased meanwhile
        self.post.send(mailer.compose(letter, self.message.id), self._may_begin)
        return True

    def _may_begin(self) -> bool:
        """Is the message still this worker's for as long as the server may take to answer?"""
        left = self.message.claimed_until - clock.now()
        return left > ROOM or outbox.renew(self.claim)


# Says whether anything was done; False: nobody wants it any more.
Handler = Callable[[Errand], bool]
