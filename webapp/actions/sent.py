"""Mails of invitations that have left in a run: each is marked by itself, in one row and no index,
and what claiming.mark_left and deliveries.note would do follows for all of them at once."""

from collections.abc import Sequence

from webapp import clock
from webapp.database import as_instant, database, is_postgresql, transaction, unhurried_transaction
from webapp.models.written import change, fetch_all, ids_given, is_given, locking
from webapp.outbox.claiming import Claim

_MARK = "UPDATE outbox_message SET sent_at = ? WHERE id = ? AND claim = ?"
# A transaction by itself, which asks by itself not to be waited for.
_AT_ONCE = f"{_MARK} AND set_config('synchronous_commit', 'off', true) = 'off'"

_THEIRS = "SELECT id FROM invitation WHERE id {} ORDER BY id"
_LEAVE = """
UPDATE outbox_message SET claim = NULL, claimed_until = NULL, left_at = sent_at, error = ''
WHERE id {} AND claim = ? AND sent_at IS NOT NULL RETURNING id"""
_TELL = """
INSERT INTO delivery_event (invitation_id, message_id, kind, words, at)
SELECT invitation_id, id, 'sent', '', sent_at FROM outbox_message WHERE id {} ORDER BY id"""
# An older mail says nothing about a newer one: deliveries.KINDS are those that carry the link.
_SHOW = """
UPDATE invitation
SET delivery = 'sent', delivery_note = '', delivery_at = mine.sent_at, next_try_at = NULL
FROM outbox_message mine
WHERE mine.id {} AND invitation.id = mine.invitation_id AND NOT EXISTS (
    SELECT 1 FROM outbox_message newer
    WHERE newer.invitation_id = invitation.id AND newer.id > mine.id
    AND newer.kind IN ('mail:invitation', 'mail:reminder') AND newer.canceled_at IS NULL
)"""


def mark(claim: Claim) -> None:
    """The server has taken it: nobody sends it again. Committed before the disk has it. Nothing
    when the lease had ended and somebody else took the message over."""
    values = (as_instant(clock.now()), claim.message.id, claim.token)
    if is_postgresql():
        change(_AT_ONCE, *values)
        return
    with unhurried_transaction():
        database.cursor().execute(_MARK, values)


def tell(claims: Sequence[Claim]) -> None:
    """They have left, with all that is known of their invitations. Of those that were marked, and
    that nobody else took over; claims of one run have one token."""
    if not claims:
        return
    token, ids = claims[0].token, [claim.message.id for claim in claims]
    invitations = {claim.message.invitation_id or 0 for claim in claims}
    with transaction():
        # In the order of ids, as whoever changes many of them does.
        fetch_all(locking(_THEIRS.format(is_given())), ids_given(invitations))
        left = [row[0] for row in fetch_all(_LEAVE.format(is_given()), ids_given(ids), token)]
        change(_TELL.format(is_given()), ids_given(left))
        change(_SHOW.format(is_given()), ids_given(left))
