"""What was written into the form to add people, kept while its writer shows who they are."""

import json

from flask import request
from flask import session as cookie

from webapp.actions import sessions
from webapp.errors import Invalid, NotAllowed
from webapp.models import Session
from webapp.views.offer import TEXTS

NAMES = ("emails", "licence", "role", "locale", *TEXTS)
# A browser keeps 4 kB in a cookie.
MOST = 1500


def through_proof(session: Session) -> None:
    """Raises NotAllowed ("proof") where that is to be shown first; Invalid ("proof") where more was
    written than can be kept, so that it stays on the page meanwhile."""
    try:
        sessions.require_fresh(session)
    except NotAllowed as error:
        written = {name: request.form[name] for name in NAMES if request.form.get(name)}
        if len(json.dumps(written)) > MOST:
            raise Invalid("proof", field="emails") from error
        cookie["adding"] = written
        raise


def before() -> dict[str, str]:
    """What was kept, once."""
    found: dict[str, str] = cookie.pop("adding", {}) if "adding" in cookie else {}
    return found
