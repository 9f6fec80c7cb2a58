"""The admins' one page: who is in, who is pending, and adding people."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from webapp import clock
from webapp.actions import invitations
from webapp.htmx import render
from webapp.models import people
from webapp.models.people import Asked
from webapp.permissions import GRANT_ADMIN, SEE_USERS, allows
from webapp.security import require_viewer

views = Blueprint("users", __name__)


@views.get("/users")
@allows(SEE_USERS)
def index() -> Response:
    page = "partials/users/rows.html" if "after" in request.args else "partials/users/list.html"
    return render("pages/users/index.html", page, **listing(), **adding())


def listing() -> dict[str, Any]:
    """What the list shows, as the address bar asks for it."""
    account, now, asked = require_viewer().account, clock.now(), asked_for()
    rows, has_more = people.page(account, asked, now)
    return {
        "people": rows,
        "has_more": has_more,
        "asked": asked,
        "counts": people.counts(account, now),
        "now": now,
    }


def adding() -> dict[str, Any]:
    """What the form to add people shows around itself."""
    viewer, now = require_viewer(), clock.now()
    return {
        "account": viewer.account,
        "why_not": invitations.why_not_inviting(viewer.membership),
        "seats_used": people.seats_used(viewer.account),
        "orphaned": len(invitations.orphaned(viewer.membership, now)),
        "may_grant_admin": viewer.may(GRANT_ADMIN),
        "values": {},
        "errors": {},
    }


def asked_for() -> Asked:
    """Unknown words in the address mean "any": a shared link still shows a list."""
    args = request.args
    asked = Asked(q=args.get("q", "").replace("\0", "").strip()[:100])
    if args.get("status") in people.FILTERS:
        asked = replace(asked, status=args["status"])
    if args.get("role") in ("owner", *invitations.ROLES):
        asked = replace(asked, role=args["role"])
    if args.get("licence") in invitations.LICENCES:
        asked = replace(asked, licence=args["licence"])
    return replace(asked, after=_cursor(args.get("after", "")))


def _cursor(text: str) -> tuple[datetime, str, int] | None:
    since, _, rest = text.partition("~")
    kind, _, id = rest.partition("~")
    try:
        instant = datetime.fromtimestamp(float(since), UTC)
        number = int(id)
    except (ValueError, OverflowError, OSError):
        return None
    if kind not in ("member", "invitation") or not 0 < number < 2**63:
        return None
    return instant, kind, number
