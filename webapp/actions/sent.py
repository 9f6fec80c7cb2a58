"""The mail of an invitation has left: what outbox.mark_left and deliveries.note would do, in as few
steps as the engine allows. It happens once for every mail, and the query builder takes longer for
it than the database."""

from webapp import clock
from webapp.actions.deliveries import KINDS
from webapp.database import as_instant, database, is_postgresql, unhurried_transaction
from webapp.outbox import Claim

_KINDS = ", ".join(f"'{kind}'" for kind in KINDS)
_LEFT = "UPDATE outbox_message SET claim = NULL, claimed_until = NULL, left_at = {at}, error = ''"
_EVENT = "INSERT INTO delivery_event (invitation_id, message_id, kind, words, at)"
_SHOWN = (
    "UPDATE invitation SET delivery = 'sent', delivery_note = '', delivery_at = {at},"
    " next_try_at = NULL"
)
# An older mail says nothing about a newer one.
_NEWEST = (
    "NOT EXISTS (SELECT 1 FROM outbox_message newer WHERE newer.invitation_id = invitation.id"
    f" AND newer.kind IN ({_KINDS}) AND newer.id > {{message}} AND newer.canceled_at IS NULL)"
)

# One statement is a transaction by itself, which asks by itself not to be waited for.
_POSTGRESQL = " ".join(
    (
        "WITH mine AS (",
        _LEFT.format(at="%(at)s"),
        "WHERE id = %(message)s AND claim = %(claim)s",
        "AND set_config('synchronous_commit', 'off', true) = 'off'",
        "RETURNING id, invitation_id), event AS (",
        _EVENT,
        "SELECT invitation_id, id, 'sent', '', %(at)s FROM mine)",
        _SHOWN.format(at="%(at)s"),
        "FROM mine WHERE invitation.id = mine.invitation_id AND",
        _NEWEST.format(message="mine.id"),
    )
)
_SQLITE = (
    f"{_LEFT.format(at=':at')} WHERE id = :message AND claim = :claim",
    f"{_EVENT} VALUES (:invitation, :message, 'sent', '', :at)",
    f"{_SHOWN.format(at=':at')} WHERE id = :invitation AND {_NEWEST.format(message=':message')}",
)


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
        database.cursor().execute(_POSTGRESQL, facts)
        return
    with unhurried_transaction():
        cursor = database.cursor()
        if cursor.execute(_SQLITE[0], facts).rowcount:
            cursor.execute(_SQLITE[1], facts)
            cursor.execute(_SQLITE[2], facts)
