"""What finance meets: people who joined some days ago, whose credit an invoice took, and whose
refunds arrived, failed, or wait to be paid by hand."""

from datetime import timedelta

from webapp import clock
from webapp.actions import invoices, refunds, settlements
from webapp.demo import individuals, organisation
from webapp.models import Account, Membership, Refund, Settlement
from webapp.payments.simulated import SimulatedGateway, SimulatedPayment
from webapp.policy import policy

# address, name, choice, what becomes of the refund at the gateway
PAST: tuple[tuple[str, str, str, str], ...] = (
    ("julien.lambert@mail.example", "Julien Lambert", "credit", ""),
    ("chloe.martin@mail.example", "Chloé Martin", "refund", "succeeds"),
    ("nora.schmitt@mail.example", "Nora Schmitt", "refund", "fails"),
    ("gilles.aubert@mail.example", "Gilles Aubert", "refund", ""),
)
BY_HAND = ("refund", "")
# Days ago.
IMPORTED, JOINED, LEFT = 24, 9, 7


def load(password_hash: str) -> None:
    owner = Membership.get(Membership.account == _account(), Membership.is_owner)
    with clock.ago(timedelta(days=IMPORTED)):
        start = clock.today(policy().billing_zone) + timedelta(days=1)
        individuals.bring_in(
            password_hash,
            [
                individuals.person(
                    email, name, start, 12, [18739], by_hand=(choice, fate) == BY_HAND
                )
                for email, name, choice, fate in PAST
            ],
        )
    _bill(45, 21_600, is_paid=True)
    with clock.ago(timedelta(days=JOINED)):
        for email, name, choice, _ in PAST:
            organisation.join(organisation.invite(owner, f"{name} <{email}>"), choice)
    with clock.ago(timedelta(days=LEFT)):
        _leave()
    _bill(5, 24_000)
    # The latest can still be undone.
    organisation.join(organisation.invite(owner, individuals.JOINED, department="Ventes"))


def _account() -> Account:
    found: Account = Account.get(Account.kind == "organisation")
    return found


def _leave() -> None:
    """What the worker does once an acceptance can no longer be undone. Without a simulated gateway
    only what needs none."""
    for settlement in Settlement.select().where(Settlement.choice == "credit"):
        if not settlement.acceptance.is_held(clock.now()):
            settlements.release(settlement.id)
    gateway = SimulatedGateway()
    fates = {name: fate for _, name, _, fate in PAST}
    for refund in Refund.select():
        payment, acceptance = refund.payment, refund.share.settlement.acceptance
        if payment.gateway not in (gateway.name, "none") or acceptance.is_held(clock.now()):
            continue
        name = payment.account.name
        SimulatedPayment.update(fate=fates[name] or "succeeds").where(
            SimulatedPayment.reference == payment.reference
        ).execute()
        refunds.request(refund.id, gateway)
        with clock.ago(timedelta(days=LEFT - 1)):
            refunds.follow(refund.id, gateway)


def _bill(days: int, total_minor: int, is_paid: bool = False) -> None:
    """An invoice of some days ago takes what credit there was."""
    account = _account()
    with clock.ago(timedelta(days=days)):
        today = clock.today(policy().billing_zone)
        number = f"FA-{today:%Y-%m}-118"
        invoices.add(
            account,
            number,
            issued_on=today,
            due_on=today + timedelta(days=30),
            total_minor=total_minor,
            tax_minor=total_minor // 6,
        )
        if is_paid:
            invoices.mark_paid(account, number)
