"""A hypothesis state machine: people are invited, join, undo, leave, are billed and paid, time goes
by, requests and workers break off in the middle; after every step the database is what a plain
model says (`life_model.py`).

`python -m tests.drills.life --examples 2000 --steps 50 --seed 1` tells so many lives."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.apps import make_app
from tests.databases import empty, fresh_sqlite
from tests.drills.bank import NEVER, fresh_database
from tests.drills.breaking import Broken, breaking
from tests.drills.life_model import (
    HOME,
    SEATS,
    Acceptance,
    Invitation,
    Invoice,
    Model,
    Payment,
    Person,
    Refund,
)
from tests.drills.life_seen import Seen, seen
from tests.effects import carry_out
from tests.failed import seller
from tests.joined import make_owned, make_person, shown_to
from tests.money import ACCEPTED
from tests.people import session_of, viewer_of
from webapp import clock, mailer, models, outbox
from webapp.actions import (
    accounts,
    failed_refunds,
    following,
    invitations,
    invoices,
    joining,
    ledger,
    members,
    undo,
)
from webapp.actions.previews import preview
from webapp.database import database, open_database
from webapp.errors import DomainError
from webapp.handlers import money
from webapp.models import people
from webapp.payments.gateway import GatewayAway
from webapp.payments.simulated import SimulatedPayment, SimulatedRefund, events, faults

ORGANISATIONS = 2
MOST_PEOPLE = 8
KINDS = ("refund", "credit", "follow", "mail:invitation")
# Where a request breaks off, inside its transaction, at the n-th time that it comes there.
PLACES = (
    "webapp.actions.ledger:post",
    "webapp.actions.series:take",
    "webapp.outbox:write",
    "webapp.actions.settlements:settle",
    "webapp.actions.credit:pay",
    "webapp.actions.charging:resume",
)
# Where a worker breaks off, its claim standing until it ends by itself.
WORKER_PLACES = (
    "webapp.actions.refunds:_begin",
    "webapp.actions.ledger:post",
    "webapp.actions.refunds:_record",
    "webapp.actions.credit:open_lot",
    "webapp.outbox.claiming:mark_left",
    "webapp.payments.simulated.gateway:SimulatedGateway.create_refund",
    "webapp.smtp:Post.send",
)
FAULTS = ("never sent", "answer lost", "key forgotten", "busy")

amounts = st.integers(1, 40_000)
choices = st.sampled_from(("refund", "credit"))
breaks = st.none() | st.tuples(st.sampled_from(PLACES), st.integers(1, 3))
picks = st.integers(0, 10_000)
times = st.integers(1, 3)
pauses = st.sampled_from((timedelta(hours=25), timedelta(0), timedelta(hours=2)))
plans = st.tuples(
    st.lists(amounts, min_size=0, max_size=3, unique=True),
    st.sampled_from(("succeeds", "succeeds", "fails", "none")),
    st.sampled_from(("EUR", "EUR", "EUR", "USD")),
)


class Life(RuleBasedStateMachine):
    """One example. `fresh` makes an empty database; rows stand in `found` by what they are in the
    model."""

    fresh: ClassVar[Callable[[], None]]
    app: ClassVar[Flask]
    told: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.travels = time_machine.travel(ACCEPTED, tick=False)
        self.traveller = self.travels.__enter__()
        type(self).fresh()
        self.model = Model(clock.now(), ORGANISATIONS)
        self.found: dict[Any, Any] = {}
        self.organisations = [
            make_owned(f"Organisation {at}", seats=SEATS) for at in range(ORGANISATIONS)
        ]
        self.seller = seller()

    def teardown(self) -> None:
        try:
            assert ledger.check() == []
            self._check_readers()
            for sentence, query in NEVER.items():
                assert database.execute_sql(query).fetchall() == [], sentence
            aside = models.OutboxMessage.quarantined_at.is_null(False)
            assert [one.error for one in models.OutboxMessage.select().where(aside)] == []
        finally:
            self.travels.__exit__(None, None, None)
            self.told["lives"] += 1

    # Steps

    @initialize(plans=st.lists(plans, min_size=3, max_size=3))
    def begin(self, plans: list[tuple[list[int], str, str]]) -> None:
        for plan in plans:
            self.arrive(plan)

    @precondition(lambda self: len(self.model.people) < MOST_PEOPLE)
    @rule(plan=plans)
    def arrive(self, plan: tuple[list[int], str, str]) -> None:
        (paid, fate, currency), at = plan, len(self.model.people)
        email, today = f"p{at}@life.example", clock.today("Europe/Paris")
        ends = today + timedelta(days=20)
        user = _payer(email, paid, fate, currency, ends) if paid else _free(email, currency)
        person = self.model.arrive(currency, ends, [Payment(minor, fate) for minor in paid])
        account = user.membership().account
        self.found[person], self.found[person, "account"] = user, account
        rows = account.payments.order_by(models.Payment.id)
        for payment, row in zip(person.payments, rows, strict=True):
            self.found[payment] = row.id
        self.told["arrive"] += 1

    @precondition(lambda self: self.model.people)
    @rule(
        to=st.integers(0, ORGANISATIONS - 1),
        pick=picks,
        licence=st.sampled_from(("basic", "licensed")),
        broken=breaks,
    )
    def invite(self, to: int, pick: int, licence: str, broken: Any) -> None:
        self._invite(to, _of(self.model.people, pick), licence, broken)

    def _invite(self, to: int, person: Person, licence: str, broken: Any) -> None:
        by = self._owner(to)
        offer = invitations.Offer(licence=licence)

        def invite() -> str:
            rows = preview(self.organisations[to], self.found[person].email).ready
            if not rows:
                return "not ready"
            (made,) = invitations.invite(by, rows, offer).invitations
            self.found[len(self.model.invitations)] = made.id
            return ""

        if self._try("invite", broken, invite, lambda: self.model.invite(to, person, licence)):
            made = self.found.pop(len(self.model.invitations) - 1)
            self.found[self.model.invitations[-1]] = made

    @precondition(lambda self: self.model.invitations)
    @rule(pick=picks, broken=breaks)
    def resend(self, pick: int, broken: Any) -> None:
        one, by = self._invitation(pick)
        self._try(
            "resend",
            broken,
            lambda: invitations.resend(by, self.found[one]),
            lambda: self.model.resend(one),
        )

    @precondition(lambda self: self.model.invitations)
    @rule(pick=picks, status=st.sampled_from(("revoked", "declined")), broken=breaks)
    def end(self, pick: int, status: str, broken: Any) -> None:
        one, by = self._invitation(pick)
        id = self.found[one]

        def end() -> None:
            if status == "revoked":
                invitations.revoke(by, id)
            else:
                invitations.decline(models.Invitation.get_by_id(id), "")

        self._try(status, broken, end, lambda: self.model.end(one, status))

    @precondition(lambda self: self.model.payers())
    @rule(to=st.integers(0, ORGANISATIONS - 1), pick=picks, choice=choices, is_sent=st.booleans())
    def join(self, to: int, pick: int, choice: str, is_sent: bool) -> None:
        """Somebody with a plan, in one go, for all that may come after."""
        person = _of(self.model.payers(), pick)
        self._invite(to, person, "basic", None)
        pending = self.model.pending(to, person)
        if not pending:
            return
        before = len(self.model.acceptances)
        self._accept(pending[0], choice, None)
        if is_sent and len(self.model.acceptances) > before:
            self.send_now(1, None)

    @precondition(lambda self: self.model.invitations)
    @rule(pick=picks, choice=choices, broken=breaks)
    def accept(self, pick: int, choice: str, broken: Any) -> None:
        self._accept(self._invitation(pick)[0], choice, broken)

    def _accept(self, one: Invitation, choice: str, broken: Any) -> None:
        user = self.found[one.person]

        def accept() -> None:
            row = models.Invitation.get_by_id(self.found[one])
            shown = shown_to(user, row)
            accepted = joining.accept(row.id, session_of(user), choice, shown)
            # A second press finds what the first one did.
            assert joining.accept(row.id, session_of(user), choice, shown) == accepted

        before = len(self.model.acceptances)
        self._try("accept", broken, accept, lambda: self.model.accept(one, choice))
        if len(self.model.acceptances) > before:
            made = models.Acceptance.get(models.Acceptance.invitation == self.found[one])
            self.found[self.model.acceptances[-1]] = made.id

    @precondition(lambda self: self.model.acceptances)
    @rule(pick=picks, broken=breaks)
    def undo(self, pick: int, broken: Any) -> None:
        one = _of(self.model.acceptances, pick)
        self._try(
            "undo",
            broken,
            lambda: undo.undo(self.found[one.person], self.found[one]),
            lambda: self.model.undo(one),
        )

    @precondition(lambda self: self.model.acceptances)
    @rule(pick=picks, broken=breaks)
    def send_now(self, pick: int, broken: Any) -> None:
        one = _of(self.model.acceptances, pick)
        self._try(
            "send now",
            broken,
            lambda: undo.send_now(self.found[one.person], self.found[one]),
            lambda: self.model.send_now(one),
        )

    @precondition(lambda self: self.model.people)
    @rule(pick=picks, is_removed=st.booleans(), broken=breaks)
    def leave(self, pick: int, is_removed: bool, broken: Any) -> None:
        person = _of(self.model.people, pick)
        member = self.found[person].membership()

        def leave() -> None:
            if is_removed and person.place.where != HOME:
                owner = viewer_of(self._owner(person.place.where).user)
                members.remove(owner, member.id, members.standing(member))
            else:
                members.leave(viewer_of(self.found[person]), member.id)

        self._try("leave", broken, leave, lambda: self.model.leave(person))

    @rule(to=st.integers(0, ORGANISATIONS - 1), total=amounts, broken=breaks)
    def bill(self, to: int, total: int, broken: Any) -> None:
        number = f"F-{models.Invoice.select().count()}"
        day = clock.today("Europe/Paris")
        account = self.organisations[to]
        if self._try(
            "bill",
            broken,
            lambda: invoices.add(account, number, issued_on=day, due_on=day, total_minor=total),
            lambda: self.model.bill(to, total),
        ):
            self.found[self.model.organisations[to].invoices[-1]] = (account, number)

    @precondition(lambda self: self.model.people)
    @rule(pick=picks, total=amounts, is_paid=st.sampled_from((True, True, False)), broken=breaks)
    def owe(self, pick: int, total: int, is_paid: bool, broken: Any) -> None:
        person = _of(self.model.people, pick)
        number = f"F-{models.Invoice.select().count()}"
        account = self.found[person, "account"]
        if self._try(
            "owe",
            broken,
            lambda: invoices.add(account, number, issued_on=None, due_on=None, total_minor=total),
            lambda: self.model.owe(person, total),
        ):
            self.found[person.invoices[-1]] = (account, number)
            if is_paid:
                self._pay(person.invoices[-1], None)

    @precondition(lambda self: self.model.invoices())
    @rule(pick=picks, broken=breaks)
    def pay(self, pick: int, broken: Any) -> None:
        self._pay(_of(self.model.invoices(), pick), broken)

    def _pay(self, one: Invoice, broken: Any) -> None:
        self._try(
            "pay",
            broken,
            lambda: invoices.mark_paid(*self.found[one]),
            lambda: self.model.pay(one),
        )

    @precondition(lambda self: self.model.invoices())
    @rule(pick=picks, broken=breaks)
    def void(self, pick: int, broken: Any) -> None:
        one = _of(self.model.invoices(), pick)
        self._try(
            "void",
            broken,
            lambda: invoices.void(*self.found[one]),
            lambda: self.model.void(one),
        )

    @precondition(lambda self: self.model.invitations)
    @rule(pick=picks, choice=choices, stays=st.sampled_from((False, False, False, True)))
    def lapse(self, pick: int, choice: str, stays: bool) -> None:
        """The organisation's plan ends, somebody presses, and it mostly begins again."""
        one = _of(self.model.invitations, pick)
        self._renew(one.organisation, "lapsed")
        self.accept(pick, choice, None)
        self.resend(pick, None)
        if not stays:
            self._renew(one.organisation, "active")

    @precondition(lambda self: not all(one.is_active for one in self.model.organisations))
    @rule()
    def renew(self) -> None:
        for at in range(ORGANISATIONS):
            self._renew(at, "active")

    def _renew(self, to: int, plan: str) -> None:
        accounts.update_organisation(self.organisations[to].public_id, plan=plan)
        self.model.organisations[to].is_active = plan == "active"
        self.told[plan] += 1

    @precondition(lambda self: self._refunds())
    @rule(pick=picks, way=st.sampled_from(("again", "by hand", "credit")), broken=breaks)
    def go_on(self, pick: int, way: str, broken: Any) -> None:
        acceptance, refund = _of(self._refunds(), pick)
        row = self._row_of(acceptance, refund)
        user = self.found[acceptance.person]

        def go_on() -> None:
            if way == "again":
                failed_refunds.try_again(self.seller, row)
            elif way == "by hand":
                day = date(2026, 11, 20)
                failed_refunds.pay_by_hand(self.seller, row, "VIR-7", day)
            else:
                failed_refunds.hand_over(user, session_of(user), row)

        self._try(f"go on: {way}", broken, go_on, lambda: self.model.go_on(acceptance, refund, way))

    @precondition(lambda self: SimulatedRefund.select().exists())
    @rule(pick=picks, kind=st.sampled_from(("good", "twice", "forged")))
    def webhook(self, pick: int, kind: str) -> None:
        """Nothing more than a hint, whatever it is of."""
        refund = _of(list(SimulatedRefund.select().order_by(SimulatedRefund.id)), pick)
        body, headers = events.signed(events.refund_event(refund), self.app.config["SETTINGS"])
        if kind == "forged":
            body = body.replace(b"succeeded", b"failed") + b" "
        for _ in range(2 if kind == "twice" else 1):
            answer = self.app.test_client().post(events.ADDRESS, data=body, headers=headers)
            assert answer.status_code == (400 if kind == "forged" else 200)
        self.told[f"webhook: {kind}"] += 1

    @rule(
        by=st.sampled_from(
            (
                timedelta(seconds=25),
                timedelta(minutes=90),
                timedelta(hours=12),
                timedelta(hours=25),
                timedelta(hours=3),
                timedelta(hours=25),
                timedelta(days=8),
                timedelta(days=31),
            )
        )
    )
    def tick(self, by: timedelta) -> None:
        self._go_by(by)
        self.told["tick"] += 1

    @precondition(lambda self: self.model.is_waiting())
    @rule(after=pauses)
    def work(self, after: timedelta) -> None:
        self._go_by(after)
        self._work()
        self.model.work()
        self.told["work"] += 1

    @precondition(lambda self: self.model.is_waiting())
    @rule(after=pauses, place=st.sampled_from(WORKER_PLACES), time=times, is_over=st.booleans())
    def crash(self, after: timedelta, place: str, time: int, is_over: bool) -> None:
        """A worker breaks off; another goes on when its claims have ended."""
        self._go_by(after)
        with breaking(place, time, after=is_over) as broken:
            try:
                self._work()
            except Broken:
                database.close()
        self.told["crash" if broken.is_so else "crash (nothing there)"] += 1
        if not broken.is_so:
            self.model.work()
        self._arrive()

    @precondition(lambda self: self.model.is_waiting())
    @rule(after=pauses, fault=st.sampled_from((*FAULTS, "refused")))
    def bad_line(self, after: timedelta, fault: str) -> None:
        """The gateway does not answer, or did and nobody heard it, or says no for good."""
        self._go_by(after)
        if not self.model.due_refunds() or (fault == "refused" and not self.model.refuse_next()):
            self.told["line (nothing due)"] += 1
            return
        faults.ask_for("create_refund", fault)
        self._work()
        faults.SimulatedFault.update(used_at=clock.now()).execute()
        self.told[f"line: {fault}"] += 1
        self._arrive()

    # What holds after every step

    @invariant()
    def is_as_the_model_says(self) -> None:
        found = seen()
        for person in self.model.people:
            self._check_person(found, person)
        now = clock.now()
        for invitation in self.model.invitations:
            row = found.invitations[self.found[invitation]]
            assert row.shown_status(now) == invitation.shown(now)
        for at, organisation in enumerate(self.model.organisations):
            account = self.organisations[at]
            assert found.seats.get(account.id, 0) == self.model.seats_used(at)
            for kind in ("held", "available", "used"):
                minor = found.balances[account.id][f"credit_{kind}", "EUR"]
                assert minor == getattr(organisation, kind), (kind, minor)
        for invoice in self.model.invoices():
            account, number = self.found[invoice]
            assert found.invoices[account.id, number] == (invoice.paid, invoice.is_void)
        for kind, count in self.model.statements.items():
            assert found.statements.get(kind, 0) == count, kind

    def _check_person(self, found: Seen, person: Any) -> None:
        own = self.found[person, "account"]
        where = own if person.place.where == HOME else self.organisations[person.place.where]
        assert found.members[self.found[person].id] == (where.id, person.place.licence)
        if person.payments:
            assert (found.plans[own.id] == "active") == person.is_plan_active
        acceptances = [one for one in self.model.acceptances if one.person is person]
        for one in acceptances:
            self._check_acceptance(found, one)
        all_of = [each for one in acceptances for each in one.refunds]

        def total(*states: str) -> int:
            return sum(each.minor for each in all_of if each.state in states)

        refunding = [one for one in acceptances if one.choice == "refund" and not one.is_undone]
        refunds = [each for one in refunding for each in one.refunds]
        held = sum(
            each.minor
            for each in refunds
            if each.state == "held" or (each.state == "failed" and not each.is_replaced)
        )
        balances = found.balances[own.id]
        paid = sum(one.minor for one in person.payments)
        expected = {
            "captured": paid - total("succeeded"),
            "prepaid": paid - sum(one.returned for one in person.payments),
            "refund_held": held,
            "refund_requested": total("requested", "pending"),
        }
        for kind, minor in expected.items():
            assert balances[kind, person.currency] == minor, (kind, balances)

    def _check_acceptance(self, found: Seen, one: Acceptance) -> None:
        id = self.found[one]
        assert found.is_undone[id] == one.is_undone
        assert found.settlements[id] == ([(one.choice, one.minor)] if one.choice else [])
        if not one.choice:
            return
        firsts = one.refunds[: found.shares[id].total()]
        assert found.shares[id] == Counter(
            (self.found[each.payment], each.minor) for each in firsts
        )
        if one.choice == "refund":
            expected = ((self.found[each.payment], each.minor, each.state) for each in one.refunds)
            assert found.refunds[id] == Counter(expected)

    def _check_readers(self) -> None:
        """What the program itself reads is what stands there."""
        found = seen()
        for account in self.organisations:
            assert people.seats_used(account) == found.seats.get(account.id, 0)
        for user, (account_id, _) in found.members.items():
            member = models.User.get_by_id(user).membership()
            assert member is not None
            assert member.account_id == account_id
            # Counters are equal where they differ in nothing but zeros.
            assert Counter(ledger.balances(account_id)) == found.balances[account_id]

    # How

    def _try(self, name: str, broken: Any, real: Any, expected: Callable[[], str]) -> bool:
        """Did it do something? One that breaks off did nothing at all."""
        with breaking(*(broken or ("", 0))) as broke:
            try:
                said = real() or ""
                outcome = said if isinstance(said, str) else ""
            except DomainError as error:
                outcome = type(error).__name__
            except Broken:
                database.close()
        if broke.is_so:
            self.told[f"{name} (broken off)"] += 1
            return False
        wanted = expected()
        assert outcome == wanted, f"{name}: {outcome or 'done'} instead of {wanted or 'done'}"
        self.told[f"{name}: {outcome or 'done'}"] += 1
        return not outcome

    def _work(self) -> None:
        carry_out(*KINDS)
        try:
            money.follow_refunds()
        except GatewayAway as error:
            raise AssertionError("the round ended with one refund") from error

    def _arrive(self) -> None:
        """Twice later: a refund that has been on its way for long is asked about once an hour, and
        whoever broke off while asking had its turn."""
        for _ in range(2):
            self._go_by(following.LATER + timedelta(minutes=2))
            self._work()
            self.model.work()

    def _go_by(self, time: timedelta) -> None:
        self.traveller.shift(time)
        self.model.now = clock.now()

    def _owner(self, organisation: int) -> models.Membership:
        found: models.Membership = models.Membership.get(
            models.Membership.account == self.organisations[organisation],
            models.Membership.is_owner,
        )
        return found

    def _invitation(self, pick: int) -> tuple[Invitation, models.Membership]:
        one = _of(self.model.invitations, pick)
        return one, self._owner(one.organisation)

    def _refunds(self) -> list[tuple[Acceptance, Refund]]:
        return [
            (one, refund)
            for one in self.model.acceptances
            if one.choice == "refund"
            for refund in one.refunds
        ]

    def _rows_of(self, acceptance: Acceptance) -> list[models.Refund]:
        return list(
            models.Refund.select()
            .join(models.SettlementShare)
            .join(models.Settlement)
            .where(models.Settlement.acceptance == self.found[acceptance])
            .order_by(models.Refund.id)
        )

    def _row_of(self, acceptance: Acceptance, refund: Refund) -> int:
        """Of several tries of one share, the one of the same turn."""
        tries = [one for one in acceptance.refunds if one.payment is refund.payment]
        rows = [
            one for one in self._rows_of(acceptance) if one.payment_id == self.found[refund.payment]
        ]
        return int(rows[tries.index(refund)].id)


def _payer(email: str, paid: list[int], fate: str, currency: str, ends: date) -> models.User:
    user = make_person(
        email,
        *paid,
        currency=currency,
        gateway="none" if fate == "none" else "simulated",
        period_start_on=ends - timedelta(days=30),
        period_end_on=ends,
    )
    if fate == "fails":
        of = [one.reference for one in user.membership().account.payments]
        SimulatedPayment.update(fate=fate).where(SimulatedPayment.reference.in_(of)).execute()
    return user


def _free(email: str, currency: str) -> models.User:
    user: models.User = accounts.create_individual(email, "", "fr", currency).user
    return user


def _of(things: Any, pick: int) -> Any:
    """The latest come up as often as all others."""
    return things[-1 - pick % min(len(things), 3)] if pick % 2 else things[pick % len(things)]


@contextmanager
def lives_on(url: str) -> Iterator[type[Life]]:
    """The machine with an empty database for each example: this one, or one like it."""
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(url)
        mailer.install(app)

        def fresh() -> None:
            if url.startswith("sqlite"):
                database.obj.close()
                for path in Path(folder).iterdir():
                    path.unlink()
                open_database(fresh_sqlite(Path(folder)))
            else:
                empty(url)
                database.close()

        outbox.nudge_with(None)
        with app.app_context():
            yield type("Life", (Life,), {"app": app, "fresh": staticmethod(fresh)})
            database.close()


def tell(url: str, examples: int, steps: int, at: int, is_shrinking: bool = True) -> None:
    """Raises what hypothesis found, with the shortest life that shows it."""
    # A new life each time; nothing is kept between runs but the seed.
    asked = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.generate, Phase.shrink) if is_shrinking else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    with lives_on(url) as machine:
        run_state_machine_as_test(seed(at)(machine), settings=asked)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--examples", type=int, default=200)
    asked.add_argument("--steps", type=int, default=50)
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    asked.add_argument("--seed", type=int, default=int(time.time()))
    asked.add_argument("--as-found", action="store_true", help="do not look for a shorter life")
    options = asked.parse_args()
    begun = time.monotonic()
    print(f"seed {options.seed}", flush=True)
    with fresh_database(options.engine) as url:
        tell(url, options.examples, options.steps, options.seed, not options.as_found)
    told = Life.told
    print(
        f"{options.engine}: {told.pop('lives')} lives of up to {options.steps} steps"
        f" in {time.monotonic() - begun:.0f} s, all as the model says"
    )
    print(", ".join(f"{name} {count}" for name, count in sorted(told.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
