"""A file of people to invite: taking it in, its columns, its rows, its progress."""

from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _

from webapp import clock
from webapp.actions import limits, sessions, uploads
from webapp.actions.uploads import rows
from webapp.downloads import csv_of
from webapp.errors import Invalid, Stale
from webapp.htmx import go, render, unchanged_or, wants_partial
from webapp.i18n import ngettext
from webapp.imports.people_columns import FIELDS, recognised
from webapp.models import Upload
from webapp.permissions import INVITE, allows
from webapp.security import require_viewer
from webapp.views.offer import chosen_offer
from webapp.views.users import adding

views = Blueprint("uploads", __name__)

VERDICTS = ("ready", "malformed", "repeated", "member", "invited", "admin", "later", "sent")


@views.get("/uploads")
@allows(INVITE)
def index() -> Response:
    return _form({})


@views.get("/uploads/template.csv")
@allows(INVITE)
def template() -> Response:
    """The headings alone: an example's address would be invited."""
    headings = [
        *(_("Email"), _("First name"), _("Last name"), _("Department")),
        *(_("Job title"), _("Location"), _("Licence"), _("Role"), _("Language")),
    ]
    return _download([headings], _("people.csv"))


@views.post("/uploads")
@allows(INVITE)
def create() -> Response:
    given = request.files.get("file")
    try:
        if given is None or not given.filename:
            raise Invalid("file", field="file")
        content = given.read(uploads.MOST_BYTES + 1)
        membership = require_viewer().membership
        upload = uploads.create(membership, given.filename, content, chosen_offer())
    except Invalid as error:
        return _form({error.facts["field"]: error.code}, 422)
    return go("uploads.show", upload_id=upload.id)


@views.get("/uploads/<bounded:upload_id>")
@allows(INVITE)
def show(upload_id: int) -> Response:
    upload = _find(upload_id)
    if upload.is_draft and (not upload.total or "columns" in request.args):
        return _columns(upload)
    if "until" in request.args:
        return _rows(upload, "partials/uploads/live.html")
    return _rows(upload, "partials/uploads/more.html" if "after" in request.args else None)


@views.post("/uploads/<bounded:upload_id>/columns")
@allows(INVITE)
def columns(upload_id: int) -> Response:
    chosen = {
        field: int(request.form[field])
        for field in FIELDS
        if request.form.get(field, "").isdecimal() and len(request.form[field]) < 5
    }
    try:
        uploads.choose_columns(require_viewer().membership, upload_id, chosen)
    except Invalid as error:
        if error.facts["field"] == "email":
            return _columns(_find(upload_id), error.code)
        return _form({"file": error.code}, 422)
    return go("uploads.show", upload_id=upload_id)


@views.post("/uploads/<bounded:upload_id>/rows/<bounded:row_id>")
@allows(INVITE)
def mend(upload_id: int, row_id: int) -> Response:
    upload = _find(upload_id)
    row = rows.mend(require_viewer().membership, upload, row_id, request.form.get("email", ""))
    if not wants_partial():
        return go("uploads.show", upload_id=upload_id, verdict=request.form.get("verdict"))
    showing = _showing(upload)
    return make_response(render_template("partials/uploads/mended.html", row=row, **showing))


@views.post("/uploads/<bounded:upload_id>/confirmation")
@allows(INVITE)
def confirm(upload_id: int) -> Response:
    try:
        _ask_for_proof(upload_id)
        upload = uploads.confirm(require_viewer().membership, upload_id)
    except Stale:
        return _changed_meanwhile(upload_id)
    flash(
        ngettext(
            "%(num)d invitation goes out in the background. You can leave this page.",
            "%(num)d invitations go out in the background. You can leave this page.",
            upload.confirmed,
        )
    )
    return go("uploads.show", upload_id=upload_id)


@views.post("/uploads/<bounded:upload_id>/cancellation")
@allows(INVITE)
def cancel(upload_id: int) -> Response:
    try:
        was_draft = _find(upload_id).is_draft
        uploads.cancel(require_viewer().membership, upload_id)
    except Stale:
        flash(_("Too late to stop: everything was sent."), "warning")
        was_draft = False
    if was_draft:
        return go("users.index")
    return go("uploads.show", upload_id=upload_id)


@views.post("/uploads/<bounded:upload_id>/resumption")
@allows(INVITE)
def resume(upload_id: int) -> Response:
    try:
        _ask_for_proof(upload_id)
        uploads.resume(require_viewer().membership, upload_id)
    except Stale:
        return _changed_meanwhile(upload_id)
    return go("uploads.show", upload_id=upload_id)


def _ask_for_proof(upload_id: int) -> None:
    """Whoever makes administrators shows first who they are."""
    if rows.ask_for_admins(_find(upload_id)):
        sessions.require_fresh(require_viewer().session)


@views.get("/uploads/<bounded:upload_id>/progress")
@allows(INVITE)
def progress(upload_id: int) -> Response:
    upload = _find(upload_id)
    page = render_template("partials/uploads/progress.html", upload=upload, **_rest(upload))
    answer = unchanged_or(make_response(page))
    if answer.status_code == 200:
        answer.headers["HX-Trigger"] = "upload:moved"
    return answer


@views.get("/uploads/<bounded:upload_id>/rows.csv")
@allows(INVITE)
def download(upload_id: int) -> Response:
    """One result a row, in the order of the file; `only=failed` for those nobody was invited by."""
    upload = _find(upload_id)
    words = current_app.jinja_env.get_template("partials/users/words.html").module
    said = {name: str(words.verdict(name)).strip() for name in VERDICTS}  # type: ignore[attr-defined]
    if upload.status in ("canceled", "done"):
        said["ready"] = _("Not sent")
    headings = (_("Row"), _("Email"), _("Name"), _("Department"), _("Result"))
    found = (
        (row.line, row.email, row.name, row.department, said[row.verdict])
        for row in rows.each(upload, failed=request.args.get("only") == "failed")
    )
    return _download((headings, *found), _("results-%(number)d.csv", number=upload.id))


def _rows(upload: Upload, partial: str | None = None, status: int = 200) -> Response:
    return render("pages/uploads/show.html", partial, status, **_showing(upload))


def _changed_meanwhile(upload_id: int) -> Response:
    flash(
        _("Nothing was done: this file changed in the meantime. Here is how it stands."), "warning"
    )
    return _rows(_find(upload_id), status=409)


def _find(upload_id: int) -> Upload:
    return uploads.find(require_viewer().account, upload_id)


def _form(errors: dict[str, str], status: int = 200) -> Response:
    account = require_viewer().account
    context = {**adding(), "values": request.form, "errors": errors}
    newest = uploads.newest(account)
    return render("pages/uploads/index.html", None, status, newest=newest, **context)


def _columns(upload: Upload, error: str = "") -> Response:
    """Which column holds what, with the first rows to see it by."""
    sheet = uploads.sheet_of(upload)
    first = [cells for _line, cells in _some(sheet.rows(), 4)]
    samples = first[1:] if upload.headings else first[:3]
    width = max(map(len, first))
    names = [
        (upload.headings[at] if at < len(upload.headings) else "")
        or _("Column %(number)d", number=at + 1)
        for at in range(width)
    ]
    return render(
        "pages/uploads/columns.html",
        None,
        422 if error else 200,
        upload=upload,
        names=names,
        samples=samples,
        chosen=upload.columns or recognised(upload.headings),
        error=error,
    )


def _some(lines: Any, most: int) -> list[Any]:
    return [line for line, _number in zip(lines, range(most), strict=False)]


def _showing(upload: Upload) -> dict[str, Any]:
    """The rows that the address bar asks for, and what is said above them."""
    counts = rows.counts(upload)
    verdict = request.values.get("verdict", "")
    if verdict not in VERDICTS:
        # What has to be mended comes first.
        verdict = "malformed" if upload.is_draft and counts.get("malformed") else ""
    if request.values.get("verdict") == "all":
        verdict = ""
    after, until = _line("after"), _line("until")
    found, has_more = rows.page(upload, verdict, after, until)
    return {
        **adding(),
        **_rest(upload),
        "upload": upload,
        "counts": counts,
        "verdict": verdict,
        "rows": found,
        "after": after,
        "until": found[-1].line if has_more else until,
        "has_more": has_more,
        "licensed": rows.licensed(upload) if upload.is_draft else 0,
        "locales": rows.locales(upload) if upload.is_draft else [],
        "verdicts": VERDICTS,
    }


def _line(name: str) -> int:
    """A line of the file that the address names, or 0."""
    written = request.args.get(name, "")
    return int(written) if written.isdecimal() and len(written) < 9 else 0


def _rest(upload: Upload) -> dict[str, Any]:
    """When what has not gone out yet does."""
    count = rows.counts(upload).get("ready", 0) if upload.is_draft else upload.left
    return {"schedule": limits.schedule(require_viewer().account, count, clock.now())}


def _download(lines: Any, name: str) -> Response:
    response = Response(csv_of(lines, str(get_locale())), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
