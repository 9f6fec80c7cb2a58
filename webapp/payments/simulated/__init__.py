"""A strict gateway for development and tests. Its books are its own tables and its own
transactions, as if it were far away: a ceiling per payment, idempotency keys that live 24 hours,
refunds that take a while, every state, and faults on demand. It knows only what was captured with
it."""

from webapp.payments.simulated.books import (
    ALL,
    KEY_LIFE,
    SETTLING,
    SimulatedCredit,
    SimulatedFault,
    SimulatedKey,
    SimulatedPayment,
    SimulatedRefund,
    SimulatedSubscription,
    capture,
    subscribe,
)
from webapp.payments.simulated.gateway import SimulatedGateway

__all__ = [
    "ALL",
    "KEY_LIFE",
    "SETTLING",
    "SimulatedCredit",
    "SimulatedFault",
    "SimulatedGateway",
    "SimulatedKey",
    "SimulatedPayment",
    "SimulatedRefund",
    "SimulatedSubscription",
    "capture",
    "subscribe",
]
