"""Which refunds the gateway is asked about without a hint from it, and when (rule M6).

Webhooks may be lost, so whatever is on its way is asked about: every minute at first, then every
hour. What has arrived is asked about once a day for a month: the bank's reference comes days later,
and money that the bank sends back comes back later still."""

from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from webapp import clock
from webapp.actions import refunds
from webapp.models import Payment, Refund

AT_FIRST = timedelta(hours=1)
LATER = timedelta(hours=1)
ARRIVED = timedelta(days=1)
REMEMBERED = timedelta(days=30)


def due() -> list[Refund]:
    """Those to ask about now, the longest unasked first."""
    now = clock.now()
    is_young = Refund.changed_at > now - AT_FIRST
    underway = refunds.underway().where(is_young | _is_unasked_since(now - LATER))
    arrived = (
        Refund.select()
        .join(Payment)
        .where(
            Refund.state == "succeeded",
            Refund.changed_at > now - REMEMBERED,
            Payment.gateway != "none",
            ~Refund.is_by_hand,
            _is_unasked_since(now - ARRIVED),
        )
    )
    return sorted(chain(underway, arrived), key=_turn)


def take_up(refund: Refund) -> bool:
    """Notes that it is asked about now; False when another worker was faster."""
    seen = refund.followed_at
    unchanged = Refund.followed_at.is_null() if seen is None else Refund.followed_at == seen
    changed = (
        Refund.update(followed_at=clock.now()).where(Refund.id == refund.id, unchanged).execute()
    )
    return bool(changed)


def _turn(refund: Refund) -> tuple[bool, datetime, int]:
    return refund.followed_at is not None, refund.followed_at or refund.changed_at, refund.id


def _is_unasked_since(instant: datetime) -> Any:
    """Refunds that were never asked about count from their last change."""
    never = Refund.followed_at.is_null() & (Refund.changed_at <= instant)
    return never | (Refund.followed_at <= instant)
