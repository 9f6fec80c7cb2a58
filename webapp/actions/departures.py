"""What it means to have left an organisation, for the person: read only (rule J16)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.models import Acceptance, Account, Membership, Settlement, User

# As long as this the person's own page tells what became of the organisation.
TOLD_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Departure:
    """`choice` is how the unused part was settled at joining, "" if nothing was; until
    `undo_until` joining itself can still be undone (rule J14)."""

    organisation: Account
    at: datetime
    choice: str
    undo_until: datetime | None


def of(membership: Membership, now: datetime) -> Departure:
    """The end of one membership in an organisation."""
    acceptance: Acceptance | None = Acceptance.get_or_none(
        (Acceptance.membership == membership) & Acceptance.undone_at.is_null()
    )
    choice, undo_until = "", None
    if acceptance is not None:
        settlement = Settlement.get_or_none(Settlement.acceptance == acceptance)
        choice = settlement.choice if settlement is not None else ""
        undo_until = acceptance.undo_until if acceptance.is_held(now) else None
    return Departure(membership.account, membership.ended_at, choice, undo_until)


def latest(user: User, now: datetime) -> Departure | None:
    """The organisation that the person left last, or was removed from, some weeks ago at most; not
    one that they only undid joining."""
    undone = Acceptance.select(Acceptance.membership).where(
        Acceptance.user == user, Acceptance.undone_at.is_null(False)
    )
    found: Membership | None = (
        Membership.select(Membership, Account)
        .join(Account)
        .where(
            Membership.user == user,
            Membership.ended_at > now - TOLD_FOR,
            Account.kind == "organisation",
            Membership.id.not_in(undone),
        )
        .order_by(Membership.ended_at.desc(), Membership.id.desc())
        .first()
    )
    return None if found is None else of(found, now)
