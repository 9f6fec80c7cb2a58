"""What became of an invitation's mail (rule I11), and the link that it carries (rule J2)."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from webapp import clock
from webapp.database import as_instant, insert_rows, is_postgresql, transaction
from webapp.models import (
    Account,
    DeliveryEvent,
    Invitation,
    InvitationLink,
    OutboxMessage,
    User,
)
from webapp.models.written import fetch_all, fetch_of, ids_given, is_given

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
    return _draw([message], "FOR NO KEY UPDATE").get(message.id)


def draw_links(messages: Sequence[OutboxMessage]) -> dict[int, Drawn]:
    """The same of several, by message id, without those that somebody else works on just now: who
    waits for none of many rows holds up nobody."""
    return _draw(messages, "FOR NO KEY UPDATE SKIP LOCKED")


def _draw(messages: Sequence[OutboxMessage], locking: str) -> dict[int, Drawn]:
    now = clock.now()
    ids = {message.invitation_id or 0 for message in messages}
    with transaction():
        found = fetch_of(Invitation, ids, f"ORDER BY id {locking if is_postgresql() else ''}")
        live = {one.id: one for one in found if one.is_live(now)}
        if not live:
            return {}
        newest, members = _newest(live), _members(live)
        drawn = {}
        for message in messages:
            id = message.invitation_id or 0
            if id in live and message.id >= newest.get(id, 0):
                drawn[message.id] = Drawn(live[id], clock.new_token(), id in members)
        insert_rows(
            InvitationLink,
            ("token_hash", "invitation", "created_at"),
            [(_hash(one.token), one.invitation.id, as_instant(now)) for one in drawn.values()],
        )
        _bring(Account, "account", live.values())
        _bring(User, "inviter", live.values())
    return drawn


def _newest(invitations: Collection[int]) -> dict[int, int]:
    """The latest mail that carries the link of each."""
    rows = fetch_all(
        f"""
        SELECT invitation_id, MAX(id) FROM outbox_message
         WHERE invitation_id {is_given()} AND kind IN (?, ?)
           AND canceled_at IS NULL GROUP BY invitation_id
        """,  # nosec B608 # question marks
        ids_given(invitations),
        *KINDS,
    )
    return dict(rows)


def _members(invitations: Collection[int]) -> set[int]:
    """Those of the invitations whose person has an account already."""
    rows = fetch_all(
        f"""
        SELECT invitation.id FROM invitation
          JOIN user_ ON user_.email = invitation.email
          JOIN membership ON membership.user_id = user_.id AND membership.ended_at IS NULL
         WHERE invitation.id {is_given()}
        """,  # nosec B608 # question marks
        ids_given(invitations),
    )
    return {id for (id,) in rows}


def _bring(model: Any, name: str, invitations: Collection[Invitation]) -> None:
    """What all of them refer to, read at once."""
    ids = {getattr(one, f"{name}_id") for one in invitations}
    found = {one.id: one for one in fetch_of(model, ids)}
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
