"""A month's end: do the statements, the refunds at the gateway and the ledger agree? Asked for on a
page, answered by the worker, which alone talks to the gateway, and kept with its time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webapp import clock, outbox
from webapp.actions.audit import record
from webapp.actions.month_end import books, documents, gateways
from webapp.actions.month_end.found import Found
from webapp.actions.months import Month
from webapp.database import snapshot, transaction
from webapp.models import Membership, Reconciliation
from webapp.payments.gateway import Gateway
from webapp.policy import policy


@dataclass(frozen=True, slots=True)
class Known:
    """What there is of a month: the latest that was done, and one that is under way."""

    done: Reconciliation | None
    underway: Reconciliation | None


def of(month: Month) -> Known:
    rows = Reconciliation.select().where(Reconciliation.month_on == month.first)
    latest = rows.order_by(Reconciliation.id.desc())
    return Known(
        latest.where(Reconciliation.finished_at.is_null(False)).first(),
        rows.where(Reconciliation.finished_at.is_null()).first(),
    )


def ask(by: Membership | None, month: Month) -> bool:
    """The worker compares the month; False when it is about to already."""
    with transaction():
        made = list(
            Reconciliation.insert(
                month_on=month.first, asked_at=clock.now(), asked_by=by.user_id if by else None
            )
            .on_conflict_ignore()
            .returning(Reconciliation.id)
            .execute()
        )
        if made:
            outbox.write("reconcile", {"reconciliation_id": made[0].id})
            record(by, "month:reconciled", f"reconciliation:{made[0].id}", month=str(month))
    return bool(made)


def ask_for_last_month() -> None:
    """Once each month has ended, by itself."""
    month = Month(clock.today(policy().billing_zone).replace(day=1)).previous
    since_its_end = Reconciliation.asked_at >= month.ends_at
    asked = Reconciliation.select().where(Reconciliation.month_on == month.first, since_its_end)
    if not asked.exists():
        ask(None, month)


def carry_out(reconciliation_id: int, gateway: Gateway, keep: Callable[[], Any]) -> bool:
    """Compares, and keeps what was found; again changes nothing. `keep` is called now and then, so
    that the claim on the work does not end. Raises GatewayAway."""
    row: Reconciliation = Reconciliation.get_by_id(reconciliation_id)
    if row.finished_at is not None:
        return False
    found = compare(Month(row.month_on), gateway, keep)
    Reconciliation.update(finished_at=clock.now(), found=found.to_json()).where(
        Reconciliation.id == row.id, Reconciliation.finished_at.is_null()
    ).execute()
    return True


def compare(month: Month, gateway: Gateway, keep: Callable[[], Any] = lambda: None) -> Found:
    """Our own rows are read in one snapshot, so that work going on beside it is no difference; the
    gateway is asked afterwards, and may be ahead by then."""
    found = Found(str(gateway.name))
    with snapshot():
        documents.compare(month, found)
        books.sum_up(month, found)
        ours = gateways.left_in(month)
        books.compare_refunds(ours, found)
    gateways.compare(month, ours, gateway, found, keep)
    return found
