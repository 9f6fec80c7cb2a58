"""A month of a seller's business: people in three currencies who joined with refund or credit,
and every way in which that ended. All of it goes through the actions, so that ledger and statements
say the same."""

import csv
import hashlib
import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.failed import failed_refund
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import make_account, make_user
from tests.people import session_of
from webapp import clock as clocks
from webapp.actions import failed_refunds, invoices, refunds, settlements, undo
from webapp.models import Account, Refund, Settlement, Statement, User
from webapp.payments.simulated import SimulatedGateway

GATEWAY = SimulatedGateway()
HOSTILE = "=cmd|'/C calc'!A1"


@dataclass(frozen=True)
class Books:
    """`people` by how it ended; `organisation` got the credits, `elsewhere` one of its own."""

    people: dict[str, User]
    organisation: Account
    elsewhere: Account
    finance: User
    operator: User

    def settlement(self, ending: str) -> Settlement:
        found: Settlement = (
            Settlement.select()
            .where(Settlement.account == self.people[ending].acceptances.get().closed_account)
            .get()
        )
        return found


def make_books(clock: Any) -> Books:
    """On the day of ACCEPTED, and in the minutes after it."""
    organisation = make_owned("Société d'affrètement, « Dumas & fils »", public_id="dumas0000000")
    elsewhere = make_owned("Maison Petit", currency="JPY")
    people = {
        "arrived": _refunded(make_person("arrived@example.org"), organisation, clock),
        "asked": _refunded(make_person("bhd@example.org", 187_399, currency="BHD"), organisation),
        "failed": failed_refund("failed@example.org", organisation)[0],
        "handed over": _handed_over(organisation),
        "undone refund": _undone(organisation, "refund"),
        "undone credit": _undone(organisation, "credit"),
        "available": _available("=ann@example.org", organisation),
        "elsewhere": _available("jpy@example.org", elsewhere, 18_739, currency="JPY"),
        # The last one, so that it is held still.
        "held": make_person("held@example.org"),
    }
    join(people["held"], organisation, "refund")
    User.update(name=HOSTILE).where(User.id == people["available"].id).execute()
    invoices.add(organisation, "F-7", issued_on=None, due_on=None, total_minor=3000)
    finance = make_user("finance@dumas.example", organisation, is_finance=True)
    operator = make_user("seller@example.org", make_account("operator", "Seller"))
    return Books(people, organisation, elsewhere, finance, operator)


def read_csv(text: str) -> list[dict[str, str]]:
    """Strictly, as RFC 4180 has it, with the mark in front."""
    assert text.startswith("\ufeff")
    assert text.count("\n") == text.count("\r\n") == text.count("\r")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def render_all(but: str = "") -> None:
    """Stands in for the worker: only what is inside matters here, and rendering takes long."""
    wanted = Statement.select(Statement.id, Statement.number).where(Statement.number != but)
    for one in wanted:
        content = f"%PDF {one.number}".encode()
        Statement.update(
            pdf=content, sha256=hashlib.sha256(content).hexdigest(), rendered_at=clocks.now()
        ).where(Statement.id == one.id).execute()


def _refunded(user: User, organisation: Account, clock: Any = None) -> User:
    """Asked of the gateway; with a clock, until it arrived."""
    acceptance = join(user, organisation, "refund")
    undo.send_now(user, acceptance.id)
    (share,) = settlement_of(acceptance).shares
    refund = Refund.get(Refund.share == share)
    refunds.request(refund.id, GATEWAY)
    if clock is not None:
        clock.shift(timedelta(seconds=30))
        refunds.follow(refund.id, GATEWAY)
    return user


def _handed_over(organisation: Account) -> User:
    user, refund = failed_refund("handed@example.org", organisation)
    failed_refunds.hand_over(user, session_of(user), refund.id)
    return user


def _undone(organisation: Account, choice: str) -> User:
    user = make_person(f"undone-{choice}@example.org")
    undo.undo(user, join(user, organisation, choice).id)
    return user


def _available(email: str, organisation: Account, *paid: int, **fields: Any) -> User:
    user = make_person(email, *paid, **fields)
    acceptance = join(user, organisation, "credit")
    undo.send_now(user, acceptance.id)
    settlements.release(settlement_of(acceptance).id)
    return user
