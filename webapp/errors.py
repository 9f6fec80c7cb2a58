"""What can go wrong in the domain. No HTTP here: views/errors.py maps these in one place.

Each error carries a `code` that names it for programs and templates, and the facts that the page
needs to say what happened, what was kept and what to do."""

from typing import Any


class DomainError(Exception):
    """Something the person can understand and do something about."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class Invalid(DomainError):
    """The input is wrong: shown again beside the field that `facts["field"]` names."""


class NotAllowed(DomainError):
    """The person may not do this in their own account; the page says why."""


class NotThere(DomainError):
    """Not there, or somebody else's: the two look alike."""


class Stale(DomainError):
    """The thing changed in between: nothing was done, the fresh state is shown."""


class Blocked(DomainError):
    """Something must be settled first; `facts["blockers"]` lists it."""


class Gone(DomainError):
    """The link is dead, and the page says why and what to do."""


class TooMany(DomainError):
    """Too often; `facts["retry_after"]` is in seconds."""
