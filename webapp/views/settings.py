"""The organisation's own settings."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from webapp.actions import organisations, sessions
from webapp.actions.organisations import Settings
from webapp.errors import Invalid
from webapp.htmx import go, render
from webapp.permissions import GRANT_ADMIN, SETTINGS, allows
from webapp.policy import policy
from webapp.security import require_viewer

views = Blueprint("settings", __name__)

NAMES = tuple(each.name for each in fields(Settings))


@views.get("/settings")
@allows(SETTINGS)
def show() -> Response:
    account = require_viewer().account
    values = {name: getattr(account, name) for name in NAMES}
    # Nothing stands for no reminder, and for the operator's number of days.
    days = {name: values[name] or "" for name in organisations.DAYS}
    return _page(values | days)


@views.post("/settings")
@allows(SETTINGS)
def change() -> Response:
    wanted: dict[str, Any] = {name: request.form.get(name, "") for name in NAMES}
    wanted["basic_when_full"] = "basic_when_full" in request.form
    try:
        organisations.change(require_viewer().membership, Settings(**wanted))
    except Invalid as error:
        return _page(wanted, 422, {error.facts["field"]: error.code})
    flash(_("The settings are saved."))
    return go("settings.show")


@views.post("/settings/second-factor")
@allows(GRANT_ADMIN)
def ask_for_factor() -> Response:
    viewer, of_whom = require_viewer(), request.form.get("second_factor", "none")
    sessions.require_fresh(viewer.session)
    organisations.ask_for_factor(viewer.membership, of_whom)
    flash(_("The settings are saved."))
    return go("settings.show")


def _page(
    values: Mapping[str, Any], status: int = 200, errors: dict[str, str] | None = None
) -> Response:
    viewer = require_viewer()
    return render(
        "pages/settings/index.html",
        None,
        status,
        account=viewer.account,
        may_ask_for_factor=viewer.may(GRANT_ADMIN),
        values=values,
        errors=errors or {},
        default_days=policy().invitation_days,
        note_most=organisations.NOTE_MOST,
    )
