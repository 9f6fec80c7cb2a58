"""Writing many invitations at once: a row, a mail and an audit event each, in a few statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp import outbox
from webapp.actions.audit import record_all
from webapp.models import Invitation, Membership
from webapp.texts import cleaned, cleaned_note, folded

# As many at a time as an engine takes parameters for.
CHUNK = 500


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


def already_asked(account_id: int, emails: Sequence[str]) -> set[str]:
    """Those of the addresses that have a pending invitation from this account."""
    found: set[str] = set()
    for start in range(0, len(emails), CHUNK):
        pending: Any = Invitation.select(Invitation.email).where(
            Invitation.account == account_id,
            Invitation.status == "pending",
            Invitation.email.in_(emails[start : start + CHUNK]),
        )
        found.update(row[0] for row in pending.tuples())
    return found


def write_all(by: Membership, asked: Sequence[Asked], now: datetime) -> list[Invitation]:
    """Pending invitations with their mails, in the order asked. Call inside a transaction that has
    locked the account, with addresses that have none: nobody writes another one in between."""
    return [
        invitation
        for start in range(0, len(asked), CHUNK)
        for invitation in _write(by, asked[start : start + CHUNK], now)
    ]


def _write(by: Membership, asked: Sequence[Asked], now: datetime) -> Iterable[Invitation]:
    rows = [_fields(by, one, now) for one in asked]
    inserted = Invitation.insert_many(rows).returning(Invitation).execute()
    by_email: dict[str, Invitation] = {one.email: one for one in inserted}
    written = [by_email[one.email] for one in asked]
    outbox.write_all("mail:invitation", [({"invitation_id": one.id}, one) for one in written])
    record_all(by, "invitation:sent", [f"invitation:{one.id}" for one in written])
    return written


def _fields(by: Membership, asked: Asked, now: datetime) -> dict[str, Any]:
    offer, expires_at = asked.offer, now + by.account.invitations_live
    name = asked.name or cleaned(offer.name, 100)
    department = cleaned(offer.department, 100)
    return {
        "account": by.account_id,
        "email": asked.email,
        "name": name,
        "department": department,
        "job_title": cleaned(offer.job_title, 100),
        "location": cleaned(offer.location, 100),
        "note": cleaned_note(offer.note, 1000),
        "locale": offer.locale,
        "licence": offer.licence,
        "is_admin": offer.role == "admin",
        "is_finance": offer.role == "finance",
        "folded": folded(name, asked.email, department),
        "inviter": by.user_id,
        "created_at": now,
        "delivery_at": now,
        "expires_at": expires_at,
        "remind_at": next(iter(by.account.reminders(now, expires_at)), None),
    }
