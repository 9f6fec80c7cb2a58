"""What a gateway knows of customers: where accounts come from, in our words. Instants are aware;
the days that they fall on are the billing zone's, which a source doesn't know."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Unmappable(Exception):
    """A customer's records are none that an account can be made of; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A refund that stands, or what a dispute took back. `refund_key` is our own name for
    it, if it is ours; `is_under_way` while it could still fail."""

    reference: str
    refund_key: str
    amount_minor: int
    is_under_way: bool = False


@dataclass(frozen=True, slots=True)
class SourcePayment:
    """What was captured for an invoice. `gateway` is "none" for what was paid outside of it;
    `is_disputed` while the bank looks into it."""

    reference: str
    gateway: str
    currency: str
    captured_minor: int
    tax_minor: int
    tax_rate: str
    captured_at: datetime
    method: str
    invoice_number: str
    invoice_at: datetime | None
    returned: tuple[Returned, ...] = ()
    is_disputed: bool = False


@dataclass(frozen=True, slots=True)
class SourceInvoice:
    """`paid_minor` is what is not owed any more, however it was settled; `is_being_paid` while a
    payment of it is under way."""

    number: str
    currency: str
    issued_at: datetime | None
    due_at: datetime | None
    total_minor: int
    tax_minor: int
    paid_minor: int
    pay_url: str
    is_void: bool = False
    is_being_paid: bool = False


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """A subscription in force and its billing period."""

    reference: str
    name: str
    currency: str
    start: datetime
    end: datetime
    trial_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceCustomer:
    """`account` is the public id of the organisation that the customer is said to be, or "".
    `payments` are those of the plan's period; `currency` is "" where nothing tells."""

    reference: str
    email: str
    name: str
    locale: str
    currency: str
    address: str
    country: str
    tax_id: str
    account: str
    plan: SourcePlan | None
    payments: tuple[SourcePayment, ...] = ()
    invoices: tuple[SourceInvoice, ...] = ()


class Source(Protocol):
    """Every method raises GatewayAway. `name` is that of the gateway."""

    name: str

    def references(self, after: str) -> Iterator[str]:
        """All customers, in an order that stays; those after `after`."""

    def changed(self, since: datetime) -> Iterator[str]:
        """Customers of whom something has changed, each once."""

    def customer(self, reference: str) -> SourceCustomer | None:
        """None for one who is not there any more. Raises Unmappable."""

    def is_disputed(self, payment_reference: str) -> bool:
        """Does a bank look into this payment, or has it taken it back? GatewayRefusal when there
        is none of that reference."""
