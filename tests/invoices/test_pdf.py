import io
import json
import os
import re
import subprocess
import sys
import threading
import unicodedata
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from pypdf import PdfReader

from invoices import pdf
from invoices.parts import Party
from invoices.pdf import render
from invoices.statement import Statement, cancelling_statement

ROOT = Path(__file__).parents[2]
KINDS = ("refund", "credit", "account_credit")


def read(content):
    return PdfReader(io.BytesIO(content))


def text_of(content):
    """All the document's words, with every kind of space made a plain one."""
    pages = "\n".join(page.extract_text() for page in read(content).pages)
    return " ".join(unicodedata.normalize("NFKC", pages).split())


def fonts_of(content):
    found = {}
    for page in read(content).pages:
        for font in page["/Resources"]["/Font"].values():
            below = font.get_object()["/DescendantFonts"][0].get_object()
            found[str(font.get_object()["/BaseFont"])] = below["/FontDescriptor"].get_object()
    return found


def test_a_french_refund_statement_reads_as_it_should(statement_of):
    text = text_of(render(statement_of("refund")))
    for words in (
        "Nuage Réunions SAS", "N° TVA FR40303265045", "RCS Lyon 303 265 045",
        "Relevé de remboursement", "Avoir sur la facture n° F-2026-0113 du 1er novembre 2026",
        "RR-2026-000017", "23 novembre 2026", "Camille Roux", "4 quai Saint-Vincent",
        "du 1er novembre 2026 au 30 novembre 2026 inclus", "8 sur 30", "187,39 €", "137,42 €",
        "41,64 €", "TVA 20 %", "8,33 €", "49,97 €", "Visa •••• 4242",
        "jusqu’au 24 novembre 2026 à 10:15 (Europe/Paris)", "1/1",
    ):  # fmt: skip
        assert words in text


def test_an_english_credit_statement_reads_as_it_should(statement_of):
    text = text_of(render(statement_of("credit", locale="en")))
    for words in (
        "Credit statement", "Credit note (avoir) for invoice no. F-2026-0113 of 1 November 2026",
        "8 of 30", "VAT 20%", "€41.64", "€8.33", "€49.97", "Total credited",
        "Credit of €49.97 to the organisation Atelier Dumas",
    ):  # fmt: skip
        assert words in text
    assert "Visa" not in text


def test_an_account_credit_statement_shows_nothing_of_the_persons_money(statement_of):
    text = text_of(render(statement_of("account_credit")))
    for words in (
        "Relevé de crédit du compte", "Ce document n’est pas un document fiscal", "Atelier Dumas",
        "Camille Roux", "49,97 €", "Disponible à partir du",
    ):  # fmt: skip
        assert words in text
    for secret in ("Visa", "187,39", "8,33", "41,64", "F-2026", "ch_3PqX", "Avoir", "remboursement",
                   "quai Saint-Vincent"):  # fmt: skip
        assert secret not in text


def test_a_cancelling_statement_restates_the_amounts_as_cancelled(statement_of):
    cancelling = cancelling_statement(statement_of("refund"), "RR-2026-000018", date(2026, 11, 24))
    text = text_of(render(cancelling))
    assert "Annule l’avoir n° RR-2026-000017 du 23 novembre 2026" in text
    assert "Total annulé 49,97 €" in text
    assert "Visa" not in text


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_document_is_tagged_titled_and_in_its_language(statement_of, kind, locale):
    content = render(statement_of(kind, locale=locale))
    document = read(content)
    catalogue = document.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"] == locale
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"]
    assert catalogue["/StructTreeRoot"]
    assert document.metadata.title.endswith("RR-2026-000017")
    assert document.metadata.author == "Nuage Réunions SAS"
    marker = catalogue["/Metadata"].get_object().get_data().decode()
    assert re.search(r"pdfuaid:part(=\"1\"|>1<)", marker)


def test_greek_cyrillic_and_vietnamese_are_printed_in_our_own_embedded_fonts(statement_of):
    customer = Party("Γεώργιος Щербаков", "Đường Trần Thị Ánh\nŁódź Straße", "GR", "EL094259216")
    content = render(statement_of("refund", customer=customer))
    text = text_of(content)
    for words in ("Γεώργιος Щербаков", "Đường Trần Thị Ánh", "Łódź Straße", "Grèce"):
        assert words in text
    fonts = fonts_of(content)
    assert {name.split("+")[-1] for name in fonts} == {"Statement", "Statement-Semi-Bold"}
    assert all("/FontFile2" in font or "/FontFile3" in font for font in fonts.values())


def test_many_payments_take_several_numbered_pages(statement_of, payment):
    payments = [
        replace(payment, reference=f"ch_{at}", invoice_number=f"F-{at}") for at in range(60)
    ]
    content = render(statement_of("refund", payments))
    pages = read(content).pages
    assert len(pages) > 1
    for at, page in enumerate(pages, start=1):
        words = page.extract_text()
        assert f"{at}/{len(pages)}" in words
        assert "RR-2026-000017" in words
    text = text_of(content)
    assert all(f"n° F-{at} " in text for at in range(60))


def test_the_same_statement_makes_the_same_bytes_and_another_one_others(statement_of):
    statement = statement_of("refund")
    content = render(statement)
    assert render(Statement.from_json(statement.to_json())) == content
    assert render(replace(statement, number="RR-2026-000018")) != content
    assert render(statement) == content


def test_another_process_makes_the_same_bytes(statement_of):
    program = (
        "import sys, json, hashlib\n"
        "from invoices.pdf import render\n"
        "from invoices.statement import Statement\n"
        "statement = Statement.from_json(json.load(sys.stdin))\n"
        "print(hashlib.sha256(render(statement)).hexdigest())\n"
    )
    statement = statement_of("refund")
    other = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(statement.to_json()),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert other.stdout.strip() == sha256(render(statement)).hexdigest()


def test_several_threads_render_at_once(statement_of):
    statement, made = statement_of("account_credit"), []
    threads = [threading.Thread(target=lambda: made.append(render(statement))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


@pytest.mark.parametrize(
    ("currency", "locale", "amount"), [("JPY", "en", "¥4,997"), ("BHD", "fr", "4,997 BHD")]
)
def test_amounts_keep_the_decimals_of_their_currency(statement_of, currency, locale, amount):
    text = text_of(render(statement_of("refund", currency=currency, locale=locale)))
    assert amount in text


def test_endless_words_stay_on_the_page(statement_of):
    customer = Party("W" * 300, "x" * 500, "FR")
    text = text_of(render(statement_of("refund", customer=customer)))
    assert text.replace(" ", "").count("W") >= 300


def test_a_document_without_long_words_needs_no_places_to_break_them(statement_of, monkeypatch):
    statement = statement_of("refund")
    content = render(statement)
    monkeypatch.setattr(pdf, "LONG_WORD", re.compile(""))
    assert render(statement) == content


@pytest.mark.parametrize("name", ["W" * 15, "W" * 7 + "\u00a0" + "&" * 7])
def test_a_word_that_may_be_too_long_is_seen(name):
    page = f'<p class="{"w" * 40}">{name}</p>'
    assert pdf.LONG_WORD.search(page)
    assert not pdf.LONG_WORD.search(page.replace("WWW", "W W").replace("&&&", "& &"))
