"""The ledger of a month as a journal for a bookkeeper's own software (docs/journal.md)."""

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from webapp.actions import journal
from webapp.actions.statement_filter import asked_for, month
from webapp.downloads import csv_of, file_name
from webapp.i18n import naming
from webapp.permissions import SEE_BILLING, allows
from webapp.policy import policy
from webapp.security import require_viewer
from webapp.texts import folded
from webapp.views import ledger_words
from webapp.views.exports import download
from webapp.views.statement_rows import amount
from webapp.views.statements import desk

views = Blueprint("journal", __name__)

# The same in every language: programs read them.
COLUMNS = (
    *("date", "entry", "event", "account", "account_name", "party", "party_name"),
    *("debit", "credit", "currency", "text", "document"),
)


@views.get("/journal.csv")
@allows(SEE_BILLING)
def show() -> Response:
    """Needs a month; without one, or with what is none, the form for it says so."""
    viewer = require_viewer()
    errors: dict[str, str] = {}
    first, last = month(request.args.get("month", ""), errors)
    if first is None or last is None:
        return desk(viewer, asked_for({}), 422, journal="month")
    name = file_name([folded(_("journal")), f"{first:%Y-%m}"], ".csv")
    cells = _cells()

    def rows() -> Iterator[tuple[object, ...]]:
        yield COLUMNS
        yield from map(cells, journal.lines(viewer, first, last))

    return download(csv_of(rows()), "text/csv", name)


def _cells() -> Callable[[journal.Line], tuple[object, ...]]:
    accounts, events = ledger_words.accounts(), ledger_words.events()
    named, zone = naming(), ZoneInfo(policy().billing_zone)

    def cells(line: journal.Line) -> tuple[object, ...]:
        person = named(line.person.shown_name) if line.person else ""
        text = events.get(line.event, line.event)
        return (
            line.at.astimezone(zone).date().isoformat(),
            line.entry,
            line.event,
            line.account,
            accounts.get(line.account, line.account),
            line.holder.public_id if line.holder else "",
            line.holder.name if line.holder else "",
            amount(line.debit_minor, line.currency),
            amount(line.credit_minor, line.currency),
            line.currency,
            f"{text} – {person}" if person else text,
            line.document,
        )

    return cells
