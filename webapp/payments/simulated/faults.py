"""Faults on demand. Tests and the `simulated` commands of development ask for them; no setting
does. A fault waits for the next call of its name and is used up by it.

never sent: the request is lost, nothing is done. answer lost: it is done, the answer is lost.
key forgotten: as before, and the idempotency key was pruned. error: a 500 that is remembered with
the key. busy: a lock or a limit, nothing is done or remembered. refused: a definite no."""

from webapp import clock
from webapp.database import transaction
from webapp.payments.gateway import GatewayAway, GatewayRefusal
from webapp.payments.simulated.books import SimulatedFault

CALLS = (
    "create_refund",
    "fetch_refund",
    "find_refund",
    "list_refunds",
    "end_subscription_at_period_end",
    "keep_subscription",
    "cancel_subscription_without_proration",
    "push_credit",
)
BEFORE = ("never sent", "busy")
AFTER = ("answer lost", "key forgotten")


class Fault(GatewayAway):
    """`fault` says which of them it was."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"simulated fault: {fault}")
        self.fault = fault


def ask_for(call: str, *faults: str) -> None:
    """The next calls of that name go wrong, in this order."""
    if call not in CALLS:
        raise ValueError(f"{call!r} is none of {', '.join(CALLS)}")
    for fault in faults:
        SimulatedFault.create(call=call, fault=fault)


def claim(call: str) -> str:
    """The fault of this call, or ""; raised at once where nothing is to be done."""
    fault = _next(call)
    if fault in BEFORE:
        raise Fault(fault)
    if fault == "refused":
        raise GatewayRefusal("the bank declined")
    return fault


def _next(call: str) -> str:
    with transaction():
        waiting = SimulatedFault.select().where(
            SimulatedFault.call == call, SimulatedFault.used_at.is_null()
        )
        for fault in waiting.order_by(SimulatedFault.id):
            changed = (
                SimulatedFault.update(used_at=clock.now())
                .where(SimulatedFault.id == fault.id, SimulatedFault.used_at.is_null())
                .execute()
            )
            if changed == 1:
                return str(fault.fault)
    return ""
