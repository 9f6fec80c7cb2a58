"""Stories from the life of a refund, from joining to the bank, which are killed where something was
begun and not yet ended, and what each must come to. `kill_stories.py` has others; `kills.py` and
`killed_programs.py` kill."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import time_machine

from tests.drills.bank import differences
from tests.failed import failed_refund, payout, seller
from tests.joined import join, make_invitation, make_owned, make_person
from tests.people import link_of
from webapp import clock, outbox
from webapp.actions import ledger, refunds, undo
from webapp.handlers import money, rounds
from webapp.models import (
    Acceptance,
    KeptMail,
    OutboxMessage,
    Refund,
    Settlement,
    Statement,
    User,
)
from webapp.payments.simulated import SimulatedGateway, SimulatedRefund

# After a dead worker's claim, and after the undo window.
SHORTLY, NEXT_DAY = timedelta(minutes=2), timedelta(hours=25)


def work() -> None:
    """All that is due: one round ends after ten seconds, which are short on a busy machine."""
    while (wanted := rounds.drain()) is not None and wanted <= clock.now():
        pass


@dataclass
class Deed:
    """What somebody presses, and what it comes to in the end: the states of the refunds, how many
    the gateway made, and what the organisation has as credit. `path` is "" where the worker or a
    command does it: `act`, which somebody does `again` where no worker goes on; the command's words
    are in `command`, and FILE among them is a file with `content`. `check` asserts what it comes to
    where that is no refund."""

    user: User
    path: str = ""
    form: dict[str, str] = field(default_factory=dict)
    link: str = ""
    states: tuple[str, ...] = ("succeeded",)
    at_gateway: int = 1
    credit_minor: int = 0
    act: Callable[[], object] = work
    again: Callable[[], object] = lambda: None
    command: tuple[str, ...] = ()
    content: str = ""
    check: Callable[[], None] | None = None


def payer(email: str = "camille@example.org") -> User:
    """Somebody whose plan is worth 49.97 EUR today: real processes live by the real calendar."""
    return make_person(email, **_period())


def _period() -> dict[str, date]:
    begins = clock.today("Europe/Paris") - timedelta(days=22)
    return {"period_start_on": begins, "period_end_on": begins + timedelta(days=30)}


def _sending_by_worker() -> Deed:
    user = payer()
    undo.send_now(user, join(user, make_owned(), "refund").id)
    return Deed(user)


def _following() -> Deed:
    """The refund was made a while ago, and has arrived."""
    deed = _sending_by_worker()
    refunds.request(Refund.get().id, SimulatedGateway())
    SimulatedRefund.update(created_at=clock.now() - timedelta(minutes=1)).execute()
    deed.act, deed.command = _reconcile, ("reconcile",)
    return deed


def _reconcile() -> None:
    for one in list(refunds.underway()):
        refunds.follow(one.id, SimulatedGateway())


def _asking_again() -> Deed:
    """As above, but its answer was lost."""
    deed = _following()
    Refund.update(state="requested", gateway_reference=None).execute()
    return deed


def _joining() -> Deed:
    user = payer()
    invitation = make_invitation(user, make_owned())
    outbox.write("mail:invitation", {"invitation_id": invitation.id}, invitation=invitation)
    link = link_of(invitation)
    return Deed(user, "/join/acceptance", {"choice": "refund"}, link=link)


def _undoing() -> Deed:
    user = payer()
    join(user, make_owned(), "refund")
    nothing = {"states": ("canceled",), "at_gateway": 0}
    return Deed(user, "/join/undo", **nothing)  # type: ignore[arg-type]


def _sending_now() -> Deed:
    user = payer()
    join(user, make_owned(), "refund")
    return Deed(user, "/join/confirmation")


def _trying_again() -> Deed:
    _, refund = failed_refund(**_period())
    path = f"/billing/refunds/{refund.id}/retry"
    return Deed(seller().user, path, states=("failed", "succeeded"))


def _paying_by_hand() -> Deed:
    _, refund = failed_refund(**_period())
    path = f"/billing/refunds/{refund.id}/payment"
    return Deed(seller().user, path, _paid(), states=("failed", "succeeded"), at_gateway=0)


def _paying_out() -> Deed:
    path = f"/billing/refunds/{payout(**_period()).id}/payment"
    return Deed(seller().user, path, _paid(), at_gateway=0)


def _paid() -> dict[str, str]:
    return {"reference": "VIR-77", "paid_on": clock.today("Europe/Paris").isoformat()}


def _handing_over() -> Deed:
    user, refund = failed_refund(**_period())
    form = {"refund": str(refund.id)}
    return Deed(user, "/join/credit", form, states=("canceled",), at_gateway=0, credit_minor=4997)


STORIES: dict[str, Callable[[], Deed]] = {
    "the worker sends it": _sending_by_worker,
    "reconcile follows it": _following,
    "reconcile asks after a lost answer": _asking_again,
    "the person joins": _joining,
    "the person undoes": _undoing,
    "the person sends it now": _sending_now,
    "the seller tries again": _trying_again,
    "the seller pays by hand": _paying_by_hand,
    "the seller pays out": _paying_out,
    "the person hands it over": _handing_over,
}


def go_on(deed: Deed) -> None:
    """Another worker goes on once the dead one's claims have ended, and again when the undo window
    has closed and the gateway has forgotten its keys."""
    begins = clock.now()
    for after in (SHORTLY, NEXT_DAY):
        with time_machine.travel(begins + after, tick=True) as traveller:
            for _ in range(2):
                work()
                traveller.shift(timedelta(minutes=2))
                money.follow_refunds()
            work()
            assert ledger.check() == []
            assert differences() == []
    _assert_everything_left()
    if deed.check is not None:
        deed.check()
    else:
        _assert_happened_once(deed)


def _assert_everything_left() -> None:
    unfinished = OutboxMessage.select().where(
        OutboxMessage.left_at.is_null(),
        OutboxMessage.canceled_at.is_null(),
        OutboxMessage.leaves_at < clock.now() + NEXT_DAY,
    )
    assert [(one.kind, one.error) for one in unfinished] == []
    assert all(one.pdf is not None for one in Statement.select())


def _assert_happened_once(deed: Deed) -> None:
    states = [one.state for one in Refund.select().order_by(Refund.id)]
    assert tuple(states) == deed.states, states
    assert SimulatedRefund.select().count() == deed.at_gateway
    assert Settlement.select().count() == Acceptance.select().count() == 1
    mails = [one.subject for one in KeptMail.select()]
    assert len(mails) == len(set(mails)), mails
    _assert_balances(deed)


def _assert_balances(deed: Deed) -> None:
    """To the cent: what was paid out or handed over is gone from the person's account."""
    settlement = Settlement.get()
    person = ledger.balances(settlement.account_id)
    has_left = "succeeded" in deed.states
    is_back = settlement.acceptance.undone_at is not None
    assert person.pop(("captured", "EUR")) == 18739 - 4997 * has_left
    assert person.pop(("prepaid", "EUR")) == 18739 - 4997 * (not is_back)
    assert set(person.values()) <= {0}
    credit = ledger.balance(settlement.organisation_id, "credit_available", "EUR")
    assert credit == deed.credit_minor
