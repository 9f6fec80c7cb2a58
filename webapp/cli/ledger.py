"""Commands about the ledger: proving it, and what moved on an account."""

import csv
import sys
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from invoices.ledger import NORMAL
from invoices.money import to_decimal_text
from webapp.actions import ledger_check
from webapp.actions import movements as moved
from webapp.cli.money import DAY, account_named
from webapp.cli.sentences import spoken
from webapp.downloads import safe
from webapp.models import Account
from webapp.policy import policy

# The columns of `ledger movements`, described in docs/ledger.md.
COLUMNS = (
    *("account", "ledger_account", "currency", "entry", "at", "event", "key"),
    *("other_account", "other_ledger_account", "increase", "decrease", "balance"),
)


@click.group()
def ledger() -> None:
    """Prove the books, and print what moved."""


@ledger.command()
@spoken
def check() -> None:
    """Print what does not hold (exit 1), or that all of it does."""
    found = ledger_check.check()
    for line in found:
        click.echo(line)
    if found:
        sys.exit(1)
    click.echo("the ledger holds")


@ledger.command()
@click.argument("account")
@click.option("--kind", default="", type=click.Choice(["", *NORMAL]), help="Only that kind.")
@click.option("--currency", default="", help="Only that currency: EUR")
@click.option("--from", "first", type=DAY, help="The first day, in the seller's zone.")
@click.option("--to", "last", type=DAY, help="The last day, included.")
@spoken
def movements(
    account: str, kind: str, currency: str, first: datetime | None, last: datetime | None
) -> None:
    """Print what moved on ACCOUNT as CSV: opening balance, movements and closing balance of each
    of its ledger accounts."""
    of = account_named(account)
    days = (first and first.date(), last and last.date())
    if first and last and last < first:
        raise click.BadParameter("it is before the first day", param_hint="--to")
    # Lines end as RFC 4180 wants it, whatever the system's own are.
    lines = csv.writer(sys.stdout, lineterminator="\r\n")
    lines.writerow(COLUMNS)
    for one in moved.of(of, kind, currency.upper(), *days):
        # No amount is below zero here.
        lines.writerows([safe(cell) for cell in row] for row in _rows(of, one))


def _rows(account: Account, one: moved.Movements) -> Iterator[tuple[str, ...]]:
    def minor(amount: int) -> str:
        return to_decimal_text(amount, one.currency)

    zone = ZoneInfo(policy().billing_zone)
    begin = (account.public_id, one.kind, one.currency)
    nothing = ("",) * 7
    yield *begin, "opening", *nothing, minor(one.opening_minor)
    for each in one.movements:
        at = each.at.astimezone(zone).isoformat(timespec="milliseconds")
        change = each.change_minor
        sides = (minor(change), "") if change > 0 else ("", minor(-change))
        other = (each.other_account, each.other_kind)
        yield (
            *(*begin, "movement", at, each.event, each.key),
            *(*other, *sides, minor(each.balance_minor)),
        )
    yield *begin, "closing", *nothing, minor(one.closing_minor)


COMMANDS = (ledger,)
