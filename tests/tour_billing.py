"""Through the pages of finance: an organisation's, and the operator's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import effects
from tests.actions.test_account_book import give
from tests.failed import failed_refund, payout
from tests.money import make_payment
from webapp import clock
from webapp.actions import account_book, invoice_copies, invoices, month_end, needs_hand
from webapp.actions.months import Month
from webapp.models import InvoiceCopy, OutboxMessage, Reconciliation, Subscription
from webapp.payments.simulated import SimulatedGateway, SimulatedRefund

if TYPE_CHECKING:
    from tests.tour import Tour


def reading(tour: Tour) -> None:
    """What an organisation's finance reads."""
    organisation, finance = tour.cast.organisation, tour.browser("finance")
    tour.keep("movements of nothing", finance.get("/billing/movements?month=2026-01"))
    for at in range(3):
        give(organisation, f"giver{at}@example.org")
    taken = invoices.add(
        organisation, "T-1", issued_on=None, due_on=None, total_minor=12_000, tax_minor=2_000
    )
    tour.keep("billing with credit", finance.get("/billing"))
    invoices.mark_paid(organisation, "T-1")
    address = f"/billing/invoices/{taken.id}"
    tour.keep("an invoice", finance.get(address))
    finance.post(f"{address}/copies")
    tour.keep("a copy being prepared", finance.get(address))
    tour.keep("a copy being prepared as fragment", finance.get(address, htmx=True))
    invoice_copies.render(InvoiceCopy.get().id)
    tour.keep("a copy", finance.get(address))
    given_back = invoices.add(
        organisation, "T-2", issued_on=None, due_on=None, total_minor=100, pay_url="https://a.b"
    )
    invoices.void(organisation, "T-2")
    tour.keep("an invoice that was voided", finance.get(f"/billing/invoices/{given_back.id}"))
    tour.keep("movements", finance.get("/billing/movements"))
    tour.keep("movements as fragment", finance.get("/billing/movements", htmx=True))
    whole, account_book.AT_ONCE = account_book.AT_ONCE, 2
    tour.keep("movements on several pages", finance.get("/billing/movements"))
    account_book.AT_ONCE = whole
    operator, named = tour.browser("operator"), f"organisation={organisation.public_id}"
    tour.keep("an organisation's billing", operator.get(f"/billing?{named}"))


def seeing_to(tour: Tour) -> None:
    """What the operator's finance sees to."""
    operator = tour.browser("operator")
    _, refund = failed_refund("fay@example.org", tour.cast.organisation)
    tour.keep("a failed refund", operator.get(f"/billing/refunds/{refund.id}"))
    wrong = operator.post(f"/billing/refunds/{refund.id}/payment", reference="", paid_on="x")
    tour.keep("payment not read", wrong, 422)
    tour.keep("a payout", operator.get(f"/billing/refunds/{payout().id}"))
    for kind in ("refund", "mail:undone"):
        message = effects.message(kind, {"refund_id": refund.id})
        OutboxMessage.update(quarantined_at=clock.now(), error="gave up").where(
            OutboxMessage.id == message.id
        ).execute()
        tour.keep(f"given up: {kind}", operator.get(f"/billing/messages/{message.id}"))
    wrong = operator.post(f"/billing/messages/{message.id}/discard", reason="")
    tour.keep("no reason", wrong, 422)
    tour.keep("what needs a hand", operator.get("/billing"))
    tour.keep("what needs a hand as fragment", operator.get("/billing", htmx=True))
    whole, needs_hand.AT_ONCE = needs_hand.AT_ONCE, 1
    tour.keep("what needs a hand on pages", operator.get("/billing"))
    needs_hand.AT_ONCE = whole
    comparing(tour)


def comparing(tour: Tour) -> None:
    operator = tour.browser("operator")
    month = Month(clock.today("UTC").replace(day=1))
    tour.keep("month not compared", operator.get("/billing/month-end"))
    operator.post("/billing/month-end")
    tour.keep("month being compared", operator.get("/billing/month-end"))
    month_end.carry_out(Reconciliation.get().id, SimulatedGateway(), clock.now)
    tour.keep("month compared", operator.get("/billing/month-end"))
    stray = make_payment(Subscription.select().where(Subscription.plan == "pro").get())
    SimulatedGateway().create_refund(stray.reference, 100, "EUR", "stray", {})
    assert SimulatedRefund.select().exists()
    month_end.ask(None, month)
    tour.keep("month compared, and again", operator.get("/billing/month-end"))
    row = Reconciliation.get(Reconciliation.finished_at.is_null())
    month_end.carry_out(row.id, SimulatedGateway(), clock.now)
    tour.keep("month that differs", operator.get("/billing/month-end", htmx=True))
    tour.keep("month without anything", operator.get("/billing/month-end?month=2026-01"))
