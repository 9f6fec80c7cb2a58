"""What an account may be called and made of: cleaned values, or errors.Invalid."""

import re
import unicodedata
from dataclasses import dataclass

from invoices.money import exponent
from webapp import addresses, texts
from webapp.config import LOCALES
from webapp.errors import Invalid

MOST_NAME = 64
MOST_ADDRESS = 500
MOST_TAX_ID = 40
MOST_COUNT = 10_000_000
# What mail programs turn into a link: a lure in an organisation's name travels with its mails.
_LINK = re.compile(r"://|www\.|@|[\w-]{2,}\.[a-z]{2,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Billed:
    """Whom documents are addressed to: postal address (lines), country of two letters, tax id."""

    address: str = ""
    country: str = ""
    tax_id: str = ""


def organisation_name(text: str) -> str:
    """As it may stand in a mail: one line, at most 64 characters, nothing that becomes a link."""
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl") for character in text):
        raise Invalid("name_characters", field="name")
    name = texts.cleaned(text, MOST_NAME + 1)
    if not name or len(name) > MOST_NAME:
        raise Invalid("name_length", field="name", most=MOST_NAME)
    if _LINK.search(name):
        raise Invalid("name_link", field="name")
    return name


def address(field: str, text: str) -> str:
    """In its one form (webapp.addresses)."""
    try:
        return addresses.normalised(text)
    except ValueError:
        raise Invalid("address", field=field, given=text[:100]) from None


def currency(text: str) -> str:
    code = text.strip().upper()
    try:
        exponent(code)
    except ValueError as error:
        raise Invalid("currency", field="currency", reason=str(error)) from None
    return code


def locale(text: str) -> str:
    if text not in LOCALES:
        raise Invalid("locale", field="locale", given=text[:20])
    return text


def count(field: str, number: int) -> int:
    if not 0 <= number <= MOST_COUNT:
        raise Invalid("count", field=field, most=MOST_COUNT)
    return number


def billing(given: Billed) -> dict[str, str]:
    country = given.country.strip().upper()
    if country and not re.fullmatch("[A-Z]{2}", country):
        raise Invalid("country", field="country", given=country[:20])
    return {
        "address": texts.cleaned_note(given.address, MOST_ADDRESS),
        "country": country,
        "tax_id": texts.cleaned(given.tax_id, MOST_TAX_ID),
    }
