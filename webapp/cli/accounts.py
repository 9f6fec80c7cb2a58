"""Commands that open and change organisations, and the operator's own people."""

import sys

import click
from flask import current_app

from webapp import passwords
from webapp.actions import accounts, second_factor, sessions, sign_in
from webapp.actions.account_checks import Billed
from webapp.cli.sentences import spoken
from webapp.config import LOCALES


@click.group()
def organisation() -> None:
    """Create and update organisations."""


@organisation.command()
@click.argument("name")
@click.option("--owner", required=True, help="The owner's mail address.")
@click.option("--currency", required=True, help="Such as EUR.")
@click.option("--seats", required=True, type=int, help="Licensed seats that were bought.")
@click.option("--locale", type=click.Choice(LOCALES), help="Language; else DEFAULT_LOCALE.")
@click.option("--address", default="", help="Postal address for documents.")
@click.option("--country", default="", help="Country code of two letters.")
@click.option("--vat", default="", help="Tax id.")
@spoken
def create(
    name: str,
    owner: str,
    currency: str,
    seats: int,
    locale: str | None,
    address: str,
    country: str,
    vat: str,
) -> None:
    """Create an organisation with an active paid plan.

    The owner's password is asked for on a terminal, else read from standard input; without one
    they sign in by mailed code. Prints the account's public id."""
    settings = current_app.config["SETTINGS"]
    account = accounts.create_organisation(
        name,
        owner,
        currency,
        seats,
        locale or settings.default_locale,
        settings.billing_zone,
        Billed(address.replace("\\n", "\n"), country, vat),
        _password_hash(owner),
    )
    click.echo(f"created {account.name}: {account.public_id}")


@organisation.command()
@click.argument("account")
@click.option("--seats", type=int, help="Licensed seats that were bought.")
@click.option("--plan", type=click.Choice(("active", "lapsed")), help="Inviting needs it active.")
@click.option("--per-day", type=int, help="Invitations a day.")
@spoken
def update(account: str, seats: int | None, plan: str | None, per_day: int | None) -> None:
    """Change what is given of the organisation with the public id ACCOUNT."""
    if seats is None and plan is None and per_day is None:
        raise click.UsageError("Say what to change: --seats, --plan or --per-day.")
    changed = accounts.update_organisation(account, seats, plan, per_day)
    click.echo(f"updated {changed.name}: {changed.public_id}")


@click.group()
def operator() -> None:
    """The people of the seller's finance."""


@operator.command("create")
@click.argument("email")
@spoken
def create_operator(email: str) -> None:
    """Make EMAIL a person of the seller's finance; the password as for an organisation's owner."""
    settings = current_app.config["SETTINGS"]
    member = accounts.create_operator(
        email, settings.seller.name, "EUR", settings.default_locale, _password_hash(email)
    )
    click.echo(f"{member.user.email} is of the seller's finance: {member.account.public_id}")


def _password_hash(email: str) -> str | None:
    """Of a password typed twice, or the first line of standard input; None when that is empty."""
    if sys.stdin.isatty():
        password = click.prompt(
            "Password (none: sign in by mailed code)",
            default="",
            hide_input=True,
            show_default=False,
            confirmation_prompt=True,
        )
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        return None
    sign_in.require_good(password, email)
    return passwords.hashed(password)


@click.group()
def person() -> None:
    """What the operator does for one person."""


@person.command("forget-factors")
@click.argument("email")
@spoken
def forget_factors(email: str) -> None:
    """Take the passkeys, authenticator app and recovery codes of EMAIL away, after a loss.

    First make sure who asks, as carefully as when the account was opened: from then on the password
    or a mailed code is enough. The person is told by mail, and signed out everywhere."""
    user = second_factor.forget_of(email)
    click.echo(f"{user.email} has no second factor any more")


@person.command("sign-out")
@click.argument("email", required=False)
@click.option("--everybody", is_flag=True, help="All people: they sign in anew.")
@spoken
def sign_out(email: str | None, everybody: bool) -> None:
    """End the sessions of EMAIL, or of everybody after an incident."""
    if bool(email) == everybody:
        raise click.UsageError("Say whom: an address, or --everybody.")
    ended = sessions.end_everybodys() if email is None else sessions.end_of(email)
    click.echo(f"sessions ended: {ended}")


COMMANDS = (person, organisation, operator)
