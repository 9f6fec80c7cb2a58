"""Statements, and copies of invoices → PDF bytes: tagged, fonts embedded, nothing fetched (rules
D3 and D5)."""

import re
from functools import cache
from pathlib import Path
from threading import Lock

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from invoices.copy_wording import CopyWording
from invoices.invoice_copy import InvoiceCopy
from invoices.statement import Statement
from invoices.tags import describe_headers
from invoices.wording import Wording

FOLDER = Path(__file__).parent
OWN_FONTS = {
    f"statement-font:{name}": (FOLDER / "fonts" / name).read_bytes()
    for name in ("inter-regular.ttf", "inter-semibold.ttf")
}
# So many of the widest letters fit in the narrowest place for words. What is joined by spaces that
# do not break is one word.
LONG_WORD = re.compile(r"[^ \n<>]{15}(?![^<]*>)")

# Pango's font map, shared by all renderings, is not made for several threads at once.
_one_at_a_time = Lock()


class ClosedFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Serves our own fonts from memory; any other address fails without a look at it, and is
    kept in `refused`: WeasyPrint itself goes on without what it could not have."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url not in OWN_FONTS:
            self.refused.append(url)
            raise ValueError("a statement fetches nothing but its own fonts")
        return URLFetcherResponse(url, OWN_FONTS[url], {"Content-Type": "font/ttf"})


def render(statement: Statement) -> bytes:
    """A PDF/UA-1 document; the same statement makes the same bytes."""
    return document(markup("statement.html", statement, Wording(statement)))


def render_copy(copy: InvoiceCopy) -> bytes:
    """The same of a copy of an invoice."""
    return document(markup("invoice_copy.html", copy, CopyWording(copy)))


def markup(template: str, shown: Statement | InvoiceCopy, wording: Wording | CopyWording) -> str:
    """The document in HTML."""
    return _templates().get_template(template).render(document=shown, w=wording)


def document(page: str) -> bytes:
    """The PDF of a page in HTML. ValueError when it asks for anything but our fonts."""
    fetcher = ClosedFetcher()
    with _one_at_a_time:
        style, long_words, fonts = _look()
        styles = [style, long_words] if LONG_WORD.search(page) else [style]
        content: bytes = HTML(string=page, url_fetcher=fetcher).write_pdf(
            finisher=describe_headers,
            stylesheets=styles,
            font_config=fonts,
            pdf_variant="pdf/ua-1",
        )
    # Names are escaped and ask for nothing: what does ask should be sent to nobody.
    if fetcher.refused:
        raise ValueError("a statement fetches nothing but its own fonts")
    return content


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _look() -> tuple[CSS, CSS, FontConfiguration]:
    fonts = FontConfiguration()
    style, long_words = (
        CSS(
            string=(FOLDER / "templates" / name).read_text(encoding="utf-8"),
            font_config=fonts,
            url_fetcher=ClosedFetcher(),
        )
        for name in ("statement.css", "long_words.css")
    )
    return style, long_words, fonts
