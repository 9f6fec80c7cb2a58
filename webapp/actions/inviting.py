"""Writing many invitations at once: a row, a mail and an audit event each, in a few statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from peewee import fn

from webapp import outbox
from webapp.actions.audit import record_sent
from webapp.database import as_instant, insert_rows
from webapp.models import Invitation, Membership
from webapp.texts import cleaned, cleaned_note, folded

OWN = ("email", "name", "department", "job_title", "location", "note", "locale", "licence",
       "is_admin", "is_finance", "folded")  # fmt: skip
DEFAULTS = {"status": "pending", "decline_reason": "", "delivery": "queued", "delivery_note": "",
            "report": ""}  # fmt: skip
COLUMNS = (*OWN, "account", "inviter", "created_at", "delivery_at", "expires_at", "remind_at",
           *DEFAULTS)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """What the invited people get, and what the mail says."""

    licence: str = "basic"
    role: str = "member"
    locale: str = "fr"
    name: str = ""
    department: str = ""
    job_title: str = ""
    location: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One person to invite: the address in its one form."""

    email: str
    name: str
    offer: Offer


def write_all(by: Membership, asked: Sequence[Asked], now: datetime) -> list[Invitation]:
    """Pending invitations with their mails, in the order asked. Call inside a transaction that has
    locked the account, with addresses that have none: nobody writes another one in between."""
    written = write(by, asked, now)
    return list(Invitation.select().where(written).order_by(Invitation.id))


def write(by: Membership, asked: Sequence[Asked], now: datetime) -> Any:
    """The same for thousands; returns the condition that names the invitations."""
    of_now = (Invitation.account == by.account_id) & (Invitation.created_at == now)
    before = Invitation.select(fn.MAX(Invitation.id)).where(of_now).scalar() or 0
    insert_rows(Invitation, COLUMNS, _rows(by, asked, now))
    # The account is locked, so that these are all of them.
    written = of_now & (Invitation.id > before)
    outbox.write_all("mail:invitation", written)
    record_sent(written)
    return written


def _rows(by: Membership, asked: Sequence[Asked], now: datetime) -> list[tuple[Any, ...]]:
    account, expires_at = by.account, now + by.account.invitations_live
    remind_at = next(iter(account.reminders(now, expires_at)), None)
    same = {
        "account": by.account_id,
        "inviter": by.user_id,
        "created_at": as_instant(now),
        "delivery_at": as_instant(now),
        "expires_at": as_instant(expires_at),
        "remind_at": remind_at and as_instant(remind_at),
        **DEFAULTS,
    }
    return [_own(one) + tuple(same.values()) for one in asked]


def _own(asked: Asked) -> tuple[Any, ...]:
    """The values of OWN."""
    offer = asked.offer
    name = asked.name or cleaned(offer.name, 100)
    department = cleaned(offer.department, 100)
    return (
        *(asked.email, name, department),
        *(cleaned(offer.job_title, 100), cleaned(offer.location, 100)),
        *(_note(offer.note), offer.locale, offer.licence),
        *(offer.role == "admin", offer.role == "finance", folded(name, asked.email, department)),
    )


@lru_cache(maxsize=8)
def _note(text: str) -> str:
    """Everybody of a file gets the same one."""
    return cleaned_note(text, 1000)
