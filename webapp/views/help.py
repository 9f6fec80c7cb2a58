"""Help beside the work, and an organisation's join page with its QR code (rule I14)."""

from email.utils import parseaddr
from typing import Any

from flask import Blueprint, Response, make_response, url_for

from webapp import qr
from webapp.actions import accounts
from webapp.htmx import render
from webapp.models import Account
from webapp.permissions import INVITE, PUBLIC, allows
from webapp.policy import policy
from webapp.security import current_viewer

views = Blueprint("help", __name__)


@views.get("/help")
@allows(PUBLIC)
def show() -> Response:
    viewer = current_viewer()
    account = viewer.account if viewer is not None and viewer.may(INVITE) else None
    return render("pages/help/index.html", account=account, **_facts(account))


@views.get("/o/<public_id>")
@allows(PUBLIC)
def organisation(public_id: str) -> Response:
    """How to join; the same for everybody, so that it tells of nobody whether they are invited."""
    account, viewer = accounts.organisation(public_id), current_viewer()
    is_member = viewer is not None and viewer.account == account
    return render("pages/help/organisation.html", account=account, is_member=is_member, **_facts())


@views.get("/o/<public_id>/qr.svg")
@allows(PUBLIC)
def code(public_id: str) -> Response:
    """Of nothing but the address of the organisation's join page."""
    response = make_response(qr.svg(_address_of(accounts.organisation(public_id))))
    response.content_type = "image/svg+xml"
    return response


def _facts(account: Account | None = None) -> dict[str, Any]:
    """The figures that the pages give: the operator's settings, and the organisation's own."""
    return {
        "sender": parseaddr(policy().mail.sender)[1],
        "invitation_days": account.invitations_live.days if account else policy().invitation_days,
        "undo_hours": policy().undo_hours,
        "join_address": _address_of(account) if account is not None else "",
    }


def _address_of(account: Account) -> str:
    return policy().base_url + url_for("help.organisation", public_id=account.public_id)
