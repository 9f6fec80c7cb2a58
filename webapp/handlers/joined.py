"""The mail to a person who joined: what happened, and the statement (rule J12)."""

from typing import Any

from flask_mail import Attachment

from webapp import clock
from webapp.actions import departures, outcomes, statements
from webapp.handlers import Errand
from webapp.mailer import Letter, unlinked
from webapp.models import (
    Acceptance,
    Membership,
    Payment,
    Settlement,
    SettlementShare,
    Statement,
    User,
)


def accepted(errand: Errand) -> bool:
    acceptance = Acceptance.get_or_none(Acceptance.id == errand.message.payload["acceptance_id"])
    if acceptance is None or acceptance.undone_at is not None:
        return False
    user: User = acceptance.user
    settlement = Settlement.get_or_none(Settlement.acceptance == acceptance)
    statement = None if settlement is None else _statement(settlement, user)
    facts = {
        "name": unlinked(user.name),
        "organisation": unlinked(acceptance.organisation.name),
        "email": user.email,
        "has_password": user.password_hash is not None,
        "accepted_at": acceptance.accepted_at,
        "arrival": outcomes.arrival(acceptance),
        "held_until": _held_until(acceptance),
        "settlement": settlement,
        "routes": [] if settlement is None else _routes(settlement),
        "statement": statement,
    }
    attachments = () if statement is None else (_attached(statement),)
    return errand.mail(Letter("accepted", user.email, user.locale, facts, attachments))


def undone(errand: Errand) -> bool:
    """To the person who took joining back (rule J14)."""
    acceptance = Acceptance.get_or_none(Acceptance.id == errand.message.payload["acceptance_id"])
    if acceptance is None or acceptance.undone_at is None:
        return False
    user: User = acceptance.user
    settlement = Settlement.get_or_none(Settlement.acceptance == acceptance)
    statement = None if settlement is None else _statement(settlement, user, cancelling=True)
    facts = {
        "name": unlinked(user.name),
        "organisation": unlinked(acceptance.organisation.name),
        "undone_at": acceptance.undone_at,
        "statement": statement,
    }
    attachments = () if statement is None else (_attached(statement),)
    return errand.mail(Letter("undone", user.email, user.locale, facts, attachments))


def departed(errand: Errand) -> bool:
    """To the person who left an organisation or was removed: what they own now (rule J16)."""
    payload = errand.message.payload
    membership = Membership.get_or_none(Membership.id == payload["membership_id"])
    if membership is None or membership.ended_at is None:
        return False
    user: User = membership.user
    departure = departures.of(membership, clock.now())
    facts = {
        "name": unlinked(user.name),
        "email": user.email,
        "organisation": unlinked(departure.organisation.name),
        "at": departure.at,
        "is_removed": payload["is_removed"],
        "choice": departure.choice,
        "undo_until": departure.undo_until,
    }
    return errand.mail(Letter("departed", user.email, user.locale, facts))


def _held_until(acceptance: Acceptance) -> Any:
    held = acceptance.undo_until > acceptance.accepted_at
    return acceptance.undo_until if held else None


def _routes(settlement: Settlement) -> list[dict[str, Any]]:
    """What goes back to which payment method; nothing by name where it is paid out by hand."""
    shares = (
        SettlementShare.select(SettlementShare, Payment)
        .join(Payment)
        .where(SettlementShare.settlement == settlement)
        .order_by(SettlementShare.id)
    )
    return [
        {
            "amount": share.gross_minor,
            "method": unlinked(share.payment.method),
            "by_hand": share.payment.gateway == "none",
        }
        for share in shares
    ]


def _statement(settlement: Settlement, user: User, cancelling: bool = False) -> Statement | None:
    """The person's own, or the one that cancels it; rendered if it was not yet."""
    found: Statement | None = (
        Statement.select()
        .where(
            Statement.settlement == settlement,
            Statement.user == user,
            Statement.kind == settlement.choice,
            Statement.corrects.is_null(not cancelling),
        )
        .first()
    )
    if found is not None:
        statements.render(found.id)
        found = Statement.get_by_id(found.id)
    return found


def _attached(statement: Statement) -> Attachment:
    content = bytes(statement.pdf or b"")
    return Attachment(f"{statement.number}.pdf", "application/pdf", content)
