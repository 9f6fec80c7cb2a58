"""What lines bring about besides their rows, carried out together at the end of a chunk."""

from dataclasses import dataclass, field

from invoices.ledger import Transfer


@dataclass(slots=True)
class Effects:
    """`captured` are payments (reference, currency, amount) of the simulated gateway."""

    transfers: list[Transfer] = field(default_factory=list)
    captured: list[tuple[str, str, int]] = field(default_factory=list)

    def extend(self, other: "Effects") -> None:
        self.transfers.extend(other.transfers)
        self.captured.extend(other.captured)
