"""Ledger accounts and transfers as values, and the transfer that each event makes (rule M5).

A transfer debits one ledger account and credits another. A debit-normal balance is debits less
credits, a credit-normal one credits less debits; neither may ever go below zero. Every key is made
from the event's own row, so that an event repeated makes a transfer that the database refuses.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from invoices.money import exponent

Kind = Literal[
    "captured",  # individual: what the gateway took and still holds
    "prepaid",  # individual: what was paid and may come back
    "refund_held",  # individual: to be refunded once the undo window closes
    "refund_requested",  # individual: asked of the gateway
    "credit_held",  # organisation: credit until the undo window closes
    "credit_available",  # organisation: credit that invoices may take
    "credit_used",  # organisation: credit that invoices took
]

NORMAL: dict[Kind, Literal["debit", "credit"]] = {
    "captured": "debit",
    "prepaid": "credit",
    "refund_held": "credit",
    "refund_requested": "credit",
    "credit_held": "credit",
    "credit_available": "credit",
    "credit_used": "credit",
}


@dataclass(frozen=True, slots=True)
class LedgerAccountRef:
    """One ledger account: of which account, of which kind, in which currency."""

    account_id: int
    kind: Kind
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)
        if self.kind not in NORMAL:
            raise ValueError(f"{self.kind!r} is not a kind of ledger account")


@dataclass(frozen=True, slots=True)
class Transfer:
    """One debit, one credit, more than nothing, one currency; `kind` names the event."""

    key: str
    debit: LedgerAccountRef
    credit: LedgerAccountRef
    amount_minor: int
    kind: str

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise ValueError("a transfer moves more than nothing")
        if self.debit.currency != self.credit.currency:
            raise ValueError("a transfer never changes the currency")
        if self.debit == self.credit:
            raise ValueError("a transfer needs two different ledger accounts")


def captured(payment_id: int, account_id: int, currency: str, amount_minor: int) -> Transfer:
    """A payment was taken."""
    return _within(
        f"capture:{payment_id}",
        account_id,
        currency,
        amount_minor,
        ("captured", "prepaid"),
        "captured",
    )


def returned_before(payment_id: int, account_id: int, currency: str, amount_minor: int) -> Transfer:
    """Part of a payment had already been given back when it was imported."""
    return _within(
        f"capture:{payment_id}:returned",
        account_id,
        currency,
        amount_minor,
        ("prepaid", "captured"),
        "returned_before",
    )


def refund_held(settlement_id: int, account_id: int, currency: str, amount_minor: int) -> Transfer:
    """A settlement chose the refund: it waits for the undo window (J14)."""
    return _within(
        f"settlement:{settlement_id}:held",
        account_id,
        currency,
        amount_minor,
        ("prepaid", "refund_held"),
        "refund_held",
    )


def refund_requested(
    refund_id: int, account_id: int, currency: str, amount_minor: int, attempt: int = 1
) -> Transfer:
    """The gateway is about to be asked; another attempt after a failure has its own number."""
    return _within(
        f"refund:{refund_id}:requested:{attempt}",
        account_id,
        currency,
        amount_minor,
        ("refund_held", "refund_requested"),
        "refund_requested",
    )


def refund_succeeded(
    refund_id: int, account_id: int, currency: str, amount_minor: int, attempt: int = 1
) -> Transfer:
    """The money left: the gateway holds less, and nothing more is asked of it."""
    return _within(
        f"refund:{refund_id}:succeeded:{attempt}",
        account_id,
        currency,
        amount_minor,
        ("refund_requested", "captured"),
        "refund_succeeded",
    )


def refund_failed(
    refund_id: int, account_id: int, currency: str, amount_minor: int, attempt: int = 1
) -> Transfer:
    """The gateway refused: the amount is held again, with its three ways on (M7)."""
    return _within(
        f"refund:{refund_id}:failed:{attempt}",
        account_id,
        currency,
        amount_minor,
        ("refund_requested", "refund_held"),
        "refund_failed",
    )


def refund_returned_after_success(
    refund_id: int, account_id: int, currency: str, amount_minor: int, attempt: int = 1
) -> Transfer:
    """The bank sent a refund back that had succeeded: the gateway holds it again."""
    succeeded = refund_succeeded(refund_id, account_id, currency, amount_minor, attempt)
    return reversed_transfer(succeeded, f"refund:{refund_id}:returned:{attempt}")


def credit_held(
    settlement_id: int, individual_id: int, organisation_id: int, currency: str, amount_minor: int
) -> Transfer:
    """A settlement chose credit: it stands on the organisation, until the undo window closes."""
    return Transfer(
        f"settlement:{settlement_id}:held",
        LedgerAccountRef(individual_id, "prepaid", currency),
        LedgerAccountRef(organisation_id, "credit_held", currency),
        amount_minor,
        "credit_held",
    )


def credit_available(
    settlement_id: int, account_id: int, currency: str, amount_minor: int
) -> Transfer:
    """The undo window closed: invoices may take the credit."""
    return _within(
        f"settlement:{settlement_id}:available",
        account_id,
        currency,
        amount_minor,
        ("credit_held", "credit_available"),
        "credit_available",
    )


def refund_to_credit(
    share_id: int, individual_id: int, organisation_id: int, currency: str, amount_minor: int
) -> Transfer:
    """A refund failed, and the person handed the amount over instead (M7)."""
    return Transfer(
        f"share:{share_id}:handed-over",
        LedgerAccountRef(individual_id, "refund_held", currency),
        LedgerAccountRef(organisation_id, "credit_available", currency),
        amount_minor,
        "refund_to_credit",
    )


def credit_used(
    invoice_id: int, part: int, account_id: int, currency: str, amount_minor: int
) -> Transfer:
    """An invoice took credit, as its payment number `part` (M8)."""
    return _within(
        f"invoice:{invoice_id}:credit:{part}",
        account_id,
        currency,
        amount_minor,
        ("credit_available", "credit_used"),
        "credit_used",
    )


def reversed_transfer(transfer: Transfer, key: str) -> Transfer:
    """The same amount back again, under a key of its own."""
    return Transfer(
        key, transfer.credit, transfer.debit, transfer.amount_minor, f"{transfer.kind}_reversed"
    )


def balances(transfers: Iterable[Transfer]) -> dict[LedgerAccountRef, int]:
    """The balance of every ledger account named, in minor units, positive on its normal side."""
    found: dict[LedgerAccountRef, int] = {}
    for transfer in transfers:
        for account, side in ((transfer.debit, "debit"), (transfer.credit, "credit")):
            sign = 1 if NORMAL[account.kind] == side else -1
            found[account] = found.get(account, 0) + sign * transfer.amount_minor
    return found


def check(transfers: Iterable[Transfer]) -> None:
    """ValueError, with the reason, for a repeated key or a balance below zero."""
    keys: set[str] = set()
    seen: list[Transfer] = []
    for transfer in transfers:
        if transfer.key in keys:
            raise ValueError(f"the transfer {transfer.key} is there twice")
        keys.add(transfer.key)
        seen.append(transfer)
    for account, balance in balances(seen).items():
        if balance < 0:
            raise ValueError(f"{account} is overdrawn by {-balance}")


def _within(
    key: str,
    account_id: int,
    currency: str,
    amount_minor: int,
    sides: tuple[Kind, Kind],
    kind: str,
) -> Transfer:
    debit, credit = (LedgerAccountRef(account_id, side, currency) for side in sides)
    return Transfer(key, debit, credit, amount_minor, kind)
