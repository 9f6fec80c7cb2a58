"""What people may write, in every mail, page, CSV, XLSX and PDF that shows it: words, and back as
they were. The checks find planted faults first."""

import base64
import csv
import io
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
import xlsxwriter
from weasyprint import HTML
from werkzeug.test import TestResponse

from tests.drills.hostile_outputs import (
    faults_of_csv,
    faults_of_mail,
    faults_of_page,
    faults_of_pdf,
    faults_of_xlsx,
    rows_of_csv,
    squeezed,
    words_of_pdf,
)
from tests.drills.hostile_told import Told, told_in
from tests.drills.hostile_words import LETTERS, PHRASES
from tests.hostile import HOSTILE
from webapp import downloads, texts
from webapp.views.exports import XLSX

pytestmark = pytest.mark.drill

CONTENT = "<p>Hello</p>"


def kept(word: str) -> str:
    """What a database can hold of it, and people can see: a form would have cleaned it before."""
    word = word.encode("utf-8", "ignore").decode().replace("\0", "")[:120]
    return word if texts.cleaned(word, 120) else f"Eve{word}"


WORDS = list(dict.fromkeys(kept(word) for word in (*PHRASES, *HOSTILE, *LETTERS)))
# As many and as different.
PLAIN = [f"Plain words {number}" for number in range(len(WORDS))]


def mail(**changes: str) -> EmailMessage:
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = "Hello", "a@example.org", "b@example.org"
    letter.set_content(changes.pop("text", "Hello Anna"))
    letter.add_alternative(changes.pop("html", CONTENT), subtype="html")
    for name, value in changes.items():
        if name == "attached":
            letter.add_attachment(value.encode(), "text", "plain", filename="x.txt")
        else:
            del letter[name]
            letter[name] = value
    return letter


def workbook(write: Callable[[Any], Any], **options: Any) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, options) as book:
        write(book.add_worksheet())
    return file.getvalue()


PLANTED: dict[str, Callable[[], list[str]]] = {
    "a header": lambda: faults_of_mail(mail(Bcc="v@example.org"), mail()),
    "a recipient": lambda: faults_of_mail(mail(To="b@example.org, v@example.org"), mail()),
    "an encoded subject": lambda: faults_of_mail(mail(Subject="Hi =?x?="), mail()),
    "a part": lambda: faults_of_mail(mail(attached="x"), mail()),
    "a link in words": lambda: faults_of_mail(mail(text="Hello http://evil/"), mail()),
    "a name that becomes a link": lambda: faults_of_mail(mail(text="Hello evil.example"), mail()),
    "a turned line": lambda: faults_of_mail(mail(text="Hello \u202eanna"), mail()),
    "an element in a mail": lambda: faults_of_mail(mail(html="<p>Hello <b>x</b></p>"), mail()),
    "a link in a mail": lambda: faults_of_mail(
        mail(html='<p><a href="//evil.example">x</a></p>'), mail(html='<p><a href="/x">x</a></p>')
    ),
    "an element": lambda: faults_of_page(CONTENT + "<b>x</b>", CONTENT),
    "an element that is not closed": lambda: faults_of_page("<p>Hello</p></div>", CONTENT),
    "an attribute": lambda: faults_of_page('<p onclick="x">Hello</p>', CONTENT),
    "a formula": lambda: faults_of_csv('\ufeffa,b\r\n1,"=1+1"\r\n'),
    "a wide formula": lambda: faults_of_csv("\ufeffa,b\r\n1,＝1+1\r\n"),
    "a formula that a number hides": lambda: faults_of_csv("\ufeffa,b\r\n1,-1+1\r\n"),
    "a cell too many": lambda: faults_of_csv("\ufeffa,b\r\n1,2,3\r\n"),
    "a line that is cut": lambda: faults_of_csv("\ufeffa,b\r\n1\r\n2,3\r\n"),
    "a cell that calculates": lambda: faults_of_xlsx(
        workbook(lambda sheet: sheet.write(0, 0, "=1+1"))
    ),
    "a cell that leads away": lambda: faults_of_xlsx(
        workbook(lambda sheet: sheet.write(0, 0, "https://evil.example"))
    ),
    "a link in a document": lambda: faults_of_pdf(pdf('<a href="https://evil.example">x</a>')),
    "a file in a document": lambda: faults_of_pdf(
        pdf(
            f'<link rel=attachment href="data:text/plain;base64,{base64.b64encode(b"x").decode()}">'
        )
    ),
}


def pdf(body: str) -> bytes:
    return bytes(HTML(string=f"<title>x</title>{body}").write_pdf())


@pytest.mark.parametrize("planted", PLANTED)
def test_the_checks_find_what_is_planted(planted: str) -> None:
    assert PLANTED[planted]() != []


def test_the_checks_find_nothing_where_nothing_is() -> None:
    assert faults_of_mail(mail(), mail()) == []
    assert faults_of_page(CONTENT, "<p>Bye</p>") == []
    assert faults_of_csv("\ufeffa,b\r\n-1.50,'=1+1\r\n") == []
    assert faults_of_xlsx(workbook(lambda sheet: sheet.write_string(0, 0, "=1+1"))) == []
    assert faults_of_pdf(pdf("<p>https://evil.example</p>")) == []


@pytest.mark.parametrize("locale", ["en", "fr", ""])
def test_every_word_comes_back_out_of_a_csv(locale: str) -> None:
    words = [*PHRASES, *HOSTILE, *LETTERS, "＝1+1", "\n=1+1"]
    text = "".join(downloads.csv_of([("a", "b"), *((word, word) for word in words)], locale))

    rows = list(
        csv.reader(
            io.StringIO(text[1:], newline=""), delimiter=";" if locale == "fr" else ",", strict=True
        )
    )
    assert [cell.removeprefix("'") for row in rows[1:] for cell in row] == [
        word.removeprefix("'") for word in words for _ in range(2)
    ]
    assert faults_of_csv(text) == []


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, Told]:
    """The same told in hostile words and in plain ones."""
    folder = tmp_path_factory.mktemp("told")
    return told_in(WORDS, folder, True), told_in(PLAIN, folder, False)


def faults_of(answer: TestResponse, plain: TestResponse) -> list[str]:
    kind = answer.mimetype
    if answer.status_code != plain.status_code or set(answer.headers.keys()) != set(
        plain.headers.keys()
    ):
        return [f"{answer.status} {dict(answer.headers)}"]
    if kind == "text/html":
        return faults_of_page(answer.text, plain.text)
    if kind == "text/csv":
        return faults_of_csv(answer.text)
    if kind == "application/pdf":
        return faults_of_pdf(answer.data)
    if kind == XLSX:
        return faults_of_xlsx(answer.data)
    return []


def test_pages_and_files_are_as_sound_as_with_plain_words(both: tuple[Told, Told]) -> None:
    hostile, plain = both

    faults = {
        name: found
        for name, answer in hostile.answers.items()
        if (found := faults_of(answer, plain.answers[name]))
    }
    assert faults == {}
    assert {answer.mimetype for answer in hostile.answers.values()} >= {
        "text/html", "text/csv", XLSX, "application/pdf", "application/zip", "application/json",
    }  # fmt: skip


def test_mails_are_as_sound_as_with_plain_words(both: tuple[Told, Told]) -> None:
    hostile, plain = both

    assert hostile.mails.keys() == plain.mails.keys()
    faults = {
        name: found
        for name, mail in hostile.mails.items()
        if (found := faults_of_mail(mail, plain.mails[name]))
    }
    assert faults == {}
    assert len(plain.mails) > 30


def test_documents_have_the_words_and_nothing_that_acts(both: tuple[Told, Told]) -> None:
    hostile, _ = both

    assert {number: faults_of_pdf(each) for number, each in hostile.documents.items()} == {
        number: [] for number in hostile.documents
    }
    whole = "".join(words_of_pdf(each) for each in hostile.documents.values())
    assert squeezed(hostile.organisation) in whole
    assert len(hostile.documents) > 5


def test_files_have_the_words_as_they_were(both: tuple[Told, Told]) -> None:
    answers = both[0].answers
    rows = rows_of_csv(answers["exports.csv to operator"].text)
    cells = {cell.removeprefix("'") for row in rows for cell in row}
    with ZipFile(io.BytesIO(answers["exports.archive to operator"].data)) as archive:
        listed = archive.read("index.csv").decode()
    sheet = openpyxl.load_workbook(io.BytesIO(answers["exports.xlsx to operator"].data)).active

    names = {name.removeprefix("'") for name in both[0].joined}
    assert names <= cells
    assert faults_of_csv(listed) == []
    assert names <= {cell.removeprefix("'") for row in rows_of_csv(listed) for cell in row}
    assert names <= {str(cell.value).removeprefix("'") for row in sheet for cell in row}
