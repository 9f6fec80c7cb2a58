"""What PDF/UA-1 asks of a document's structure, read back from the PDF (rule D5)."""

import io
import re
from dataclasses import replace
from datetime import date

import pytest
from pypdf import PdfReader

from invoices.pdf import render
from invoices.statement import cancelling_statement
from tests.invoices.tagged import marked, structure

CASES = ["refund", "credit", "account_credit", "cancellation", "long"]
STANDARD = {
    *("Document", "Part", "Sect", "Div", "NonStruct", "P", "H1", "H2", "Span"),
    *("Table", "THead", "TBody", "TR", "TH", "TD"),
}


@pytest.fixture
def case(request, statement_of, payment):
    """A statement of each kind, and one of several pages with everything that may be on it."""
    if request.param == "long":
        payments = [
            replace(payment, reference=f"ch_{at}", invoice_number=f"F-{at}", returned_minor=100)
            for at in range(60)
        ]
        return statement_of("refund", payments, trial_end=date(2026, 11, 8))
    if request.param == "cancellation":
        return cancelling_statement(statement_of("refund"), "RR-2026-000018", date(2026, 11, 24))
    return statement_of(request.param)


@pytest.fixture
def document(case):
    return PdfReader(io.BytesIO(render(case)))


every_case = pytest.mark.parametrize("case", CASES, indirect=True)


@every_case
def test_the_title_stands_in_the_window_and_the_metadata_and_the_language_is_named(case, document):
    catalogue = document.trailer["/Root"]
    described = catalogue["/Metadata"].get_object().get_data().decode()
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert catalogue["/MarkInfo"]["/Marked"].value is True
    assert not catalogue["/MarkInfo"].get("/Suspects")
    assert catalogue["/Lang"] == "fr"
    assert document.metadata.title.endswith(case.number)
    assert case.number in described
    assert re.search(r"pdfuaid:part(=\"1\"|>1<)", described)
    assert not document.is_encrypted


@every_case
def test_everything_painted_is_tagged_or_an_artifact_and_never_both(document):
    paintings = list(marked(document))
    assert paintings
    for page, tags, mcid, operator in paintings:
        is_artifact = "/Artifact" in tags
        assert is_artifact != (mcid is not None), (page, tags, operator)


@every_case
def test_each_piece_of_content_belongs_to_one_element_of_the_tree(document):
    tree = document.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    parents = dict(zip(map(int, tree[::2]), tree[1::2], strict=True))
    pages = [page["/StructParents"] for page in document.pages]
    assert sorted(pages) == sorted(parents)
    painted = {(page, mcid) for page, _, mcid, _ in marked(document) if mcid is not None}
    for page, mcid in painted:
        element = parents[pages[page]].get_object()[mcid].get_object()
        assert list(element["/K"]) == [mcid]
        assert element["/Pg"].get_object() == document.pages[page].get_object()


@every_case
def test_what_the_tree_reads_is_all_that_is_printed_but_the_page_footers(case, document):
    read = {
        (document.get_page_number(element.entries["/Pg"].get_object()), mark)
        for element in structure(document).all()
        for mark in element.marks
    }
    painted = {(page, mcid) for page, _, mcid, _ in marked(document) if mcid is not None}
    assert read <= painted
    assert len(painted - read) == 2 * len(document.pages)


@every_case
def test_elements_are_standard_ones_in_the_order_of_reading(case, document):
    root = structure(document)
    assert {element.type for element in root.all()} <= STANDARD
    headings = [element.type for element in root.all("H1", "H2")]
    assert headings[0] == "H1"
    assert headings.count("H1") == 1
    assert root.type == "Document"
    if len(document.pages) == 1:  # a section that goes on over the page has no second heading
        for section in root.all("Sect"):
            assert section.children[0].type == "H2"


@every_case
def test_tables_have_headers_with_scope_that_their_cells_name(case, document):
    names = document.trailer["/Root"]["/StructTreeRoot"]["/IDTree"]["/Names"]
    ids = [str(name) for name in names[::2]]
    assert ids == sorted(set(ids))
    by_id = {name: ref.get_object() for name, ref in zip(ids, names[1::2], strict=True)}
    tables = list(structure(document).all("Table"))
    assert tables
    for table in tables:
        columns = {
            str(cell.entries["/ID"]) for head in table.all("THead") for cell in head.all("TH")
        }
        for header in table.all("TH"):
            name = str(header.entries["/ID"])
            assert by_id[name] == header.entries
            assert header.attributes["/Scope"] == ("/Column" if name in columns else "/Row")
        for cell in table.all("TD"):
            named = [str(name) for name in cell.attributes["/Headers"]]
            assert named
            assert set(named) <= set(by_id)
        assert len({len(row.children) for row in table.all("TR")}) == 1


@every_case
def test_there_is_nothing_that_would_need_an_alternative_text(case, document):
    """No picture, link, field or formula, none of which has words of its own."""
    root = structure(document)
    assert [element.type for element in root.all("Figure", "Formula", "Link", "Form")] == []
    for page in document.pages:
        assert "/Annots" not in page
        assert "/XObject" not in page["/Resources"] or not page["/Resources"]["/XObject"]


@every_case
def test_every_letter_can_be_read_back(case, document):
    for page in document.pages:
        for font in page["/Resources"]["/Font"].values():
            assert "/ToUnicode" in font.get_object()
    words = "".join("".join(page.extract_text() for page in document.pages).split())
    for expected in (case.seller.name, case.customer.name, case.number):
        assert "".join(expected.split()) in words
    assert "\ufffd" not in words


def test_a_table_over_several_pages_repeats_its_headers(statement_of, payment):
    payments = [
        replace(payment, reference=f"ch_{at}", invoice_number=f"F-{at}") for at in range(60)
    ]
    document = PdfReader(io.BytesIO(render(statement_of("refund", payments))))
    heads = list(structure(document).all("THead"))
    assert len(heads) == len(document.pages) >= 2
    last = document.pages[-1].extract_text()
    assert "Total remboursé" in last
    assert "F-59" in last
