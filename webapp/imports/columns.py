"""The columns that take only certain words; None or empty where a line has nothing in them."""

from invoices.money import exponent
from invoices.periods import time_zone
from webapp import passwords
from webapp.config import LOCALES
from webapp.imports.fields import Fields, shown


def currency(fields: Fields) -> str | None:
    code = fields.raw("currency").upper()
    if not code:
        return None
    try:
        exponent(code)
    except ValueError as error:
        raise fields.refuse("currency", str(error)) from None
    return code


def zone(fields: Fields) -> str | None:
    name = fields.raw("billing_zone")
    if not name:
        return None
    try:
        time_zone(name)
    except ValueError:
        why = f"{shown(name)} is not a time zone such as Europe/Paris"
        raise fields.refuse("billing_zone", why) from None
    return name


def locale(fields: Fields) -> str:
    given = fields.raw("locale")
    language = given.lower().replace("_", "-").partition("-")[0]
    if language and language not in LOCALES:
        raise fields.refuse("locale", f"{shown(given)} is neither {' nor '.join(LOCALES)}")
    return language


def country(fields: Fields) -> str:
    code = fields.raw("country").upper()
    if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise fields.refuse("country", f"{shown(code)} is not a country code of two letters")
    return code


def password_hash(fields: Fields) -> str | None:
    given = fields.raw("password_hash")
    if not given:
        return None
    if len(given) > 512 or not given.isascii() or not passwords.is_known_form(given):
        # The value itself is not repeated: it may be a password.
        raise fields.refuse("password_hash", "is not a hash of a known form (argon2 or bcrypt)")
    return given
