"""Which words, sentences and figures stand on a statement (rules D1 and D4)."""

from dataclasses import dataclass
from datetime import date, timedelta

from babel import Locale as BabelLocale

from invoices import formats
from invoices.parts import Destination, Locale, Party, StatementLine, TaxTotal
from invoices.statement import Statement
from invoices.words import LABELS, SENTENCES, TAX_DOCUMENTS, TITLES

EUROPEAN_UNION = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
WITH_VAT = EUROPEAN_UNION | {"CH", "GB", "MC", "NO"}

# Beyond this many corrected documents the sentence points at the table, which names them all.
SENTENCES_AT_MOST = 4


def tax_name(seller: Party, locale: Locale) -> str:
    """What the seller's tax is called."""
    vat = seller.country in WITH_VAT
    if locale == "fr":
        return "TVA" if vat else "Taxe"
    return "VAT" if vat else "Tax"


def tax_id_label(party: Party, locale: Locale) -> str:
    return LABELS[locale]["vat_id" if party.country in WITH_VAT else "tax_id"]


def country_name(party: Party, locale: Locale) -> str:
    """In the reader's language; an unknown code as it stands."""
    return str(BabelLocale.parse(locale).territories.get(party.country, party.country))


@dataclass(frozen=True, slots=True)
class Wording:
    """A statement in its reader's language and its seller's law; the template asks it for text."""

    statement: Statement

    @property
    def locale(self) -> Locale:
        return self.statement.locale

    @property
    def title(self) -> str:
        subject = self.statement.subject
        return TITLES[self.locale][f"cancelled_{subject}" if self.statement.cancels else subject]

    @property
    def tax_document(self) -> str | None:
        """The name that the law of the seller's country gives to the document, if it is one."""
        if self.statement.subject == "account_credit":
            return None
        name = f"cancelled_{self._law}" if self.statement.cancels else self._law
        return TAX_DOCUMENTS[self.locale].get(name)

    @property
    def tax_name(self) -> str:
        return tax_name(self.statement.seller, self.locale)

    @property
    def mentions(self) -> list[str]:
        """What the document corrects or cancels, and what it is not: each a sentence."""
        statement, cancels = self.statement, self.statement.cancels
        if cancels:
            tax_document = cancels.kind != "account_credit"
            name = {"avoir": "cancels_avoir", "note": "cancels_note"}.get(self._law, "cancels")
            found = [
                self._say(
                    name if tax_document else "cancels",
                    number=cancels.number,
                    day=self.day(cancels.issued_on),
                )
            ]
            found.append(self._say("cancelled" if tax_document else "cancelled_account"))
        else:
            found = self._corrections()
        if statement.subject == "account_credit":
            found.append(self._say("not_a_tax_document"))
        return found

    @property
    def notes(self) -> list[str]:
        """What happens next, and what the law wants said about tax."""
        statement, found = self.statement, list[str]()
        if statement.held_until and statement.kind in ("refund", "credit"):
            found.append(self._say(f"{statement.kind}_held", moment=self.available_from))
        if statement.kind == "account_credit":
            found.append(self._say("to_invoices"))
        if self._is_without_vat:
            found.append(self._say("no_vat"))
        if self._is_reverse_charge:
            found.append(self._say("reverse_charge"))
        return found

    @property
    def tax_totals(self) -> tuple[TaxTotal, ...]:
        """Tax by rate; none at all from a French seller who takes no VAT, whose note says so."""
        return () if self._is_without_vat else self.statement.tax_totals

    @property
    def taxed(self) -> bool:
        """Whether this is a document of tax at all."""
        return self.statement.subject != "account_credit"

    @property
    def destinations(self) -> list[str]:
        """Where the money goes, a sentence each; nothing once cancelled."""
        statement = self.statement
        if statement.kind == "credit":
            whole = self.amount(statement.gross_minor)
            return [self._say("goes_to", amount=whole, organisation=statement.organisation)]
        if statement.kind != "refund":
            return []
        return [self._route(one) for one in statement.destinations]

    @property
    def available_from(self) -> str:
        """The end of the undo window; without one, the day of issue."""
        statement = self.statement
        if statement.held_until is None:
            return self.day(statement.issued_on)
        return formats.moment(statement.held_until, statement.zone, self.locale)

    @property
    def total_label(self) -> str:
        kind = "cancelled" if self.statement.cancels else self.statement.subject
        return self.label(f"total_{kind}")

    @property
    def period(self) -> str:
        derivation = self.statement.derivation
        if derivation is None:
            return ""
        last = derivation.period_end - timedelta(days=1)
        return self._say("period", first=self.day(derivation.period_start), last=self.day(last))

    @property
    def trial(self) -> str:
        """The days of a trial, which do not count; nothing without one."""
        derivation = self.statement.derivation
        if derivation is None or derivation.paid_from == derivation.period_start:
            return ""
        last = derivation.paid_from - timedelta(days=1)
        return self._say("trial", first=self.day(derivation.period_start), last=self.day(last))

    @property
    def days(self) -> str:
        derivation = self.statement.derivation
        if derivation is None:
            return ""
        return self._say("days", unused=derivation.unused_days, days=derivation.days)

    def document(self, line: StatementLine) -> str:
        """The invoice a line corrects, or the payment: "Invoice no. F-1 of 1 November 2026"."""
        text = self._document(line)
        return text[:1].upper() + text[1:]

    def rate_label(self, total: TaxTotal) -> str:
        """The tax with its rate, and what it was taken on where there are several."""
        if not total.tax_rate:
            return self.tax_name
        label = f"{self.tax_name} {self.rate(total.tax_rate)}"
        if len(self.statement.tax_totals) == 1:
            return label
        return self._say("tax_on", tax=label, net=self.amount(total.net_minor))

    def tax_id_label(self, party: Party) -> str:
        return tax_id_label(party, self.locale)

    def country(self, party: Party) -> str:
        return country_name(party, self.locale)

    def label(self, name: str) -> str:
        return LABELS[self.locale][name]

    def amount(self, minor: int) -> str:
        return formats.amount(minor, self.statement.currency, self.locale)

    def rate(self, percent: str | None) -> str:
        return formats.rate(percent, self.locale)

    def day(self, on: date) -> str:
        return formats.day(on, self.locale)

    @property
    def _is_without_vat(self) -> bool:
        seller, tax = self.statement.seller, self.statement.tax_minor
        return self.taxed and seller.country == "FR" and not seller.vat and tax == 0

    @property
    def _is_reverse_charge(self) -> bool:
        """Between two taxable persons of two countries of the Union, and no tax taken: the
        directive wants the words on the invoice, and on what corrects it."""
        seller, customer = self.statement.seller, self.statement.customer
        return (
            self.taxed
            and self.statement.tax_minor == 0
            and bool(seller.vat and customer.vat)
            and {seller.country, customer.country} <= EUROPEAN_UNION
            and seller.country != customer.country
        )

    @property
    def _law(self) -> str:
        country = self.statement.seller.country
        if country == "FR":
            return "avoir"
        return "note" if country in EUROPEAN_UNION | {"GB"} else "corrects"

    def _route(self, to: Destination) -> str:
        amount = self.amount(to.gross_minor)
        if to.by_hand and not to.method:
            return self._say("goes_by_hand", amount=amount)
        return self._say(
            "goes_back", amount=amount, method=to.method or self._say("original_method")
        )

    def _corrections(self) -> list[str]:
        # One sentence for each document, however many payments it had.
        found = list(dict.fromkeys(self._correction(line) for line in self.statement.lines))
        if len(found) <= SENTENCES_AT_MOST:
            return found
        return [self._say("corrects_many" if self._law == "corrects" else f"{self._law}_on_many")]

    def _correction(self, line: StatementLine) -> str:
        on = "invoice" if line.invoice_number else "payment"
        law = self._law
        sentence = f"corrects_{on}" if law == "corrects" else f"{law}_on_{on}"
        return self._say(sentence, document=self._document(line))

    def _document(self, line: StatementLine) -> str:
        if line.invoice_number:
            kind, number, on = "invoice", line.invoice_number, line.invoice_on
        else:
            kind, number, on = "payment", line.reference, line.captured_on
        if on is None:
            return self._say(kind, number=number)
        return self._say(f"{kind}_dated", number=number, day=self.day(on))

    def _say(self, name: str, **parts: str | int) -> str:
        return SENTENCES[self.locale][name].format(**parts)
