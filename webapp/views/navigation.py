"""The four entries of the navigation: those that this person can use."""

from typing import Any

from flask import Flask, request, url_for
from flask_babel import gettext as _

from webapp import clock
from webapp.actions import needs_hand
from webapp.models import people
from webapp.permissions import OPERATE, SEE_BILLING, SEE_USERS, Viewer
from webapp.security import current_viewer, is_held_up

# Pages that are reached from an entry's own.
OF_ENTRY = {
    "activity": "users",
    "charts": "billing",
    "departures": "account",
    "factors": "account",
    "funnel": "users",
    "invitation": "users",
    "invitations": "users",
    "invoices": "billing",
    "letters": "users",
    "members": "users",
    "month_end": "billing",
    "movements": "billing",
    "needs_hand": "billing",
    "personal": "account",
    "sessions": "account",
    "selections": "users",
    "settings": "users",
    "uploads": "users",
}


def install(app: Flask) -> None:
    # Functions, not values: a fragment has no navigation, and does not pay for it.
    app.jinja_env.globals.update(nav=entries, help_url=lambda: url_for("help.show"))


def entries() -> list[dict[str, Any]]:
    viewer = current_viewer()
    if viewer is None or is_held_up():
        return []
    found = [_entry("account", "account.show", _("Account"), "circle-user")]
    found.insert(0, _entry("statements", "statements.index", _("Statements"), "file-text"))
    if viewer.may(SEE_BILLING):
        found.insert(0, _billing(viewer))
    if viewer.may(SEE_USERS):
        found.insert(0, _users(viewer))
    return found


def _users(viewer: Viewer) -> dict[str, Any]:
    entry = _entry("users", "users.index", _("Users"), "users")
    pending = people.pending_count(viewer.account, clock.now())
    return {**entry, "badge": "partials/invitations/badge.html", "pending": pending}


def _billing(viewer: Viewer) -> dict[str, Any]:
    """With the number of what needs a hand, for the operator's finance."""
    entry = _entry("billing", "billing.show", _("Billing"), "wallet")
    if not viewer.may(OPERATE):
        return entry
    return {**entry, "badge": "partials/billing/badge.html", "pending": needs_hand.count()}


def _entry(name: str, endpoint: str, label: str, icon: str) -> dict[str, Any]:
    here = (request.endpoint or "").partition(".")[0]
    is_here = name == OF_ENTRY.get(here, here)
    return {"url": url_for(endpoint), "label": label, "icon": icon, "current": is_here}
