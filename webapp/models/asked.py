"""What the list of people is asked for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

FILTERS = ("active", "pending", "attention", "expired", "refused", "declined", "revoked")
SORTS = ("-since", "since", "name", "-name")

# What a row is sorted by, its kind and its id.
Key = tuple[datetime | str, str, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is asked for. Empty means any; `after` and `until` are the keys between which
    people are shown, the latter one included."""

    q: str = ""
    status: str = ""
    role: str = ""
    licence: str = ""
    department: str = ""
    inviter: int | None = None
    sort: str = "-since"
    after: Key | None = None
    until: Key | None = None

    @property
    def is_descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def narrowed(self) -> dict[str, Any]:
        """The filters in force, by the name that they have in the address bar."""
        names = ("role", "licence", "department", "inviter")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    @property
    def shown(self) -> dict[str, Any]:
        """All that the address bar says of the list."""
        said = {"status": self.status, "q": self.q, **self.narrowed}
        said["sort"] = "" if self.sort == SORTS[0] else self.sort
        return {name: value for name, value in said.items() if value}
