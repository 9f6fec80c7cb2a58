"""All the invitations that a filter of the list finds, and not only those that it shows, resent or
revoked together (rule I10): by the worker, a chunk at a time, each by the rules of one."""

from datetime import datetime
from typing import Any

from webapp import clock, outbox
from webapp.actions import invitations, selections
from webapp.actions.audit import record
from webapp.database import locked, transaction
from webapp.errors import NotAllowed
from webapp.models import Account, Invitation, Membership, OutboxMessage
from webapp.models.asked import Asked
from webapp.models.people_queries import holding, in_status
from webapp.permissions import INVITE, may

VERBS = {"resend": selections.resend, "revoke": selections.revoke}
# So few that nobody who writes meanwhile has to wait for long.
CHUNK = 100


def found(account: Account, asked: Asked, at: datetime) -> Any:
    """Those that were there at that instant and still wait: pending, expired or refused."""
    i = Invitation
    query = i.select(i.id).where(
        i.account == account,
        i.status == "pending",
        i.created_at <= at,
        in_status(asked.status, at),
    )
    if asked.inviter:
        query = query.where(i.inviter == asked.inviter)
    return holding(query, i, asked)


def begin(by: Membership, verb: str, asked: Asked) -> int:
    """Asks the worker for it; returns for how many. NotAllowed when the person may not."""
    with transaction():
        account = invitations.locked_account(by)
        if verb == "resend":
            invitations.ask_to_invite(by)
        elif not may(Membership.get_by_id(by.id), INVITE):
            raise NotAllowed("role")
        now = clock.now()
        count = int(found(account, asked, now).count())
        if count:
            shown = {name: value for name, value in asked.shown.items() if name != "sort"}
            wanted = {"verb": verb, "by": by.id, "asked": shown, "at": now.isoformat()}
            outbox.write("matching", {**wanted, "after": 0})
            record(by, f"matching:{verb}", f"account:{account.id}", count=count)
    return count


def go_on(message_id: int) -> bool:
    """The next chunk, and a message for the one that follows. What was searched for is forgotten
    in the same transaction, so that a message that comes again finds nothing left to do."""
    with transaction():
        message: OutboxMessage = locked(
            OutboxMessage.select().where(OutboxMessage.id == message_id)
        ).get()
        wanted = message.payload
        if "asked" not in wanted:
            return False
        OutboxMessage.update(payload={"verb": wanted["verb"]}).where(
            OutboxMessage.id == message.id
        ).execute()
        by: Membership | None = Membership.get_or_none(Membership.id == wanted["by"])
        if by is None or not may(by, INVITE):
            return False
        ids = _next(by.account, wanted)
        if ids and not _done(by, wanted["verb"], ids):
            return False
        if len(ids) == CHUNK:
            outbox.write("matching", {**wanted, "after": ids[-1]})
    return bool(ids)


def _next(account: Account, wanted: dict[str, Any]) -> list[int]:
    query = found(account, Asked(**wanted["asked"]), datetime.fromisoformat(wanted["at"]))
    query = query.where(Invitation.id > wanted["after"]).order_by(Invitation.id).limit(CHUNK)
    return [row[0] for row in query.tuples()]


def _done(by: Membership, verb: str, ids: list[int]) -> bool:
    """False when nothing more may be done: the plan has lapsed meanwhile."""
    try:
        VERBS[verb](by, ids)
    except NotAllowed:
        return False
    return True
