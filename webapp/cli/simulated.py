"""Commands of the simulated gateway: make something go wrong, and tell of it by webhook."""

import urllib.error
import urllib.request

import click

from webapp.cli.sentences import spoken
from webapp.payments.simulated import (
    SimulatedFault,
    SimulatedPayment,
    SimulatedRefund,
    events,
    faults,
)
from webapp.payments.simulated.books import FATES
from webapp.policy import policy

FAULTS = ("never sent", "answer lost", "key forgotten", "error", "busy", "refused")


@click.group()
def simulated() -> None:
    """Make the simulated gateway misbehave (PAYMENTS=simulated only)."""
    if policy().payments != "simulated":
        raise click.ClickException("Payments are not simulated here.")


@simulated.command()
@click.argument("call", type=click.Choice(faults.CALLS))
@click.argument("fault", type=click.Choice(FAULTS))
@spoken
def fault(call: str, fault: str) -> None:
    """Let the next CALL go wrong by FAULT, such as: create_refund "answer lost"."""
    faults.ask_for(call, fault)
    waiting = SimulatedFault.select().where(SimulatedFault.used_at.is_null()).count()
    click.echo(f"the next {call} meets a fault: {fault} (faults waiting: {waiting})")


@simulated.command()
@click.argument("payment")
@click.argument("fate", type=click.Choice(tuple(FATES)))
@spoken
def fate(payment: str, fate: str) -> None:
    """Decide what becomes of the refunds of PAYMENT (its reference)."""
    changed = (
        SimulatedPayment.update(fate=fate).where(SimulatedPayment.reference == payment).execute()
    )
    if not changed:
        raise click.ClickException(f"The gateway knows no payment {payment}.")
    click.echo(f"refunds of {payment}: {fate}")


@simulated.command()
@click.argument("refund")
@spoken
def webhook(refund: str) -> None:
    """Tell the running service, by a signed webhook, of the gateway's REFUND (re_…)."""
    found = SimulatedRefund.get_or_none(SimulatedRefund.reference == refund)
    if found is None:
        raise click.ClickException(f"The gateway knows no refund {refund}.")
    body, headers = events.signed(events.refund_event(found), policy())
    request = urllib.request.Request(policy().base_url + events.ADDRESS, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # nosec B310 # http or https, see config.py
            click.echo(f"answered {answer.status}")
    except (urllib.error.URLError, OSError) as error:
        raise click.ClickException(f"The service does not take it: {error}") from error


COMMANDS = (simulated,)
