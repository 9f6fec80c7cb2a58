"""Every error becomes a page or a fragment here, and nowhere else."""

import logging

from flask import Flask, Response, make_response, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from peewee import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from webapp import errors
from webapp.database import database
from webapp.htmx import go, render, wants_partial
from webapp.security import forget_viewer
from webapp.views import place

log = logging.getLogger("affluent.errors")


def install(app: Flask) -> None:
    app.register_error_handler(errors.NotThere, lambda error: shown(404))
    app.register_error_handler(errors.Invalid, lambda error: shown(422, error.code))
    app.register_error_handler(errors.Stale, lambda error: shown(409))
    app.register_error_handler(errors.Blocked, lambda error: shown(409))
    app.register_error_handler(errors.Gone, lambda error: shown(410))
    app.register_error_handler(errors.TooMany, too_many)
    app.register_error_handler(CSRFError, lambda error: shown(400, "csrf"))
    app.register_error_handler(SecurityError, another_host)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(InterfaceError, database_away)
    app.register_error_handler(Exception, unforeseen)


def shown(status: int, code: str = "") -> Response:
    response = render("pages/error.html", "partials/error.html", status, error=code or str(status))
    if request.method == "POST" and wants_partial():
        # The form stays where it is, with what was written in it.
        response.headers["HX-Retarget"] = "#flash"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def http(error: HTTPException) -> Response:
    if error.code == 401:
        return go("sign_in.show", then=place.of_request())
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    if error.code >= 500:
        log.error("answered %s for %s", error.code, request.endpoint)
    response = shown(error.code)
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def another_host(error: SecurityError) -> Response:
    """No page: its links need a host name that is ours."""
    return make_response(_("This is not the address of this service."), 400)


def too_many(error: errors.TooMany) -> Response:
    response = shown(429)
    response.headers["Retry-After"] = str(error.facts.get("retry_after", 60))
    return response


def database_away(error: Exception) -> Response:
    """The database is away or busy beyond patience: nothing was done, come back soon."""
    log.error("database away: %s", _first(error))
    if not database.is_closed():
        database.close()
    try:
        response = shown(503)
    except (OperationalError, InterfaceError):  # who is it, in which language? It cannot say
        forget_viewer()
        response = shown(503)
    response.headers["Retry-After"] = "5"
    return response


def _first(error: BaseException) -> BaseException:
    """What went wrong at first: after a full disk SQLite has nothing left to roll back, and that
    is an error of its own, by which nobody would know."""
    before = error.__context__
    while before is not None and type(before).__name__ == OperationalError.__name__:
        error, before = before, before.__context__
    return error


def unforeseen(error: Exception) -> Response:
    log.exception("unforeseen error at %s", request.endpoint)
    return shown(500)
