"""The command that brings individual accounts in from a file."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app

from webapp.actions.imports import Import, Sources
from webapp.cli.sentences import spoken
from webapp.config import Config
from webapp.imports import files
from webapp.imports.fields import shown
from webapp.imports.rows import Defaults
from webapp.payments import simulated

# Where neither a line nor its account names a currency.
CURRENCY = "EUR"


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@spoken
def import_file(file: Path) -> None:
    """Bring individual accounts in from FILE: CSV, or JSON Lines (.jsonl).

    The same file again changes nothing. A refused line is named on standard error with its reason,
    the others are kept, and the command ends with 1."""
    try:
        total = files.lines_in(file)
        lines, unknown = files.read(file)
    except files.Unreadable as error:
        raise click.ClickException(str(error)) from error
    for column in unknown:
        click.echo(f"The column “{column}” is not known and is ignored.", err=True)
    with _progress(total) as (advanced, refused):
        work = Import(_sources(current_app.config["SETTINGS"]), refused, advanced)
        counts = work.run(lines)
    for key in sorted(work.unknown):
        click.echo(f"The key {shown(key)} is not known and is ignored.", err=True)
    click.echo(
        f"imported {counts.imported}, updated {counts.updated},"
        f" unchanged {counts.unchanged}, refused {counts.refused}"
    )
    if counts.refused:
        sys.exit(1)


def _sources(settings: Config) -> Sources:
    is_simulated = settings.payments == "simulated"
    defaults = Defaults(
        locale=settings.default_locale,
        currency=CURRENCY,
        billing_zone=settings.billing_zone,
        gateway=settings.payments,
    )
    return Sources(defaults, simulated.capture if is_simulated else None)


@contextmanager
def _progress(total: int) -> Iterator[tuple[Callable[[int], None], Callable[[int, str], None]]]:
    """What is told of lines done and lines refused. On a terminal a bar moves, and the refusals
    follow it."""

    def refused(number: int, reason: str) -> None:
        click.echo(f"line {number}: {reason}", err=True)

    if not sys.stderr.isatty():
        yield lambda number: None, refused
        return
    held: list[tuple[int, str]] = []
    try:
        with click.progressbar(length=total, label="Importing", file=sys.stderr) as bar:
            yield (
                lambda number: bar.update(number - bar.pos),
                lambda number, reason: held.append((number, reason)),
            )
            bar.update(total - bar.pos)
    finally:
        for number, reason in held:
            refused(number, reason)


COMMANDS = (import_file,)
