"""The mail of an invitation has left: what outbox.mark_left and deliveries.note would do, in as few
steps as the engine allows. It happens once for every mail, and the query builder takes longer for
it than the database."""

from webapp import clock
from webapp.database import (
    as_instant,
    by_our_names,
    database,
    is_postgresql,
    unhurried_transaction,
)
from webapp.outbox import Claim

# An older mail says nothing about a newer one: deliveries.KINDS are those that carry the link.
_SHOW = """
UPDATE invitation
SET delivery = 'sent', delivery_note = '', delivery_at = :at, next_try_at = NULL
WHERE id = :invitation AND NOT EXISTS (
    SELECT 1 FROM outbox_message newer
    WHERE newer.invitation_id = invitation.id AND newer.id > :message
    AND newer.kind IN ('mail:invitation', 'mail:reminder') AND newer.canceled_at IS NULL
)"""
_LEAVE = """
UPDATE outbox_message SET claim = NULL, claimed_until = NULL, left_at = :at, error = ''
WHERE id = :message AND claim = :claim"""
_TELL = """
INSERT INTO delivery_event (invitation_id, message_id, kind, words, at)
VALUES (:invitation, :message, 'sent', '', :at)"""

# One statement, and so a transaction by itself, which asks by itself not to be waited for.
_AT_ONCE = """
WITH mine AS (
    UPDATE outbox_message
    SET claim = NULL, claimed_until = NULL, left_at = %(at)s, error = ''
    WHERE id = %(message)s AND claim = %(claim)s
    AND set_config('synchronous_commit', 'off', true) = 'off'
    RETURNING id, invitation_id
), told AS (
    INSERT INTO delivery_event (invitation_id, message_id, kind, words, at)
    SELECT invitation_id, id, 'sent', '', %(at)s FROM mine
)
UPDATE invitation
SET delivery = 'sent', delivery_note = '', delivery_at = %(at)s, next_try_at = NULL
FROM mine
WHERE invitation.id = mine.invitation_id AND NOT EXISTS (
    SELECT 1 FROM outbox_message newer
    WHERE newer.invitation_id = invitation.id AND newer.id > mine.id
    AND newer.kind IN ('mail:invitation', 'mail:reminder') AND newer.canceled_at IS NULL
)"""


def mark(claim: Claim) -> None:
    """Committed before the disk has it. Nothing when the lease had ended and somebody else took the
    message over."""
    facts = {
        "at": as_instant(clock.now()),
        "message": claim.message.id,
        "invitation": claim.message.invitation_id,
        "claim": claim.token,
    }
    if is_postgresql():
        with by_our_names:
            database.cursor().execute(_AT_ONCE, facts)
        return
    with unhurried_transaction(), by_our_names:
        cursor = database.cursor()
        if cursor.execute(_LEAVE, facts).rowcount:
            cursor.execute(_TELL, facts)
            cursor.execute(_SHOW, facts)
