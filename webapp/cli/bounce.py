"""The command that a mail server pipes delivery reports into."""

import sys

import click

from webapp.actions import bounces
from webapp.cli.sentences import spoken
from webapp.imports import delivery_reports


@click.command()
@spoken
def bounce() -> None:
    """Read a delivery report (RFC 3464) from standard input."""
    content = sys.stdin.buffer.read(delivery_reports.MOST + 1)
    taken = bounces.take_in(delivery_reports.read(content))
    about = f"mail {taken.message.id}, invitation {taken.message.invitation_id}"
    if not taken.kind:
        click.echo(f"nothing to note: {about}")
    elif taken.is_new:
        click.echo(f"{taken.kind}: {about}: {taken.words}")
    else:
        click.echo(f"known already: {about}")


COMMANDS = (bounce,)
