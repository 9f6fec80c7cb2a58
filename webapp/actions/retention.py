"""What is not kept for ever (docs/personal-data.md): for a periodic task that several workers may
run at once, and again at any time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from webapp.actions import forgetting
from webapp.database import locked, transaction
from webapp.models import Invitation, KeptMail, OutboxMessage, Session, SignInCode
from webapp.models.user import ERASED

LASTS = timedelta(days=30)
# Long enough to find out afterwards why a mail did not arrive.
ERRORS_LAST = timedelta(days=90)
CODES_LAST = timedelta(days=2)
# One transaction each: nobody waits for the lock of a long one.
AT_ONCE = 500


def forget_old(now: datetime) -> dict[str, int]:
    """How many of each were forgotten."""
    return {
        "invitations": _forget_invitations(now),
        "sessions": _delete(Session, _is_over(now)),
        "codes": _delete(SignInCode, SignInCode.expires_at < now - CODES_LAST),
        "mails": _delete(KeptMail, KeptMail.kept_at < now - LASTS),
        "errors": _blank_errors(now),
    }


def _forget_invitations(now: datetime) -> int:
    """Whoever was invited is nobody's business 30 days after the invitation's end: its answer, its
    withdrawal, or the end of its link. A reported one goes on keeping its address from being
    invited again, as the person asked."""
    i, before = Invitation, now - LASTS
    ended = ((i.status != "pending") & (i.answered_at < before)) | (
        (i.status == "pending") & (i.expires_at < before)
    )
    old = ended & i.reported_at.is_null() & ~i.email.endswith(ERASED)
    total = 0
    for ids in _batches(i, old):
        with transaction():
            # A link may have been sent anew meanwhile.
            query = locked(i.select(i.id).where(i.id.in_(ids), old).order_by(i.id))
            still = [row.id for row in query]
            forgetting.invitations(still, now)
        total += len(still)
    return total


def _is_over(now: datetime) -> Any:
    before = now - LASTS
    return (Session.expires_at < before) | (Session.ended_at < before)


def _blank_errors(now: datetime) -> int:
    """The words of mail servers, of messages that are done."""
    m, before = OutboxMessage, now - ERRORS_LAST
    old = ((m.left_at < before) | (m.canceled_at < before)) & (m.error != "")
    return sum(m.update(error="").where(m.id.in_(ids), old).execute() for ids in _batches(m, old))


def _delete(model: Any, old: Any) -> int:
    return sum(
        model.delete().where(model.id.in_(ids), old).execute() for ids in _batches(model, old)
    )


def _batches(model: Any, old: Any) -> Iterator[list[int]]:
    """The ids of those that are old, in one passage through the table."""
    after = 0
    while True:
        query = model.select(model.id).where(model.id > after, old).order_by(model.id)
        ids = [row[0] for row in query.limit(AT_ONCE).tuples()]
        if not ids:
            return
        yield ids
        after = ids[-1]
