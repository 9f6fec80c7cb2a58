"""What comparing a month found: figures by currency, and differences, each with its name."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

# The names of differences that explain themselves: the sides are only not there at the same time.
EXPLAINED = ("other month", "gateway ahead", "not asked yet", "given back elsewhere")


@dataclass(frozen=True, slots=True)
class Difference:
    """`name` says what it is; of `subject`, such as "refund:12" or "settlement:7", one side has
    `ours_minor` and the other `theirs_minor`. `number` and `payment` help to find it."""

    name: str
    subject: str
    currency: str
    ours_minor: int
    theirs_minor: int
    number: str = ""
    payment: str = ""

    @property
    def is_explained(self) -> bool:
        return self.name in EXPLAINED


def _figures() -> dict[str, dict[str, int]]:
    return defaultdict(lambda: defaultdict(int))


@dataclass(slots=True)
class Found:
    """`figures` are minor units or counts by currency and name; names with a `#` are counts.
    `outside` counts what the gateway did for payments that are not known here, and `unasked` the
    refunds of another gateway than the one in use."""

    gateway: str
    figures: dict[str, dict[str, int]] = field(default_factory=_figures)
    differences: list[Difference] = field(default_factory=list)
    outside: int = 0
    unasked: int = 0
    # By currency and part, what the differences take from one side's balance to the other's.
    told: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, currency: str, name: str, minor: int) -> None:
        self.figures[currency][name] += minor

    def note(self, *parts: Any, **named: Any) -> None:
        """A Difference of these parts."""
        self.differences.append(Difference(*parts, **named))

    def count(self, currency: str, name: str, minor: int, number: int = 1) -> None:
        self.add(currency, name, minor)
        self.add(currency, f"{name}#", number)

    @property
    def unexplained(self) -> int:
        return sum(not one.is_explained for one in self.differences)

    def to_json(self) -> dict[str, Any]:
        return {
            "gateway": self.gateway,
            "figures": {currency: dict(named) for currency, named in self.figures.items()},
            "differences": [
                {name: getattr(one, name) for name in Difference.__slots__}
                | {"is_explained": one.is_explained}
                for one in self.differences
            ],
            "outside": self.outside,
            "unasked": self.unasked,
        }
