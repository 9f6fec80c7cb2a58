"""Statements to take away: what a filter shows as CSV, as XLSX, and the documents as ZIP."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from webapp import archives, clock, spreadsheets
from webapp.actions import statement_list
from webapp.actions.statement_filter import Asked, asked_for, month_of
from webapp.database import connected
from webapp.downloads import csv_of, file_name, lines_of
from webapp.htmx import render
from webapp.models import Statement
from webapp.permissions import SIGNED_IN, Viewer, allows
from webapp.policy import policy
from webapp.security import require_viewer
from webapp.texts import folded
from webapp.views import statement_words
from webapp.views.errors import shown
from webapp.views.statement_rows import cells_for, columns
from webapp.views.statements import desk, words_asked

views = Blueprint("exports", __name__)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Documents of one query.
DOCUMENTS = 20
# What the list inside an archive takes of memory before it waits on the disk.
IN_MEMORY = 256 * 1024
PIECE = 64 * 1024


@views.get("/statements.csv")
@allows(SIGNED_IN)
def csv() -> Response:
    viewer, asked, now = require_viewer(), asked_for(request.args), clock.now()
    if asked.errors:
        return desk(viewer, asked, 422)
    headings, cells = [name for name, _width in columns()], cells_for(viewer)
    rows = (cells(one) for one in statement_list.every(viewer, asked, now))
    return download(csv_of(_headed(headings, rows)), "text/csv", _named(asked, ".csv"))


@views.get("/statements.xlsx")
@allows(SIGNED_IN)
def xlsx() -> Response:
    viewer, asked, now = require_viewer(), asked_for(request.args), clock.now()
    if asked.errors:
        return desk(viewer, asked, 422)
    if not spreadsheets.is_installed():
        return shown(501, "xlsx")
    cells = cells_for(viewer)
    rows = (cells(one) for one in statement_list.every(viewer, asked, now))
    pieces = spreadsheets.xlsx_of(_("Statements"), columns(), rows, now)
    return download(pieces, XLSX, _named(asked, ".xlsx"))


@views.get("/statements.zip")
@allows(SIGNED_IN)
def archive() -> Response:
    """All documents; or, while one of them is not rendered, none, unless one asks for the others
    with `missing=listed`. The list inside names every statement, with its file or without."""
    viewer, asked, now = require_viewer(), asked_for(request.args), clock.now()
    if asked.errors:
        return desk(viewer, asked, 422)
    missing = statement_list.unrendered(viewer, asked, now)
    if missing and request.args.get("missing") != "listed":
        return _come_back(missing)
    pieces = archives.zip_of(_files(viewer, asked, now))
    return download(
        pieces, "application/zip", _named(asked, ".zip", _("incomplete") if missing else "")
    )


def download(pieces: Iterable[Any], mimetype: str, name: str) -> Response:
    """An answer that leaves while it is made."""
    response = Response(connected(pieces), mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _come_back(missing: int) -> Response:
    page = "pages/statements/preparing_many.html"
    response = render(page, status=503, missing=missing, words=words_asked())
    response.headers["Retry-After"] = "5"
    return response


def _headed(headings: list[str], rows: Iterable[Iterable[object]]) -> Iterator[Iterable[object]]:
    yield headings
    yield from rows


def _files(viewer: Viewer, asked: Asked, now: datetime) -> Iterator[archives.File]:
    """The documents, and at the end the list of them, which is written meanwhile."""
    cells, kinds = cells_for(viewer), statement_words.kinds()
    headings = [_("File"), *(name for name, _width in columns()), "SHA-256"]
    zone = ZoneInfo(policy().billing_zone)

    def name_of(row: Statement) -> str:
        """By day, number and kind, in which order they sort."""
        parts = (row.issued_on.isoformat(), row.number, folded(kinds[row.kind]))
        return "_".join(parts).replace(" ", "-") + ".pdf"

    def files() -> Iterator[archives.File]:
        found = statement_list.every(viewer, asked, now, Statement.pdf, in_a_chunk=DOCUMENTS)
        with SpooledTemporaryFile(IN_MEMORY) as listed:
            listed.writelines(piece.encode() for piece in csv_of([headings]))
            for one in found:
                row, name = one.statement, ""
                if row.pdf is not None:
                    name = name_of(row)
                    yield name, row.issued_at.astimezone(zone), [bytes(row.pdf)], False
                line = [name, *cells(one), row.sha256 or ""]
                listed.writelines(piece.encode() for piece in lines_of([line]))
            listed.seek(0)
            yield "index.csv", now.astimezone(zone), iter(lambda: listed.read(PIECE), b""), True

    return files()


def _named(asked: Asked, ending: str, more: str = "") -> str:
    """Such as statements-2026-11-refund.csv: names of one folder sort by what is in them."""
    parts = [
        _("statements"),
        _period(asked),
        statement_words.kinds().get(asked.kind, ""),
        statement_words.states().get(asked.state, ""),
        _("search") if asked.q else "",
        more,
    ]
    return file_name([folded(part) for part in parts], ending)


def _period(asked: Asked) -> str:
    first, last = asked.first, asked.last
    if first and last:
        whole = (first, last) == month_of(first)
        return f"{first:%Y-%m}" if whole else f"{first.isoformat()}_{last.isoformat()}"
    if first:
        return str(_("from %(day)s", day=first.isoformat()))
    return str(_("until %(day)s", day=last.isoformat())) if last else ""
