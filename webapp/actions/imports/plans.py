"""The plan that a line gives an account: its subscription and billing period."""

from typing import Any

from webapp import clock
from webapp.actions.imports.inserting import insert_all
from webapp.imports.rows import Row
from webapp.models import Account, Subscription

PLAN = "paid"


def follow(
    row: Row, account: Account, present: Subscription | None, default_zone: str
) -> Subscription | None:
    """The subscription in force once the line is followed; None for a free account."""
    if row.is_free:
        if present is not None:
            present.end(clock.now())
        return None
    if present is None or is_new_period(row, present):
        if present is not None:
            present.end(clock.now())
        zone, plan = (present.billing_zone, present.plan) if present else (default_zone, PLAN)
        started = start([(row, account.id)], zone, plan)
        return Subscription.get_by_id(started[account.id]) if started else None
    named = _named(row)
    changes = {name: value for name, value in named.items() if getattr(present, name) != value}
    if changes:
        Subscription.update(**changes).where(Subscription.id == present.id).execute()
        changed: Subscription = Subscription.get_by_id(present.id)
        return changed
    return present


def is_changed(before: Subscription | None, after: Subscription | None) -> bool:
    """Did `follow` change anything? What it changes comes back as another object."""
    return before is not after


def is_new_period(row: Row, present: Subscription) -> bool:
    """Another first day begins another period when the line says how it was paid, or when the
    two lie apart; else it corrects the present one, whose payments stay."""
    if row.period is None or row.period.start == present.period_start_on:
        return False
    return bool(row.payments) or not overlaps(row, present)


def overlaps(row: Row, plan: Subscription) -> bool:
    return bool(
        row.period
        and plan.period_start_on
        and plan.period_end_on
        and row.period.start < plan.period_end_on
        and plan.period_start_on < row.period.end
    )


def start(
    pairs: list[tuple[Row, int]], default_zone: str, default_plan: str = PLAN
) -> dict[int, int]:
    """Subscriptions for the accounts whose row names a period: account → subscription."""
    rows = [
        {
            "account": account_id,
            "plan": row.plan or default_plan,
            "currency": row.currency,
            "billing_zone": row.billing_zone or default_zone,
            "period_start_on": row.period.start,
            "period_end_on": row.period.end,
            "trial_end_on": row.period.trial_end,
        }
        for row, account_id in pairs
        if row.period is not None
    ]
    ids = insert_all(Subscription, "account", rows)
    return {int(str(each["account"])): at for each, at in zip(rows, ids, strict=True)}


def _named(row: Row) -> dict[str, Any]:
    named: dict[str, Any] = {}
    if row.plan is not None:
        named["plan"] = row.plan
    if row.billing_zone is not None:
        named["billing_zone"] = row.billing_zone
    if row.period is not None:
        named["period_start_on"] = row.period.start
        named["period_end_on"] = row.period.end
        if row.period.trial_end is not None:
            named["trial_end_on"] = row.period.trial_end
    if "currency" in row.account:
        named["currency"] = row.currency
    return named
