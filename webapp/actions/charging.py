"""The gateway's charging of a plan, which joining stops (rule M10), and giving the plan up. A plan
that no gateway charges needs none of this."""

from datetime import datetime
from typing import Literal

from webapp import clock, outbox
from webapp.models import Acceptance, Subscription
from webapp.payments.gateway import Gateway

Wanted = Literal["end", "cancel", "keep"]


def stop(acceptance: Acceptance) -> None:
    """At acceptance: no more charges after this period, and the end once nothing can be undone."""
    _write("subscription:end", acceptance)
    _write("subscription:cancel", acceptance, acceptance.undo_until)


def finish(acceptance: Acceptance) -> None:
    """The undo was given up: the end comes now."""
    _write("subscription:cancel", acceptance)


def resume(acceptance: Acceptance) -> None:
    """The acceptance was undone: charging goes on as before."""
    _write("subscription:keep", acceptance)


def give_up(subscription: Subscription) -> None:
    """The plan has ended with its owner, who was erased."""
    if subscription.gateway_reference:
        outbox.write("subscription:cancel", {"subscription_id": subscription.id})


def settle(subscription_id: int, gateway: Gateway) -> bool:
    """Brings the gateway's subscription to what is wanted by now, whichever message asks: one that
    comes late does no harm. False when nothing is wanted. Raises GatewayAway and GatewayRefusal."""
    wanted = _wanted(subscription_id, clock.now())
    while wanted is not None:
        reference, what = wanted
        calls = {
            "end": gateway.end_subscription_at_period_end,
            "cancel": gateway.cancel_subscription_without_proration,
            "keep": gateway.keep_subscription,
        }
        calls[what](reference)
        # Undone while the gateway was asked: what was said there last must be what is wanted.
        after = _wanted(subscription_id, clock.now())
        if after == wanted:
            return True
        wanted = after
    return False


def _write(kind: str, acceptance: Acceptance, leaves_at: datetime | None = None) -> None:
    subscription = acceptance.ended_subscription
    if subscription is not None and subscription.gateway_reference:
        outbox.write(kind, {"subscription_id": subscription.id}, leaves_at=leaves_at)


def _wanted(subscription_id: int, now: datetime) -> tuple[str, Wanted] | None:
    """The latest acceptance decides: a plan goes on under the same reference from period to
    period, and may be left, taken back and left again. Where none holds, a plan that is in force
    in no period has been given up."""
    subscription = Subscription.get_or_none(Subscription.id == subscription_id)
    if subscription is None or not subscription.gateway_reference:
        return None
    reference = str(subscription.gateway_reference)
    latest: Acceptance | None = (
        Acceptance.select()
        .join(Subscription, on=(Acceptance.ended_subscription == Subscription.id))
        .where(Subscription.gateway_reference == reference)
        .order_by(Acceptance.id.desc())
        .first()
    )
    if latest is None or latest.undone_at is not None:
        in_force = Subscription.select().where(
            Subscription.gateway_reference == reference, Subscription.status != "ended"
        )
        if not in_force.exists():
            return reference, "cancel"
        return None if latest is None else (reference, "keep")
    return reference, "end" if latest.is_held(now) else "cancel"
