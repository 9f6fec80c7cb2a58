"""Statements: the list, and each one's PDF."""

from flask import Blueprint, Response, make_response, request

from webapp import clock
from webapp.actions import statement_list, statements
from webapp.htmx import render
from webapp.permissions import SIGNED_IN, allows
from webapp.security import require_viewer

views = Blueprint("statements", __name__)

FILTERS = ("kind", "from", "to", "q")


@views.get("/statements")
@allows(SIGNED_IN)
def index() -> Response:
    viewer = require_viewer()
    asked = statement_list.asked_for(request.args)
    rows, after = statement_list.page(viewer, asked, request.args.get("after", ""), clock.now())
    words = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    return render(
        "pages/statements/index.html",
        "partials/statements/list.html",
        422 if asked.errors else 200,
        statements=rows,
        more={**words, "after": after} if after else None,
        words=words,
        errors=asked.errors,
        kinds=statement_list.kinds_for(viewer),
    )


@views.get("/statements/<number>.pdf")
@allows(SIGNED_IN)
def show(number: str) -> Response:
    """The document's own bytes; until the worker rendered them, a page that says so."""
    statement = statements.document(require_viewer(), number)
    if statement.pdf is None:
        response = render("pages/statements/preparing.html", status=503, statement=statement)
        response.headers["Retry-After"] = "5"
        return response
    response = make_response(bytes(statement.pdf))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{statement.number}.pdf"'
    return response
