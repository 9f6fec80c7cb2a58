"""One's own data: a copy of all of it, and its erasure."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, make_response, request, session
from flask.json import dumps
from flask_babel import get_locale

from webapp import clock, security
from webapp.actions import erasure as erasing
from webapp.actions import export, sessions
from webapp.errors import Blocked, Invalid, NotAllowed
from webapp.htmx import go, render
from webapp.permissions import PUBLIC, SIGNED_IN, allows
from webapp.security import require_viewer

views = Blueprint("personal", __name__)


@views.get("/account/export.json")
@allows(SIGNED_IN)
def copy() -> Response:
    """Everything that is kept on the person, to take away; docs/personal-data.md says what."""
    viewer = require_viewer()
    text = dumps(export.of(viewer.user, clock.now()), indent=2, sort_keys=False, ensure_ascii=False)
    response = make_response(text + "\n")
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = 'attachment; filename="affluent.json"'
    return response


@views.get("/account/erasure")
@allows(SIGNED_IN)
def erasure() -> Response:
    return _page()


@views.post("/account/erasure")
@allows(SIGNED_IN)
def erase() -> Response:
    try:
        kept = erasing.erase(require_viewer(), bool(request.form.get("gives_up")))
    except (NotAllowed, Blocked) as error:
        return _page(409, problem=error.code)
    except Invalid as error:
        return _page(422, problem=error.code)
    language = str(get_locale())
    security.sign_out()
    session.clear()
    session.update(locale=language, erased=asdict(kept))
    return go("personal.erased")


@views.get("/account/erased")
@allows(PUBLIC)
def erased() -> Response:
    """What was kept, in the browser that erased the rest; nobody else has anything to see here."""
    kept = session.get("erased")
    if kept is None:
        return go("sign_in.show")
    return render("pages/account/erased.html", kept=kept)


def _page(status: int = 200, **context: Any) -> Response:
    viewer = require_viewer()
    return render(
        "pages/account/erasure.html",
        None,
        status,
        me=viewer,
        kept=erasing.kept_of(viewer.user),
        obstacles=erasing.obstacles(viewer.membership, clock.now()),
        plan=erasing.plan_to_give_up(viewer.membership),
        is_fresh=sessions.is_fresh(viewer.session),
        then="erasure",
        is_invited=False,
        email=viewer.user.email,
        **context,
    )
