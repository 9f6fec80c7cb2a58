"""Commands about Stripe: accounts that come from there, and credit that goes there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from invoices.money import to_decimal_text
from webapp.actions import credit_pushes
from webapp.actions.stripe_sync import Sync, defaults, organisations
from webapp.cli.money import account_named
from webapp.cli.sentences import spoken
from webapp.payments.choose import source_in_use
from webapp.payments.gateway import GatewayAway, GatewayRefusal
from webapp.policy import policy


@click.group()
def stripe() -> None:
    """Bring accounts in from Stripe, and credit to it."""


@stripe.command()
@click.option("--whole", is_flag=True, help="Read everybody again, not only what has changed.")
@spoken
def sync(whole: bool) -> None:
    """Bring in customers, subscriptions, payments and invoices.

    Started again, it goes on where it was; then it asks for what has changed. A customer of whom
    something can't be brought in is named on standard error, and the command ends with 1."""
    named: list[str] = []

    def refused(reference: str, reason: str) -> None:
        named.append(reference)
        click.echo(f"{reference}: {reason}", err=True)

    with _reached():
        source = source_in_use(policy())
        if source is None:
            raise click.ClickException("Payments are simulated: there is no Stripe to read from.")
        counts = Sync(source, defaults(), refused).run(whole)
    click.echo(
        f"imported {counts.imported}, updated {counts.updated},"
        f" unchanged {counts.unchanged}, refused {counts.refused}"
    )
    if named:
        sys.exit(1)


@stripe.command()
@click.argument("account")
@click.argument("customer")
@spoken
def link(account: str, customer: str) -> None:
    """Say that the organisation ACCOUNT is Stripe's CUSTOMER (cus_…)."""
    linked = organisations.link(account, customer)
    click.echo(f"{linked.name} is the customer {linked.gateway_customer}")


@stripe.command("push-credit")
@click.argument("account")
@click.option("--currency", default="", help="Instead of the account's own: EUR")
@spoken
def push_credit(account: str, currency: str) -> None:
    """Move the available credit of ACCOUNT to its customer's balance at Stripe, once."""
    made = credit_pushes.push(account_named(account), currency.upper())
    if made is None:
        click.echo("no credit is available, or it is on its way already")
        return
    amount = to_decimal_text(made.amount_minor, made.currency)
    click.echo(f"{amount} {made.currency} on the way to {made.organisation.gateway_customer}")


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except GatewayAway as error:
        raise click.ClickException(
            f"Stripe does not answer: {error}. What was brought in stays; start again to go on."
        ) from error
    except GatewayRefusal as error:
        raise click.ClickException(f"Stripe refuses: {error}") from error


COMMANDS = (stripe,)
