"""Bringing a gateway's customers in, again and again (see docs/stripe.md).

The whole is read once, customer by customer, and goes on where it was when it was killed; then only
those of whom something has changed. Each customer is one transaction, and bringing one in again
changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from webapp import clock
from webapp.actions import disputes
from webapp.actions.imports import Counts, Outcome
from webapp.actions.stripe_sync import customers
from webapp.imports.rows import Defaults
from webapp.models import SyncState
from webapp.payments.gateway import GatewayRefusal
from webapp.payments.source import Source, Unmappable
from webapp.policy import policy

# Gateways tell what has changed for thirty days, and no longer.
TOLD = timedelta(days=28)
# Clocks differ, and what is told is told a little late.
MARGIN = timedelta(minutes=10)
CURRENCY = "EUR"


def defaults() -> Defaults:
    """What holds where neither the gateway's records nor the account say it."""
    settings = policy()
    return Defaults(settings.default_locale, CURRENCY, settings.billing_zone, settings.payments)


def bring(reference: str, source: Source, defaults: Defaults) -> tuple[Outcome, list[str]]:
    """Brings one customer in; also says what of the customer's records was left out, and why.
    Raises GatewayAway, and Unmappable when all of it was."""
    is_changed = disputes.look(reference, source)
    found = source.customer(reference)
    if found is None:
        return "unchanged", []
    outcome, left_out = customers.bring(found, source.name, defaults)
    return ("updated" if is_changed and outcome == "unchanged" else outcome), left_out


@dataclass(slots=True)
class Sync:
    """`refused` is told the reference of each customer of whom something was left out, and why."""

    source: Source
    defaults: Defaults
    refused: Callable[[str, str], None]
    advanced: Callable[[], object] = lambda: None
    counts: Counts = field(default_factory=Counts)
    _seen: set[str] = field(default_factory=set)

    def run(self, is_whole: bool = False) -> Counts:
        """Raises GatewayAway; what was brought in until then stays."""
        state = _state(self.source.name)
        is_stale = state.through_at is None or state.through_at < clock.now() - TOLD
        if is_whole or is_stale or state.began_at is not None:
            self._everybody(state, is_afresh=is_whole)
        self._changed(_state(self.source.name))
        return self.counts

    def keep_up(self) -> Counts:
        """Only who has changed, for whom no webhook came; nobody where the whole was never read,
        or not for so long that the gateway no longer tells. Raises as `run`."""
        state = _state(self.source.name)
        is_whole = state.began_at is None and state.through_at is not None
        if is_whole and state.through_at >= clock.now() - TOLD:
            self._changed(state)
        return self.counts

    def _everybody(self, state: SyncState, is_afresh: bool) -> None:
        if state.began_at is None or is_afresh:
            _note(state, began_at=clock.now(), after="")
        try:
            self._those_after(state, state.after)
        except GatewayRefusal:
            # The customer whom we had come to is gone: there is no place to go on from.
            if not state.after:
                raise
            _note(state, began_at=clock.now(), after="")
            self._those_after(state, "")
        _note(state, through_at=state.began_at, began_at=None, after="")

    def _those_after(self, state: SyncState, after: str) -> None:
        for reference in self.source.references(after):
            self._one(reference)
            _note(state, after=reference)

    def _changed(self, state: SyncState) -> None:
        began_at = clock.now()
        for reference in self.source.changed(state.through_at - MARGIN):
            self._one(reference)
        _note(state, through_at=began_at)

    def _one(self, reference: str) -> None:
        outcome: Outcome
        try:
            outcome, left_out = bring(reference, self.source, self.defaults)
        except Unmappable as error:
            outcome, left_out = "refused", [str(error)]
        if reference not in self._seen or outcome in ("imported", "updated"):
            self._seen.add(reference)
            self.counts.add(outcome)
            for reason in left_out:
                self.refused(reference, reason)
        self.advanced()


def _state(source: str) -> SyncState:
    SyncState.insert(source=source, after="").on_conflict_ignore().execute()
    state: SyncState = SyncState.get(SyncState.source == source)
    return state


def _note(state: SyncState, **changes: object) -> None:
    SyncState.update(**changes).where(SyncState.id == state.id).execute()
    for name, value in changes.items():
        setattr(state, name, value)
