"""Static files, served by whitenoise and named by their content so that browsers may keep them;
and pages, compressed on the way out."""

import gzip
import hashlib
from collections.abc import MutableMapping
from functools import cache
from pathlib import Path

from flask import Flask, Response, request
from whitenoise import WhiteNoise

FOLDER = Path(__file__).parent / "static"
YEAR = 31_536_000


def install(app: Flask) -> None:
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=FOLDER,
        prefix="static/",
        max_age=YEAR,
        add_headers_function=_add_headers,
    )
    app.jinja_env.globals.update(static=address)
    app.after_request(compress)


def _add_headers(headers: MutableMapping[str, str], path: str, url: str) -> None:
    """Static files pass no view, so they get their own."""
    headers["X-Content-Type-Options"] = "nosniff"


def compress(response: Response) -> Response:
    """A list of fifty people is 60 KB of markup and 5 KB of news. Cookies are SameSite, so that no
    other site can make a signed-in browser ask and learn from the length of the answer."""
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    if not is_page or response.direct_passthrough:
        return response
    before = response.headers.get("Vary")
    response.headers["Vary"] = f"{before}, Accept-Encoding" if before else "Accept-Encoding"
    large = (response.content_length or 0) > 1000
    if large and request.accept_encodings["gzip"] and "Content-Encoding" not in response.headers:
        response.set_data(gzip.compress(response.get_data(), compresslevel=5, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


@cache
def address(name: str) -> str:
    """`app.css` → `/static/app.css?v=<digest>`; a changed file has a new address."""
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
