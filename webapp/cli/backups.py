"""Commands that copy the whole database and put a copy back."""

from pathlib import Path

import click
from flask import current_app
from peewee import OperationalError

from webapp import backups, migrations
from webapp.actions import ledger_check
from webapp.cli.sentences import spoken, unreachable


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@spoken
def backup(file: Path) -> None:
    """Copy the whole database to FILE, while everything runs."""
    try:
        backups.take(file, _url())
    except backups.Unusable as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"copied to {file}, {file.stat().st_size:,} bytes")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="There are accounts in the database: they may go.")
def restore(file: Path, replace: bool) -> None:
    """Make the database what it was when FILE was copied. Stop web and worker first."""
    try:
        backups.put_back(file, _url(), replace)
        behind, found = migrations.pending(), []
        if not behind:
            found = ledger_check.check()
    except backups.Unusable as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException(unreachable(error)) from error
    for line in found:
        click.echo(line)
    if found:
        raise click.ClickException("The copy was put back, and its ledger does not hold.")
    if behind:
        click.echo("put back; it is of an older version: flask --app wsgi migrate")
    else:
        click.echo("put back; the ledger holds")


def _url() -> str:
    return str(current_app.config["SETTINGS"].database_url)


COMMANDS = (backup, restore)
