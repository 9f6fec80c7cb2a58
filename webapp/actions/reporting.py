"""Reports of unwanted invitations (threat T11): the operator is told, and the organisation can't
write to that address any more. The organisation learns of a refusal, and not of the report."""

from contextlib import suppress
from typing import Any

from webapp import clock
from webapp.actions import invitations, operators, signed, throttle
from webapp.actions.audit import record
from webapp.actions.limits import DAY
from webapp.database import transaction
from webapp.errors import NotThere, Stale, TooMany
from webapp.models import Account, Invitation, Membership, User
from webapp.texts import cleaned_note

PURPOSE = "report"
MOST_WORDS = 500
# Of one invitation in a day, taken back and made again.
REPORTS = 5
AT_ONCE = 50


def token_of(invitation: Invitation) -> str:
    """For the address in the mail, and on the pages of whoever holds its link."""
    return signed.sign(invitation, PURPOSE)


def find(token: str) -> Invitation:
    """The invitation that the token was made for, or NotThere."""
    return signed.find(token, PURPOSE)


def report(token: str, words: str) -> Invitation:
    """Declines the invitation where it still waits, keeps its organisation from inviting the
    address again, and tells the operator. Again changes nothing. TooMany when it was taken back
    and made again too often."""
    found = find(token)
    if found.reported_at is None:
        throttle.count(f"report:{found.id}", REPORTS, DAY)
    with transaction():
        with suppress(Stale):  # answered meanwhile
            invitations.decline(found, "")
        changed = (
            Invitation.update(
                reported_at=clock.now(),
                report=cleaned_note(words, MOST_WORDS),
                report_seen_at=None,
            )
            .where(Invitation.id == found.id, Invitation.reported_at.is_null())
            .execute()
        )
        if changed:
            # Not under the invitation's name, where its organisation reads what happened.
            record(None, "report:made", f"report:{found.id}")
            _tell_operator(found)
    return find(token)


def take_back(token: str) -> Invitation:
    """It was a mistake: the organisation may invite the address again. The invitation stays
    declined. Again changes nothing."""
    found = find(token)
    with transaction():
        changed = (
            Invitation.update(reported_at=None, report="", report_seen_at=None)
            .where(Invitation.id == found.id, Invitation.reported_at.is_null(False))
            .execute()
        )
        if changed:
            record(None, "report:taken-back", f"report:{found.id}")
    return find(token)


def unseen() -> list[Invitation]:
    """The reports that the operator has not seen to, the oldest first."""
    query: Any = (
        Invitation.select(Invitation, Account, User)
        .join_from(Invitation, Account)
        .join_from(Invitation, User)
        .where(Invitation.reported_at.is_null(False), Invitation.report_seen_at.is_null())
        .order_by(Invitation.reported_at, Invitation.id)
    )
    return list(query.limit(AT_ONCE))


def count_unseen() -> int:
    reported = Invitation.reported_at.is_null(False) & Invitation.report_seen_at.is_null()
    return int(Invitation.select().where(reported).count())


def see_to(by: Membership, invitation_id: int) -> None:
    """The operator has seen to a report; what it stopped stays stopped. Again changes nothing;
    NotThere where nothing was reported."""
    reported = Invitation.get_or_none(
        (Invitation.id == invitation_id) & Invitation.reported_at.is_null(False)
    )
    if reported is None:
        raise NotThere("invitation")
    with transaction():
        changed = (
            Invitation.update(report_seen_at=clock.now())
            .where(Invitation.id == reported.id, Invitation.report_seen_at.is_null())
            .execute()
        )
        if changed:
            record(by, "report:seen", f"report:{reported.id}")


def _tell_operator(invitation: Invitation) -> None:
    """Once a day for each organisation: what else is reported of it stands on the same page."""
    try:
        throttle.count(f"reports:{invitation.account_id}", 1, DAY)
    except TooMany:
        return
    operators.tell("mail:reported", invitation_id=invitation.id)
