"""Names that would have a statement bring in files or pages (rule D5)."""

import http.server
import io
import threading
import unicodedata
from dataclasses import replace

import pytest
from pypdf import PdfReader
from pypdf.generic import StreamObject
from weasyprint.urls import URLFetcher

from invoices import pdf
from invoices.parts import Party
from invoices.pdf import ClosedFetcher, render

CANARY = "canary-in-the-file"


def brought_in(content, seen):
    """What a document fetched or holds of what it must not, in whatever stream it is."""
    reader = PdfReader(io.BytesIO(content))
    numbers = set(reader.xref_objStm).union(*reader.xref.values()) - {0}
    objects = [reader.get_object(number) for number in sorted(numbers)]
    streams = [each.get_data() for each in objects if isinstance(each, StreamObject)]
    found = [*seen, *reader.attachments, *(["embedded"] if b"EmbeddedFile" in content else [])]
    if CANARY in words_of(content) or any(CANARY.encode() in stream for stream in streams):
        found.append("canary")
    return found


def words_of(content):
    pages = PdfReader(io.BytesIO(content)).pages
    return unicodedata.normalize("NFKC", "".join(page.extract_text() for page in pages))


def squeezed(text):
    """Without spaces, which a line's end may have taken the place of."""
    return "".join(text.split())


@pytest.fixture
def listener():
    """A web server that writes down every request, and its address. /to/x sends on to /x, and all
    else is a text with a canary."""
    seen = []

    class Seen(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            is_elsewhere = self.path.startswith("/to/")
            self.send_response(302 if is_elsewhere else 200)
            if is_elsewhere:
                self.send_header("Location", self.path.removeprefix("/to"))
            self.end_headers()
            self.wfile.write(b"" if is_elsewhere else CANARY.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Seen)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


def fetching(address, secret):
    """Pieces of HTML each of which would bring something in, were it not escaped."""
    return [
        f'<link rel=attachment href="file://{secret}">',
        f"<link rel=attachment href='{address}/attachment'>",
        f'<link rel=stylesheet href="{address}/style">',
        f'<link rel=stylesheet href="file://{secret}">',
        f'<a rel=attachment href="file://{secret}">x</a>',
        f"<img src={address}/image alt=x>",
        f'<img src="file://{secret}" alt=x>',
        f'<img srcset="{address}/set 2x" src="{address}/set" alt=x>',
        f"<style>@import url({address}/import)</style>",
        f"<style>body {{ background: url({address}/background) }}</style>",
        f"<style>li {{ list-style-image: url({address}/list) }}</style><ul><li>x</ul>",
        f"<style>p::before {{ content: url({address}/content) }}</style><p>x</p>",
        f"<style>@page {{ background: url({address}/page) }}</style>",
        f'<style>@font-face {{ font-family: X; src: url("{address}/font") }} * {{ font-family: X }}'
        "</style>x",
        f'<p style="border-image: url({address}/border) 1; border: 1px solid">x</p>',
        f'<p style="background: url(file://{secret})">x</p>',
        f'<object data="{address}/object"></object>',
        f'<embed src="file://{secret}">',
        f'<svg><image href="{address}/svg" width="9" height="9"/></svg>',
        f'<img src="{address}/to/elsewhere" alt=x>',
        f"<link rel=attachment href='{address}/to/elsewhere'>",
        f"<style>@import url({address}/to/elsewhere)</style>",
        f"<style>@import 'file://{secret}'</style>",
        "<style>@import 'data:text/css,body{color:red}'</style>",
        "<link rel=attachment href='data:text/plain,carried'>",
        f"""<img src="data:image/svg+xml,&lt;svg xmlns='http://www.w3.org/2000/svg'&gt;&lt;image
            href='{address}/nested'/&gt;&lt;/svg&gt;" alt=x>""",
        f'<base href="{address}/"><img src="relative" alt=x>',
        '<img src="data:image/svg+xml,&lt;svg/&gt;" alt=x>',
    ]


def harmless(address, secret):
    """Pieces that bring nothing in as they are, and must not begin to."""
    return [
        f'<svg><use href="{address}/use#x"/></svg>',
        f"<svg><style>@import url({address}/svg-style)</style></svg>",
        f'<script src="{address}/script"></script>',
        f'<iframe src="{address}/frame"></iframe>',
        f'<meta http-equiv=refresh content="0; url={address}/meta">',
        f'<form action="{address}/form"><input name=x></form>',
        f"{{{{ ''.__class__ }}}} {{% include '{secret}' %}}",
        f"]]><!ENTITY x SYSTEM 'file://{secret}'> &x;",
    ]


def test_hostile_names_are_printed_as_they_are_and_fetch_nothing(
    statement_of, seller, listener, tmp_path
):
    address, seen = listener
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    payloads = fetching(address, secret) + harmless(address, secret)
    assert len(payloads) > 30
    # Four in each, for rendering takes long; a field that is escaped is so for any of them.
    for at in range(0, len(payloads), 4):
        four = first, second, third, fourth = (payloads[at:] + payloads)[:4]
        statement = statement_of(
            "credit",
            number=first[:20],
            seller=replace(seller, name=first, registration=first),
            customer=Party(second, third, second[:2], second),
            organisation=fourth,
        )
        content = render(statement)
        assert brought_in(content, seen) == [], four
        words = squeezed(words_of(content))
        assert [payload for payload in four if squeezed(payload) not in words] == []


NAMES = (
    "שלום " * 40,
    "مرحبا Аtеliеr",  # the Latin-looking letters are Cyrillic
    "a\u0301\u0323" * 40,
    "https://evil.example www.evil.example bob@evil.example",
    "{{ 7*7 }} {% raw %} %(organisation)s ${7*7}",
    "E" * 400,
)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:12])
def test_a_hostile_name_is_words_and_leads_nowhere(statement_of, seller, name):
    content = render(
        statement_of(
            "account_credit",
            seller=replace(seller, name=name),
            customer=Party(name, f"{name}\n{name}", "FR", name),
            organisation=name,
            individual=name,
        )
    )
    pages = PdfReader(io.BytesIO(content)).pages
    links = [one.get_object() for page in pages for one in page.get("/Annots", ())]
    assert [link for link in links if "/A" in link] == []
    assert "49,97" in squeezed(words_of(content))
    assert "<" not in words_of(content)
    assert "7*7" in words_of(content) or "7*7" not in name


def test_a_page_that_fetches_anything_is_refused(listener, tmp_path):
    """Even unescaped: the page is not rendered without the thing, it is not rendered at all."""
    address, seen = listener
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    for payload in fetching(address, secret):
        with pytest.raises(ValueError, match="fetches nothing"):
            pdf.document(f"<html lang=en><title>x</title><body>{payload}")
    for payload in harmless(address, secret):
        content = pdf.document(f"<html lang=en><title>x</title><body>{payload}")
        assert brought_in(content, seen) == []
    assert seen == []


class OpenFetcher(URLFetcher):
    """WeasyPrint's own, which serves the statement's fonts as well."""

    def __init__(self):
        super().__init__()
        self.refused = []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ('<link rel=attachment href="file://SECRET">', ["canary", "embedded", "secret"]),
        ("<link rel=attachment href='data:text/plain,CANARY'>", ["canary", "embedded"]),
        ("<img src='ADDRESS/image' alt=x>", ["/image"]),
        ("<img src='ADDRESS/to/elsewhere' alt=x>", ["/elsewhere", "/to/elsewhere"]),
        ("<p>CANARY</p>", ["canary"]),
    ],
)
def test_an_open_program_is_found_out(listener, tmp_path, monkeypatch, planted, found):
    """What finds nothing in a program that fetches would prove nothing of one that does not."""
    address, seen = listener
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    monkeypatch.setattr(pdf, "ClosedFetcher", OpenFetcher)
    for word, value in (("SECRET", secret), ("ADDRESS", address), ("CANARY", CANARY)):
        planted = planted.replace(word, str(value))

    content = pdf.document(f"<html lang=en><title>x</title><body>{planted}")

    assert set(found) <= set(brought_in(content, seen))


def test_after_a_refusal_the_next_statement_is_as_it_would_have_been(statement_of):
    before = render(statement_of("refund"))
    with pytest.raises(ValueError, match="fetches nothing"):
        pdf.document("<html lang=en><title>x</title><body><img src='http://127.0.0.1/' alt=x>")
    assert render(statement_of("refund")) == before


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://127.0.0.1/", "data:text/plain,x", "statement-font:../pdf.py",
     "statement-font:inter-regular.ttf?x", "", "ftp://127.0.0.1/"],
)  # fmt: skip
def test_the_fetcher_serves_our_fonts_and_nothing_else(url):
    with pytest.raises(ValueError, match="own fonts"):
        ClosedFetcher().fetch(url)
    assert ClosedFetcher().fetch("statement-font:inter-regular.ttf").read()[:4] == b"\0\1\0\0"
