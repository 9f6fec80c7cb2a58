"""Commands about effects under way: the outbox, and refunds whose answer was lost."""

import sys

import click

from webapp import outbox as messages
from webapp.actions import refunds
from webapp.cli.sentences import spoken
from webapp.models import OutboxMessage, Refund
from webapp.payments.gateway import Gateway, GatewayAway, GatewayRefusal


@click.group(invoke_without_command=True)
@click.pass_context
def outbox(context: click.Context) -> None:
    """List what is waiting or quarantined."""
    if context.invoked_subcommand is None:
        list_messages()


@spoken
def list_messages() -> None:
    waiting = messages.is_waiting() | OutboxMessage.quarantined_at.is_null(False)
    is_empty = True
    for message in OutboxMessage.select().where(waiting).order_by(OutboxMessage.id).iterator():
        click.echo(described(message))
        is_empty = False
    if is_empty:
        click.echo("nothing is waiting")


def described(message: OutboxMessage) -> str:
    """One line: id, kind, state, tries, and the last error's words."""
    if message.quarantined_at is not None:
        state = f"quarantined {message.quarantined_at:%Y-%m-%d %H:%M} UTC"
    else:
        state = f"leaves {message.leaves_at:%Y-%m-%d %H:%M} UTC"
    line = f"{message.id}  {message.kind}  {state}  tries {message.attempts}"
    return f"{line}  {message.error}" if message.error else line


@outbox.command()
@click.argument("id", type=click.IntRange(1, 2**63 - 1))
@spoken
def retry(id: int) -> None:
    """Take the quarantined message ID out of quarantine, due at once."""
    if not messages.retry(id):
        raise click.ClickException(f"No message {id} is quarantined.")
    click.echo(f"message {id} is due again")


@click.command()
@spoken
def reconcile() -> None:
    """Ask the gateway what became of every refund under way."""
    from webapp.handlers.money import gateway  # a gateway's client is slow to import

    found = list(refunds.underway())
    try:
        lost = [refund.id for refund in found if not _is_followed(refund, gateway())]
    except (GatewayAway, messages.Deferred) as error:
        raise click.ClickException(f"The payment gateway does not answer: {error}") from error
    under_way = refunds.underway().count()
    click.echo(f"asked {len(found)}, settled {len(found) - under_way}, still under way {under_way}")
    if lost:
        sys.exit(1)


def _is_followed(refund: Refund, gateway: Gateway) -> bool:
    try:
        refunds.follow(refund.id, gateway)
    except (GatewayRefusal, ValueError) as error:
        click.echo(f"refund {refund.id}: {error}", err=True)
        return False
    return True


COMMANDS = (outbox, reconcile)
