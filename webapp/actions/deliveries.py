"""What became of an invitation's mail (rule I11), and the link that it carries (rule J2)."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from webapp import clock
from webapp.database import as_instant, insert_rows, is_postgresql, locked, transaction
from webapp.models import (
    Account,
    DeliveryEvent,
    Invitation,
    InvitationLink,
    Membership,
    OutboxMessage,
    User,
)

# The mails that carry an invitation's link.
KINDS = ("mail:invitation", "mail:reminder")


@dataclass(frozen=True, slots=True)
class Drawn:
    """An invitation whose mail is being written, and the new token of its link; `is_member` says
    whether the person has an account already."""

    invitation: Invitation
    token: str
    is_member: bool


def draw_link(message: OutboxMessage) -> Drawn | None:
    """A new token for a mail that is being written: 256 random bits, of which only the SHA-256 is
    kept. None when nobody should get this mail any more. Committed before the mail leaves, so
    that a link that arrives is always known."""
    with transaction():
        query = Invitation.select().where(Invitation.id == message.invitation_id)
        return _draw(list(locked(query)), [message]).get(message.id)


def draw_links(messages: Sequence[OutboxMessage]) -> dict[int, Drawn]:
    """The same of several, by message id, without those that somebody else works on just now: who
    waits for none of many rows holds up nobody."""
    ids = [message.invitation_id for message in messages]
    query: Any = Invitation.select().where(Invitation.id.in_(ids)).order_by(Invitation.id)
    if is_postgresql():
        query = query.for_update("FOR NO KEY UPDATE SKIP LOCKED")
    with transaction():
        return _draw(list(query), messages)


def _draw(invitations: Sequence[Invitation], messages: Sequence[OutboxMessage]) -> dict[int, Drawn]:
    now = clock.now()
    live = {one.id: one for one in invitations if one.is_live(now)}
    if not live:
        return {}
    newest = _newest(live)
    members = _members({one.email for one in live.values()})
    drawn = {}
    for message in messages:
        invitation = live.get(message.invitation_id or 0)
        if invitation is not None and message.id >= newest[invitation.id]:
            is_member = invitation.email in members
            drawn[message.id] = Drawn(invitation, clock.new_token(), is_member)
    insert_rows(
        InvitationLink,
        ("token_hash", "invitation", "created_at"),
        [(_hash(one.token), one.invitation.id, as_instant(now)) for one in drawn.values()],
    )
    _bring(Account, "account", live.values())
    _bring(User, "inviter", live.values())
    return drawn


def _newest(invitations: Iterable[int]) -> dict[int, int]:
    """The latest mail that carries the link of each."""
    m = OutboxMessage
    query: Any = m.select(m.invitation, fn.MAX(m.id)).where(
        m.invitation.in_(list(invitations)), m.kind.in_(KINDS), m.canceled_at.is_null()
    )
    return defaultdict(int, query.group_by(m.invitation).tuples())


def _members(emails: Iterable[str]) -> set[str]:
    """Those of the addresses whose person has an account."""
    query: Any = Membership.select(User.email).join(User)
    found = query.where(User.email.in_(list(emails)), Membership.ended_at.is_null())
    return {row[0] for row in found.tuples()}


def _bring(model: Any, name: str, invitations: Collection[Invitation]) -> None:
    """What all of them refer to, read at once."""
    ids = {getattr(one, f"{name}_id") for one in invitations}
    found = {one.id: one for one in model.select().where(model.id.in_(ids))}
    for one in invitations:
        setattr(one, name, found[getattr(one, f"{name}_id")])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def note(
    message: OutboxMessage, delivery: str, words: str = "", next_try_at: datetime | None = None
) -> None:
    """What became of an invitation's mail, with the server's words. Where the invitation itself
    is concerned, an older mail says nothing about a newer one."""
    happened(message, delivery, words, next_try_at)
    show(message, delivery, words, next_try_at)


def happened(
    message: OutboxMessage, kind: str, words: str = "", next_try_at: datetime | None = None
) -> None:
    DeliveryEvent.create(
        invitation=message.invitation_id,
        message=message,
        kind=kind,
        words=words,
        at=clock.now(),
        next_try_at=next_try_at,
    )


def show(
    message: OutboxMessage, delivery: str, words: str = "", next_try_at: datetime | None = None
) -> None:
    Invitation.update(
        delivery=delivery, delivery_note=words, delivery_at=clock.now(), next_try_at=next_try_at
    ).where(Invitation.id == message.invitation_id, ~fn.EXISTS(_newer(message))).execute()


def _newer(message: OutboxMessage) -> Any:
    return OutboxMessage.select(OutboxMessage.id).where(
        OutboxMessage.invitation == message.invitation_id,
        OutboxMessage.kind.in_(KINDS),
        OutboxMessage.id > message.id,
        OutboxMessage.canceled_at.is_null(),
    )
