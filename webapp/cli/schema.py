"""Commands that prepare a database: its schema, and demo data."""

import click
from peewee import OperationalError

from webapp import migrations
from webapp.cli.sentences import spoken, unreachable


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    try:
        applied = migrations.apply()
    except OperationalError as error:
        raise click.ClickException(unreachable(error)) from error
    for name in applied:
        click.echo(f"applied {name}")


@click.command()
@spoken
def demo() -> None:
    """Load people and plans to try things with, once."""
    from webapp import demo as story  # nothing else needs it

    click.echo("demo data loaded" if story.load() else "demo data was there already")


COMMANDS = (migrate, demo)
