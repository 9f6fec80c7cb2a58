"""The words of a copy of an invoice, in French and English.

In French, U+00A0 stands before : and ; and after n°.
"""

from dataclasses import dataclass
from datetime import date

from invoices import formats, wording
from invoices.invoice_copy import CopiedPayment, InvoiceCopy
from invoices.parts import Locale, Party

TEXTS: dict[Locale, dict[str, str]] = {
    "fr": {
        "title": "Copie de facture",
        "number": "Facture n°",
        "issued_on": "Émise le",
        "due_on": "Échéance",
        "made_on": "Situation au",
        "customer": "Client",
        "what_it_is": (
            "Ce document montre comment la facture a été réglée. C’est une copie établie d’après"
            " les montants de la facture\u00a0: la facture elle-même est le document que vous avez"
            " reçu."
        ),
        "voided": (
            "Cette facture a été annulée le {day}\u00a0: rien n’est dû, et le crédit qu’elle avait"
            " pris est revenu sur le compte."
        ),
        "total_net": "Total hors taxes",
        "total": "Total facturé",
        "payments": "Règlements",
        "payment": "Règlement",
        "on": "Date",
        "amount": "Montant",
        "credit": "Crédit apporté par {person}, relevé n°\u00a0{statement}",
        "erased": "une personne dont les données ont été effacées",
        "other": "Autres règlements",
        "paid": "Total réglé",
        "owed": "Reste dû",
        "nothing_paid": "Aucun règlement à cette date.",
    },
    "en": {
        "title": "Invoice copy",
        "number": "Invoice no.",
        "issued_on": "Issued on",
        "due_on": "Due on",
        "made_on": "As it stood on",
        "customer": "Customer",
        "what_it_is": (
            "This document shows how the invoice was paid. It is a copy made from the invoice’s"
            " figures: the invoice itself is the document that you received."
        ),
        "voided": (
            "This invoice was voided on {day}: nothing is due, and the credit that it had taken"
            " went back to the account."
        ),
        "total_net": "Total before tax",
        "total": "Invoice total",
        "payments": "Payments",
        "payment": "Payment",
        "on": "Date",
        "amount": "Amount",
        "credit": "Credit brought by {person}, statement no. {statement}",
        "erased": "a person whose data was erased",
        "other": "Other payments",
        "paid": "Total paid",
        "owed": "Still due",
        "nothing_paid": "No payment by that day.",
    },
}


@dataclass(frozen=True, slots=True)
class CopyWording:
    """A copy in its reader's language; the template asks it for text."""

    copy: InvoiceCopy

    @property
    def locale(self) -> Locale:
        return self.copy.locale

    @property
    def title(self) -> str:
        return self.label("title")

    @property
    def mentions(self) -> list[str]:
        """What the document is, and that the invoice was voided."""
        found = [self.label("what_it_is")]
        if self.copy.voided_on:
            found.insert(0, self.label("voided").format(day=self.day(self.copy.voided_on)))
        return found

    @property
    def tax_name(self) -> str:
        return wording.tax_name(self.copy.seller, self.locale)

    def payment(self, one: CopiedPayment) -> str:
        if not one.statement:
            return self.label("other")
        person = one.person or self.label("erased")
        return self.label("credit").format(person=person, statement=one.statement)

    def label(self, name: str) -> str:
        return TEXTS[self.locale][name]

    def amount(self, minor: int) -> str:
        return formats.amount(minor, self.copy.currency, self.locale)

    def day(self, on: date | None) -> str:
        return "–" if on is None else formats.day(on, self.locale)

    def tax_id_label(self, party: Party) -> str:
        return wording.tax_id_label(party, self.locale)

    def country(self, party: Party) -> str:
        return wording.country_name(party, self.locale)
