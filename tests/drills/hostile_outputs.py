"""What leaves the program, read back: a mail, a page, a CSV, an XLSX or a PDF in which somebody's
words are more than words. Each check returns what it found, nothing where all is well; mails and
pages are held against the same ones with plain words."""

import csv
import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from pypdf import PdfReader

from tests.markup import Markup
from tests.smtp import text_of

# What differs from one link, form or moment to the next.
OWN = re.compile(r"[A-Za-z0-9_.-]{43,}")
TARGET = re.compile(r'(?:href|action|src|hx-get|hx-post)="([^"]*)"')
# What a mail reader would make a link of, in whatever script its dots are.
LINKED = re.compile(r"\S*://\S*|\S*[^\W_][.。．｡][^\W_]{2}\S*|\bmailto:\S*")
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
FORMULA = tuple("=+-@\t\r\n\0＝＋－＠")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Parts and elements of a workbook that calculate, fetch or run.
ACTIVE_PARTS = ("externalLinks", "vbaProject", "embeddings", "activeX", "connections", "customXml")
ACTIVE_XML = re.compile(rb'<f[ >/]|<hyperlink|TargetMode="External"|<oleObject|<definedName')
# What makes an object of a PDF an action or a file.
ACTIONS = ("/URI", "/Launch", "/JavaScript", "/GoToR", "/GoToE", "/SubmitForm", "/ImportData")
ACTIVE_KEYS = ("/URI", "/JS", "/AA", "/OpenAction", "/EF", "/EmbeddedFiles")


def faults_of_mail(mail: EmailMessage, plain: EmailMessage) -> list[str]:
    faults = []
    if Counter(mail.keys()) != Counter(plain.keys()):
        faults.append(f"headers {mail.keys()}")
    if (mail["To"], mail["From"]) != (plain["To"], plain["From"]):
        faults.append(f"to {mail['To']} from {mail['From']}")
    if _hidden(mail["Subject"]) or "=?" in mail["Subject"]:
        faults.append(f"a subject {mail['Subject']!r}")
    if _parts(mail) != _parts(plain):
        return [*faults, f"parts {_parts(mail)}"]
    text, html = text_of(mail), text_of(mail, "html")
    if _links(text) != _links(text_of(plain)):
        faults.append(f"links {sorted(_links(text) ^ _links(text_of(plain)))}")
    if _hidden(text.replace("\n", "")):
        faults.append("hidden characters")
    return faults + faults_of_page(html, text_of(plain, "html"))


def faults_of_page(html: str, plain: str) -> list[str]:
    markup = Markup(html)
    faults = [
        fault
        for fault in markup.faults
        if fault not in Markup(plain).faults
        and not fault.startswith("<option value>")
        # A name may well look like a placeholder.
        and "is no text for people" not in fault
    ]
    other = markup.tags - Markup(plain).tags
    del other["wbr"]  # where a long address may end its line
    if other:
        faults.append(f"elements {dict(other)}")
    leads = set(_targets(html)) - set(_targets(plain))
    return faults + ([f"leads to {sorted(leads)}"] if leads else [])


def faults_of_csv(text: str) -> list[str]:
    """As RFC 4180 has it, with the mark in front; no text that a spreadsheet would work out."""
    rows = rows_of_csv(text)
    faults = [f"{len(row)} cells: {row}" for row in rows if len(row) != len(rows[0])]
    cells = [cell for row in rows for cell in row]
    return faults + [
        f"a formula {cell!r}"
        for cell in cells
        if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell)
    ]


def rows_of_csv(text: str) -> list[list[str]]:
    """Whichever of the two separators the heading row has."""
    separator = ";" if ";" in text.partition("\r\n")[0] else ","
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    return list(csv.reader(lines, delimiter=separator, strict=True))


def faults_of_xlsx(content: bytes) -> list[str]:
    faults = []
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for name in book.namelist():
            if any(part in name for part in ACTIVE_PARTS):
                faults.append(f"a part {name}")
            faults += [f"{found!r} in {name}" for found in ACTIVE_XML.findall(book.read(name))]
    return faults


def faults_of_pdf(content: bytes) -> list[str]:
    """No link, no action, no file: in any object of the document, whatever it hangs on."""
    reader = PdfReader(io.BytesIO(content))
    numbers = set(reader.xref_objStm).union(*reader.xref.values())
    objects = [
        one for number in sorted(numbers) if number for one in _in(reader.get_object(number))
    ]
    faults = [f"{key} in an object" for one in objects for key in ACTIVE_KEYS if key in one]
    return faults + [f"an action {one['/S']}" for one in objects if one.get("/S") in ACTIONS]


def _in(value: Any) -> Iterator[dict[str, Any]]:
    """The dictionaries within an object; what it refers to is an object of its own."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _in(each)


def words_of_pdf(content: bytes) -> str:
    """Without spaces, which a line's end may have taken the place of."""
    pages = PdfReader(io.BytesIO(content)).pages
    return squeezed("".join(page.extract_text() for page in pages))


def squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _parts(mail: EmailMessage) -> list[tuple[str, str | None]]:
    return [(part.get_content_type(), part.get_filename()) for part in mail.walk()]


def _links(text: str) -> set[str]:
    return {OWN.sub("…", found) for found in LINKED.findall(text)}


def _targets(html: str) -> list[str]:
    return [OWN.sub("…", found) for found in TARGET.findall(html)]


def _hidden(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in HIDDEN and c != "\u00ad"]
