"""What every payment gateway must do, in our words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class GatewayAway(Exception):
    """No answer, or an answer that says nothing: the refund may or may not exist there. Ask what
    the gateway knows before sending anything again (rule M6)."""


class GatewayRefusal(Exception):
    """A definite no; nothing was done. The message is the gateway's reason."""


@dataclass(frozen=True, slots=True)
class GatewayRefund:
    """A refund as the gateway knows it. `state` is pending, requires_action, succeeded, failed or
    canceled; `bank_reference` (ARN and the like) is empty until there is one."""

    reference: str
    state: str
    amount_minor: int
    currency: str
    bank_reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ListedRefund:
    """A refund as a gateway lists it. `payment_references` are all names of its payment there;
    `refund_key` is empty where we did not ask for it."""

    refund: GatewayRefund
    payment_references: tuple[str, ...]
    refund_key: str
    created_at: datetime


class Gateway(Protocol):
    """Every method raises GatewayAway; those that change something raise GatewayRefusal too."""

    name: str

    def create_refund(
        self,
        payment_reference: str,
        amount_minor: int,
        currency: str,
        idempotency_key: str,
        metadata: Mapping[str, str],
    ) -> GatewayRefund:
        """Sends money back to the payment's own method. The same key with the same request
        answers the same refund, for a day; with another request it is refused."""

    def fetch_refund(self, reference: str) -> GatewayRefund:
        """GatewayRefusal when there is none of that reference."""

    def find_refund(self, payment_reference: str, refund_key: str) -> GatewayRefund | None:
        """The refund of that payment whose metadata's `refund_key` is `refund_key`: how to learn
        the fate of a request whose answer was lost, however long ago."""

    def list_refunds(self, since: datetime, until: datetime) -> Iterator[ListedRefund]:
        """Every refund made there from `since` to before `until`, by whomever."""

    def end_subscription_at_period_end(self, reference: str) -> None:
        """It charges no more once its period is over (rule M10). Again changes nothing."""

    def keep_subscription(self, reference: str) -> None:
        """Takes back our `end_subscription_at_period_end`, and no one else's. Again changes
        nothing; GatewayRefusal when the subscription has ended meanwhile."""

    def cancel_subscription_without_proration(self, reference: str) -> None:
        """Ends it now, and the gateway gives nothing back of its own. Again changes nothing."""

    def push_credit(
        self, customer_reference: str, amount_minor: int, currency: str, key: str
    ) -> str:
        """Credits the customer's balance at the gateway, once for each key, however long ago it
        was first used; returns the gateway's reference."""
