"""Commands about invoices."""

from datetime import datetime

import click

from invoices.money import parse_minor, to_decimal_text
from webapp import addresses
from webapp.actions import invoices
from webapp.cli.sentences import spoken
from webapp.errors import NotThere
from webapp.models import Account, Membership, User

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def invoice() -> None:
    """Open invoices, mark them as paid, void them."""


@invoice.command()
@click.argument("account")
@click.option("--number", required=True)
@click.option("--issued-on", required=True, type=DAY)
@click.option("--due-on", required=True, type=DAY)
@click.option("--total", required=True, help="In currency units, tax included: 120.00")
@click.option("--tax", default="0", help="The tax inside the total: 20.00")
@spoken
def add(
    account: str, number: str, issued_on: datetime, due_on: datetime, total: str, tax: str
) -> None:
    """Open an invoice for ACCOUNT: an organisation's public id, or an individual's address."""
    owing = account_named(account)
    total_minor = _minor("--total", total, owing.currency)
    tax_minor = _minor("--tax", tax, owing.currency)
    opened = invoices.add(
        owing,
        number,
        issued_on=issued_on.date(),
        due_on=due_on.date(),
        total_minor=total_minor,
        tax_minor=tax_minor,
    )
    owed = to_decimal_text(opened.owed_minor, opened.currency)
    click.echo(f"opened {opened.number}: {owed} {opened.currency} owed")


@invoice.command()
@click.argument("account")
@click.argument("number")
@spoken
def paid(account: str, number: str) -> None:
    """Mark the invoice NUMBER of ACCOUNT as paid; again changes nothing."""
    found = invoices.mark_paid(account_named(account), number)
    click.echo(f"{found.number} is paid")


@invoice.command()
@click.argument("account")
@click.argument("number")
@spoken
def void(account: str, number: str) -> None:
    """Take the invoice NUMBER of ACCOUNT back: the credit that it took is available again."""
    found = invoices.void(account_named(account), number)
    click.echo(f"{found.number} is void")


def account_named(named: str) -> Account:
    """By public id, or an individual's by the owner's address: the present one, else the last."""
    if "@" not in named:
        found: Account | None = Account.get_or_none(Account.public_id == named)
        if found is None:
            raise NotThere("account", given=named)
        return found
    address = addresses.normalised(named) if addresses.is_address(named) else ""
    owned: Account | None = (
        Account.select()
        .join(Membership)
        .join(User)
        .where(User.email == address, Membership.is_owner, Account.kind == "individual")
        .order_by(Membership.ended_at.is_null().desc(), Membership.id.desc())
        .first()
    )
    if owned is None:
        raise NotThere("account", given=named)
    return owned


def _minor(option: str, text: str, currency: str) -> int:
    try:
        return parse_minor(text, currency)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


COMMANDS = (invoice,)
