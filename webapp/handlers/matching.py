"""What was asked for all invitations that match: the next chunk."""

from webapp.actions import matching
from webapp.handlers import Errand


def go_on(errand: Errand) -> bool:
    return matching.go_on(errand.message.id)
