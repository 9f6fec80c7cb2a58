from dataclasses import replace
from datetime import date

import pytest

from invoices.parts import Party
from invoices.statement import cancelling_statement
from invoices.wording import Wording
from invoices.words import LABELS, SENTENCES, TAX_DOCUMENTS, TITLES


@pytest.mark.parametrize("table", [TITLES, TAX_DOCUMENTS, LABELS, SENTENCES])
def test_both_languages_have_every_word(table):
    assert table["fr"].keys() == table["en"].keys()


@pytest.mark.parametrize("table", [TITLES, TAX_DOCUMENTS, LABELS, SENTENCES])
def test_french_has_its_own_typography(table):
    for text in table["fr"].values():
        assert "'" not in text
        assert '"' not in text
        assert all(f" {mark}" not in text for mark in ":;!?»")
        assert "n° " not in text


@pytest.mark.parametrize(
    ("kind", "locale", "country", "title", "tax_document", "mention"),
    [
        ("refund", "fr", "FR", "Relevé de remboursement", "Avoir",
         "Avoir sur la facture n°\u00a0F-2026-0113 du 1er novembre 2026"),
        ("credit", "fr", "FR", "Relevé de crédit", "Avoir",
         "Avoir sur la facture n°\u00a0F-2026-0113 du 1er novembre 2026"),
        ("refund", "en", "FR", "Refund statement", "Credit note (avoir)",
         "Credit note (avoir) for invoice no. F-2026-0113 of 1 November 2026"),
        ("credit", "en", "DE", "Credit statement", "Credit note",
         "Credit note for invoice no. F-2026-0113 of 1 November 2026"),
        ("refund", "fr", "BE", "Relevé de remboursement", "Note de crédit",
         "Note de crédit sur la facture n°\u00a0F-2026-0113 du 1er novembre 2026"),
        ("refund", "fr", "CA", "Relevé de remboursement", None,
         "Corrige la facture n°\u00a0F-2026-0113 du 1er novembre 2026"),
        ("refund", "en", "US", "Refund statement", None,
         "Corrects invoice no. F-2026-0113 of 1 November 2026"),
    ],
)  # fmt: skip
def test_the_law_of_the_seller_names_the_document_and_what_it_corrects(
    statement_of, seller, kind, locale, country, title, tax_document, mention
):
    statement = statement_of(kind, locale=locale, seller=replace(seller, country=country))
    wording = Wording(statement)
    assert wording.title == title
    assert wording.tax_document == tax_document
    assert wording.mentions == [mention]


def test_without_an_invoice_the_payment_is_cited(statement_of, payment):
    unknown = replace(payment, invoice_number=None, invoice_on=None)
    wording = Wording(statement_of("refund", [unknown]))
    assert wording.mentions == ["Avoir sur le paiement ch_3PqX du 1er novembre 2026"]
    undated = replace(unknown, captured_on=None)
    assert Wording(statement_of("refund", [undated])).mentions == ["Avoir sur le paiement ch_3PqX"]


def test_payments_of_one_invoice_are_cited_once_and_many_by_the_table(statement_of, payment):
    twice = [payment, replace(payment, reference="b")]
    assert len(Wording(statement_of("refund", twice)).mentions) == 1
    many = [replace(payment, reference=str(at), invoice_number=f"F-{at}") for at in range(5)]
    assert Wording(statement_of("refund", many)).mentions == [
        "Avoir sur les documents cités ci-dessous, paiement par paiement"
    ]


@pytest.mark.parametrize(
    ("vat", "country", "tax", "locale", "printed"),
    [("", "FR", 0, "fr", "TVA non applicable, art. 293 B du CGI"),
     ("", "FR", 0, "en", "VAT not applicable (TVA non applicable, art. 293 B du CGI)"),
     ("", "FR", 3123, "fr", None), ("FR40303265045", "FR", 0, "fr", None),
     ("", "BE", 0, "fr", None)],
)  # fmt: skip
def test_a_french_seller_without_vat_says_why(
    statement_of, payment, seller, vat, country, tax, locale, printed
):
    statement = statement_of(
        "refund",
        [replace(payment, tax_minor=tax)],
        seller=replace(seller, vat=vat, country=country),
        locale=locale,
        held_until=None,
    )
    assert Wording(statement).notes == ([printed] if printed else [])


def test_the_destination_is_named(statement_of, payment):
    assert Wording(statement_of("refund")).destinations == [
        "Remboursement de 49,97\u00a0€ sur Visa •••• 4242"
    ]
    assert Wording(statement_of("credit", locale="en")).destinations == [
        "Credit of €49.97 to the organisation Atelier Dumas"
    ]
    by_hand = [replace(payment, method="", gateway="none")]
    assert Wording(statement_of("refund", by_hand)).destinations == [
        "Remboursement de 49,97\u00a0€ par virement bancaire"
    ]
    unnamed = [replace(payment, method="")]
    assert Wording(statement_of("refund", unnamed, locale="en")).destinations == [
        "Refund of €49.97 to the original payment method"
    ]


def test_the_undo_window_is_told_with_its_hour(statement_of):
    assert Wording(statement_of("refund")).notes == [
        "L’acceptation peut être annulée jusqu’au 24 novembre 2026 à 10:15 (Europe/Paris)\u00a0;"
        " le remboursement part ensuite."
    ]
    assert Wording(statement_of("credit", locale="en", held_until=None)).notes == []


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [("refund", "Annule l’avoir n°\u00a0RR-2026-000017 du 23 novembre 2026"),
     ("account_credit", "Annule le relevé n°\u00a0RR-2026-000017 du 23 novembre 2026")],
)  # fmt: skip
def test_a_cancelling_statement_cites_what_it_cancels_and_sends_nothing(
    statement_of, kind, sentence
):
    cancelling = cancelling_statement(statement_of(kind), "RR-2026-000018", date(2026, 11, 24))
    wording = Wording(cancelling)
    assert wording.mentions[0] == sentence
    assert wording.destinations == []
    assert wording.notes == []
    assert wording.total_label == "Total annulé"


def test_account_credit_says_that_it_is_no_tax_document_and_from_when_it_counts(statement_of):
    wording = Wording(statement_of("account_credit"))
    assert wording.title == "Relevé de crédit du compte"
    assert wording.tax_document is None
    assert wording.mentions == ["Ce document n’est pas un document fiscal."]
    assert wording.available_from == "24 novembre 2026 à 10:15 (Europe/Paris)"
    assert Wording(statement_of("account_credit", held_until=None)).available_from == (
        "23 novembre 2026"
    )


def test_names_with_braces_stay_as_they_are(statement_of):
    wording = Wording(statement_of("credit", organisation="{0.__class__} {number}"))
    assert wording.destinations[0].endswith("{0.__class__} {number}")


@pytest.mark.parametrize(
    ("kind", "country", "locale", "name"),
    [("refund", "FR", "fr", "Annulation d’avoir"),
     ("credit", "FR", "en", "Cancellation of a credit note (avoir)"),
     ("refund", "DE", "fr", "Annulation de note de crédit"),
     ("credit", "IE", "en", "Cancellation of a credit note"),
     ("credit", "US", "en", None), ("account_credit", "FR", "fr", None)],
)  # fmt: skip
def test_what_cancels_a_tax_document_is_named_as_one(
    statement_of, seller, kind, country, locale, name
):
    original = statement_of(kind, locale=locale, seller=replace(seller, country=country))
    cancelling = cancelling_statement(original, "RR-2026-000018", date(2026, 11, 24))
    assert Wording(cancelling).tax_document == name


def test_the_days_of_a_trial_are_told_and_not_counted(statement_of):
    wording = Wording(statement_of("refund", trial_end=date(2026, 11, 8)))
    assert wording.trial == "du 1er novembre 2026 au 7 novembre 2026 inclus, jours non comptés"
    assert wording.days == "8 sur 23, le jour de l’acceptation compris"
    assert Wording(statement_of("refund")).trial == ""
    assert Wording(statement_of("account_credit")).trial == ""


REVERSE_CHARGE = (
    "Autoliquidation\u00a0: TVA due par le preneur (art. 196 de la directive 2006/112/CE)"
)


@pytest.mark.parametrize(
    ("country", "vat", "tax", "said"),
    [("DE", "DE136695976", 0, True), ("DE", "DE136695976", 100, False), ("DE", "", 0, False),
     ("FR", "FR83404833048", 0, False), ("CH", "CHE-116.281.710", 0, False)],
)  # fmt: skip
@pytest.mark.parametrize("cancels", [False, True])
def test_reverse_charge_is_said_between_taxable_persons_of_two_countries_of_the_union(
    statement_of, payment, country, vat, tax, said, cancels
):
    customer = Party("Zusammenfluss GmbH", "Koblenz", country, vat)
    statement = statement_of("credit", [replace(payment, tax_minor=tax)], customer=customer)
    if cancels:
        statement = cancelling_statement(statement, "C-2026-000018", date(2026, 11, 24))
    assert (REVERSE_CHARGE in Wording(statement).notes) == said


def test_a_french_seller_without_vat_shows_none_and_says_why(statement_of, payment, seller):
    untaxed = [replace(payment, tax_minor=0, tax_rate=None)]
    without = Wording(statement_of("refund", untaxed, seller=replace(seller, vat="")))
    assert without.tax_totals == ()
    assert without.notes[-1] == "TVA non applicable, art. 293 B du CGI"
    assert Wording(statement_of("refund", untaxed)).tax_totals != ()
