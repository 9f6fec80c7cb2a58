"""The key of a row in a list sorted by an instant and the id: where the next page begins."""

from datetime import UTC, datetime

from webapp.errors import NotThere


def written(at: datetime, id: int) -> str:
    return f"{at.timestamp():.6f}~{id}"


def read(text: str) -> tuple[datetime, int]:
    """Raises NotThere for what is no key."""
    at, _, id = text.partition("~")
    try:
        instant, number = datetime.fromtimestamp(float(at), UTC), int(id)
    except (ValueError, OverflowError, OSError):
        raise NotThere("place") from None
    if not 0 < number < 2**63:
        raise NotThere("place")
    return instant, number
