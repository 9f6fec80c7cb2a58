"""What went wrong, as one sentence for the person at the terminal."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from peewee import DatabaseError, OperationalError

from webapp import migrations
from webapp.errors import DomainError

P = ParamSpec("P")
R = TypeVar("R")

SENTENCES = {
    "account": "There is no account {given}.",
    "account_closed": "The account is closed.",
    "account_in_use": "{email} has unpaid invoices or other users on their own account.",
    "address": "{given!r} is not a mail address.",
    "belongs_elsewhere": "{email} is a member of another account.",
    "count": "The number for {field} must be from 0 to {most}.",
    "country": "{given!r} is not a country code of two letters.",
    "currency": "{reason}.",
    "customer_taken": "That organisation or {given} is linked to somebody else already.",
    "demo": "Demo people have a known password: they are for development only (APP_ENV).",
    "invoice": "The account has no invoice of that number.",
    "invoice_amounts": "The total must be more than nothing, and the tax no more than the total.",
    "invoice_number": "The account has an invoice of that number already.",
    "invoice_voided": "The invoice was voided.",
    "invoice_paid": "The invoice was paid with money: give that back where it was paid.",
    "locale": "{given!r} is not a language that Affluent speaks.",
    "name_characters": "The name has invisible or control characters.",
    "name_length": "The name must have 1 to {most} characters.",
    "name_link": "The name must not hold what mail programs turn into a link, such as example.org.",
    "no_customer": "{given} is not linked to Stripe: flask --app wsgi stripe link {given} cus_…",
    "person": "Nobody here has the address {given}.",
    "organisation": "There is no organisation {given}.",
    "paid_plan": "{email} has a paid plan of their own: invite them, so that it is settled.",
    "password_common": "Many people use this password: choose another one.",
    "password_own": "The address or the service's name is most of this password: add other words.",
    "password_length": "The password must have {least} to {most} characters.",
    "report": "This is no delivery report.",
    "report_other": "The report is about a mail that is no invitation ({kind}).",
    "report_size": "The report is larger than {most} MB.",
    "report_unknown": "The report is about no mail that left here lately.",
}
BEHIND = "The database is not up to date. Bring it up to date first: flask --app wsgi migrate"


def sentence(error: DomainError) -> str:
    known = SENTENCES.get(error.code)
    if known is None:
        return f"Refused: {error.code.replace('_', ' ')}."
    return known.format(**error.facts)


def spoken(command: Callable[P, R]) -> Callable[P, R]:
    """A command on a migrated database whose failures end it with a sentence and exit 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            require_migrated()
            return command(*args, **kwargs)
        except DomainError as error:
            raise click.ClickException(sentence(error)) from error
        except OperationalError as error:
            raise click.ClickException(unreachable(error)) from error

    return run


def require_migrated() -> None:
    if migrations.pending():
        raise click.ClickException(BEHIND)


def unreachable(error: DatabaseError) -> str:
    return f"The database does not answer: {' '.join(str(error).split())}"
