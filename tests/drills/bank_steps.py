"""What the writers of the bank do, one step at a time, each chosen at random."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from peewee import IntegrityError

from tests.joined import make_invitation, make_person, shown_to
from tests.people import session_of
from webapp import clock
from webapp.actions import failed_refunds, invoices, joining, refunds, undo
from webapp.database import transaction
from webapp.errors import Stale
from webapp.handlers import Errand, rounds
from webapp.models import (
    Acceptance,
    Account,
    Invitation,
    Invoice,
    Membership,
    OutboxMessage,
    Refund,
    Settlement,
    SettlementShare,
    User,
)
from webapp.outbox import claiming
from webapp.payments.gateway import GatewayAway
from webapp.payments.simulated import SimulatedGateway, SimulatedPayment, faults
from webapp.smtp import Post

MONEY = ("refund", "credit")
FAULTS = ("never sent", "answer lost", "key forgotten", "error", "busy", "refused")
FATES = ("succeeds", "succeeds", "succeeds", "fails", "is canceled", "comes back")
DAY = date(2026, 11, 23)


class Writer:
    """One of several at once; `random` is its own."""

    def __init__(
        self, lane: int, random: Random, organisations: list[Account], seller: Membership
    ) -> None:
        self.random = random
        self._lane = lane
        self._organisations = organisations
        self._seller = seller
        self._made = 0
        self._deck: list[str] = []

    def step(self) -> tuple[str, Callable[[], Any]]:
        """The next thing to do, and its name: from a shuffled deck, so that each has its turn."""
        if not self._deck:
            self._deck = [name for name, cards in DECK.items() for _ in range(cards)]
            self.random.shuffle(self._deck)
        name = self._deck.pop()
        return name, getattr(self, name)

    def accept(self) -> None:
        self._made += 1
        paid = [self.random.randint(1, 40000) for _ in range(self.random.choice((1, 1, 2, 3)))]
        user = make_person(
            f"p{self._lane}-{self._made}@bank.example",
            *paid,
            **self._period(),
            gateway=self.random.choice(("simulated",) * 5 + ("none",)),
        )
        SimulatedPayment.update(fate=self.random.choice(FATES)).where(
            SimulatedPayment.reference.in_([one.reference for one in _payments(user)])
        ).execute()
        self._join(user)

    def join_anew(self) -> None:
        """Somebody who undid an acceptance."""
        undone = Acceptance.select().where(Acceptance.undone_at.is_null(False))
        acceptance = self._any(undone)
        if acceptance is not None:
            self._join(User.get_by_id(acceptance.user_id))

    def undo(self) -> None:
        acceptance = self._any(self._held())
        if acceptance is not None:
            undo.undo(User.get_by_id(acceptance.user_id), acceptance.id)

    def send_now(self) -> None:
        acceptance = self._any(self._held())
        if acceptance is not None:
            undo.send_now(User.get_by_id(acceptance.user_id), acceptance.id)

    def bill(self) -> None:
        self._made += 1
        days = {"issued_on": DAY, "due_on": DAY}
        total = self.random.randint(1, 20000)
        number = f"F-{self._lane}-{self._made}"
        invoices.add(self.random.choice(self._organisations), number, total_minor=total, **days)  # type: ignore[arg-type]

    def void(self) -> None:
        invoice = self._any(Invoice.select())
        if invoice is not None:
            invoices.void(Account.get_by_id(invoice.account_id), invoice.number)

    def pay(self) -> None:
        invoice = self._any(Invoice.select())
        if invoice is not None:
            invoices.mark_paid(Account.get_by_id(invoice.account_id), invoice.number)

    def leave(self) -> None:
        """A worker's errand, sometimes on a bad line."""
        claim = claiming.claim(MONEY)
        if claim is None:
            return
        if self.random.random() < 0.2:
            faults.ask_for("create_refund", self.random.choice(FAULTS))
        with Post() as post:
            rounds.carry_out(Errand(claim, post))

    def hear(self) -> None:
        """As a webhook does: of any refund, wanted or not, late or twice."""
        refund = self._any(Refund.select().where(Refund.gateway_reference.is_null(False)))
        for _ in range(self.random.choice((1, 2)) if refund else 0):
            refunds.follow(refund.id, SimulatedGateway())

    def reconcile(self) -> None:
        for one in list(refunds.underway().limit(20)):
            try:
                refunds.follow(one.id, SimulatedGateway())
            except GatewayAway:
                return

    def go_on(self) -> None:
        """One of the three ways on from a failure; a payout is paid."""
        refund = self._any(refunds.failed()) or self._any(refunds.payouts())
        if refund is None:
            return
        way = self.random.choice(("again", "by hand", "credit"))
        if way == "again":
            failed_refunds.try_again(self._seller, refund.id)
        elif way == "by hand":
            failed_refunds.pay_by_hand(self._seller, refund.id, "VIR", DAY)
        else:
            user = refund.share.settlement.acceptance.user
            failed_refunds.hand_over(user, session_of(user), refund.id)

    def _join(self, user: User) -> None:
        choice = self.random.choice(("refund", "credit"))
        invitation = _pending(user, self.random.choice(self._organisations))
        shown = shown_to(user, invitation)
        acceptance = joining.accept(invitation.id, session_of(user), choice, shown)
        if self.random.random() < 0.6:
            _shorten(acceptance, timedelta(seconds=self.random.random() * 2))

    def _held(self) -> Any:
        """Acceptances that can be undone; now and then, any."""
        if self.random.random() < 0.3:
            return Acceptance.select()
        return Acceptance.select().where(
            Acceptance.undone_at.is_null(), Acceptance.undo_until > clock.now()
        )

    def _period(self) -> dict[str, date]:
        today = clock.today("Europe/Paris")
        begins = today - timedelta(days=self.random.randint(0, 20))
        return {"period_start_on": begins, "period_end_on": today + timedelta(days=10)}

    def _any(self, query: Any) -> Any:
        """One of the latest, or of all."""
        model = query.model
        latest = query.order_by(model.id.desc()).limit(self.random.choice((5, 50, 500)))
        found = list(latest)
        return self.random.choice(found) if found else None


def _pending(user: User, organisation: Account) -> Invitation:
    """The person's invitation there: another writer's that was not answered yet, or a new one."""
    at = (Invitation.account == organisation) & (Invitation.email == user.email)
    pending: Invitation | None = Invitation.get_or_none(at, Invitation.status == "pending")
    try:
        return pending or make_invitation(user, organisation)
    except IntegrityError as error:
        raise Stale("invitation") from error


def _payments(user: User) -> Any:
    membership = user.membership()
    assert membership is not None
    return membership.account.payments


def _shorten(acceptance: Acceptance, hold: timedelta) -> None:
    """As if most of the undo window had gone by."""
    ends = clock.now() + hold
    with transaction():
        changed = (
            Acceptance.update(undo_until=ends)
            .where(
                Acceptance.id == acceptance.id,
                Acceptance.undone_at.is_null(),
                Acceptance.undo_until > ends,
            )
            .execute()
        )
        settlement = Settlement.get_or_none(Settlement.acceptance == acceptance)
        if not changed or settlement is None:
            return
        of = Refund.select().join(SettlementShare).where(SettlementShare.settlement == settlement)
        payloads = [{"refund_id": one.id} for one in of] or [{"settlement_id": settlement.id}]
        OutboxMessage.update(leaves_at=ends).where(
            OutboxMessage.kind.in_(MONEY), OutboxMessage.payload.in_(payloads)
        ).execute()


# How often each kind of step comes up.
DECK = {
    "accept": 4,
    "join_anew": 1,
    "undo": 3,
    "send_now": 2,
    "bill": 3,
    "void": 2,
    "pay": 1,
    "leave": 5,
    "hear": 4,
    "reconcile": 1,
    "go_on": 2,
}
