"""A copy of an invoice: credit as payments below the total, and a document as sound as any."""

import io
import re
import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from pypdf import PdfReader

from invoices.copy_wording import CopyWording
from invoices.invoice_copy import CopiedPayment, InvoiceCopy
from invoices.parts import Party
from invoices.pdf import render_copy
from tests.invoices.conftest import DUMAS, SELLER
from tests.invoices.tagged import marked

CREDIT = CopiedPayment(4997, date(2026, 11, 23), "Camille Roux", "A-2026-000001")
COPY = InvoiceCopy(
    number="FA-118",
    issued_on=date(2026, 11, 19),
    due_on=date(2026, 12, 19),
    made_on=date(2026, 11, 24),
    locale="fr",
    seller=SELLER,
    customer=DUMAS,
    currency="EUR",
    total_minor=12000,
    tax_minor=2000,
    payments=(CREDIT, CopiedPayment(1003)),
)


def read(copy: InvoiceCopy) -> PdfReader:
    return PdfReader(io.BytesIO(render_copy(copy)))


def words_of(copy: InvoiceCopy) -> str:
    text = "\n".join(page.extract_text() for page in read(copy).pages)
    return " ".join(unicodedata.normalize("NFKC", text).split())


def test_credit_stands_below_the_total_and_takes_nothing_off_it() -> None:
    words = words_of(COPY)

    parts = (
        "Copie de facture",
        "Total hors taxes 100,00 €",
        "TVA 20,00 €",
        "Total facturé 120,00 €",
        "Crédit apporté par Camille Roux, relevé n° A-2026-000001 23 novembre 2026 49,97 €",
        "Autres règlements – 10,03 €",
        "Total réglé 60,00 €",
        "Reste dû 60,00 €",
    )
    places = [words.find(part) for part in parts]
    assert places == sorted(places)
    assert -1 not in places


@pytest.mark.parametrize(
    ("currency", "total"), [("JPY", "¥12,000"), ("BHD", "BHD 12.000"), ("EUR", "€120.00")]
)
def test_each_currency_has_its_own_decimals(currency: str, total: str) -> None:
    words = words_of(replace(COPY, locale="en", currency=currency))

    assert f"Invoice total {total}" in words
    assert "It is a copy made from the invoice’s figures" in words


def test_whose_data_was_erased_has_no_name() -> None:
    payment = CopyWording(COPY).payment(replace(CREDIT, person=""))

    assert payment == (
        "Crédit apporté par une personne dont les données ont été effacées,"
        " relevé n°\u00a0A-2026-000001"
    )


def test_a_voided_one_owes_nothing_and_says_so() -> None:
    words = words_of(replace(COPY, payments=(), voided_on=date(2026, 11, 23)))

    assert "Cette facture a été annulée le 23 novembre 2026" in words
    assert "Reste dû 0,00 €" in words
    assert "Aucun règlement" in words


def test_it_is_tagged_and_embeds_its_fonts() -> None:
    document = read(COPY)
    catalogue = document.trailer["/Root"]

    assert catalogue["/MarkInfo"]["/Marked"].value is True
    assert catalogue["/Lang"] == "fr"
    assert "FA-118" in document.metadata.title
    described = catalogue["/Metadata"].get_object().get_data().decode()
    assert re.search(r"pdfuaid:part(=\"1\"|>1<)", described)
    assert list(marked(document))
    for page in document.pages:
        for font in page["/Resources"]["/Font"].values():
            below = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile2" in below["/FontDescriptor"].get_object()


def test_the_same_copy_makes_the_same_bytes_and_survives_being_kept() -> None:
    kept = InvoiceCopy.from_json(COPY.to_json())

    assert kept == COPY
    assert render_copy(kept) == render_copy(COPY)


def test_many_payments_and_long_names_go_on_further_pages() -> None:
    many = tuple(replace(CREDIT, amount_minor=10, person="Maximilienne " * 6) for _ in range(90))
    customer = Party("Société coopérative d’architecture et de paysage " * 3, "x" * 200, "DE")
    document = read(replace(COPY, payments=many, customer=customer, number="N" * 80))

    assert len(document.pages) > 2
    assert "Reste dû" in document.pages[-1].extract_text()


def test_names_are_words_and_no_markup() -> None:
    words = words_of(replace(COPY, number="<img src=file:///etc/passwd>"))

    assert "<img src=file:///etc/passwd>" in words


@pytest.mark.parametrize(
    "wrong",
    [
        {"tax_minor": 12001},
        {"tax_minor": -1},
        {"payments": (CopiedPayment(12001),)},
        {"payments": (CopiedPayment(0),)},
    ],
)
def test_figures_that_contradict_each_other_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"invoice|payment"):
        replace(COPY, **wrong)  # type: ignore[arg-type]
