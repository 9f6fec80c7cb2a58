"""Bringing individual accounts in from a file, again and again (see docs/import.md).

Lines are taken in chunks of one transaction each, every line in a savepoint of its own: a line is
there as a whole or not at all, and a killed import goes on where it was when it is started anew."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from peewee import IntegrityError, chunked

from webapp import addresses
from webapp.actions import ledger
from webapp.actions.imports import accounts, payments
from webapp.actions.imports.effects import Effects
from webapp.actions.imports.known import Known
from webapp.database import database, transaction
from webapp.imports import rows
from webapp.imports.fields import RowRefused, shown
from webapp.imports.files import Line
from webapp.models import Payment

Outcome = Literal["imported", "updated", "unchanged", "refused"]
# Long enough to spare commits, short enough that nobody waits for the lock of one.
CHUNK = 250


@dataclass(frozen=True, slots=True)
class Sources:
    """What lines are read with: `defaults` where they and the account say nothing, and `capture`,
    which makes a gateway for tests know a payment (reference, currency, amount)."""

    defaults: rows.Defaults
    capture: Callable[[str, str, int], None] | None = None


@dataclass(slots=True)
class Counts:
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0

    def add(self, outcome: Outcome) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)


@dataclass(slots=True)
class Chunk:
    """What became of a chunk's lines so far."""

    effects: Effects = field(default_factory=Effects)
    openings: list[accounts.Opening] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


@contextmanager
def _whole(row: rows.Row, effects: Effects, own_payments: dict[str, Payment]) -> Iterator[Effects]:
    """A savepoint for one line, whose effects count only when all of it is written."""
    own = Effects()
    try:
        with database.savepoint():
            yield own
    except IntegrityError as error:
        raise payments.taken(row, own_payments) or RowRefused(
            "the account was changed by somebody else just now: import the file again"
        ) from error
    effects.extend(own)


@dataclass(slots=True)
class Import:
    """One file's import. `refused` is told each refused line's number and the reason; `advanced`
    the number of the last line done."""

    sources: Sources
    refused: Callable[[int, str], None]
    advanced: Callable[[int], None] = lambda number: None
    counts: Counts = field(default_factory=Counts)
    # Address → line: a person is named once in a file, whether as owner or as another user.
    seen: dict[str, int] = field(default_factory=dict)
    # Keys of JSON lines that mean nothing: said once, since they may be misspelt.
    unknown: set[str] = field(default_factory=set)

    def run(self, lines: Iterable[Line]) -> Counts:
        for chunk in chunked(lines, CHUNK):
            self._chunk(chunk)
            self.advanced(chunk[-1].number)
        return self.counts

    def _chunk(self, chunk: list[Line]) -> None:
        done = Chunk()
        with transaction():
            known = Known.of(chunk)
            for line in chunk:
                try:
                    self._line(line, known, done)
                except RowRefused as refusal:
                    done.refused.append((line.number, str(refusal)))
            self._open(known, done)
            ledger.post(done.effects.transfers)
            if self.sources.capture is not None:
                for captured in done.effects.captured:
                    self.sources.capture(*captured)
        for outcome in done.outcomes:
            self.counts.add(outcome)
        for number, reason in sorted(done.refused):
            self.counts.add("refused")
            self.refused(number, reason)

    def _line(self, line: Line, known: Known, done: "Chunk") -> None:
        email = self._new_to_the_file(line)
        if line.is_json:
            self.unknown |= line.fields.keys() - rows.KEYS
        person = known.people.get(email)
        if person is not None and not person.is_beyond_import and not person.is_owner:
            raise RowRefused(f"email: {shown(email)} is a user of another individual's account")
        fingerprint = rows.fingerprint(line.fields)
        if person is not None and (person.is_beyond_import or person.digest == fingerprint):
            done.outcomes.append("unchanged")
            return
        defaults = self.sources.defaults
        row = rows.row(line.fields, line.is_json, known.defaults(email, defaults))
        if person is None or person.account is None:
            accounts.check_new(row, known)
            done.openings.append(accounts.Opening(line.number, row, fingerprint))
            return
        own = known.payments[person.account.id]
        with _whole(row, done.effects, own) as effects:
            is_changed = accounts.change(row, known, fingerprint, defaults, effects)
        done.outcomes.append("updated" if is_changed else "unchanged")

    def _open(self, known: Known, done: "Chunk") -> None:
        """The new accounts all at once; where that fails, one by one to find which are at fault."""
        defaults = self.sources.defaults
        if not done.openings:
            return
        effects = Effects()
        try:
            with database.savepoint():
                accounts.open_imported(done.openings, known, defaults, effects)
        except IntegrityError:
            for one in done.openings:
                try:
                    with _whole(one.row, done.effects, {}) as effects:
                        accounts.open_imported([one], known, defaults, effects)
                    done.outcomes.append("imported")
                except RowRefused as refusal:
                    done.refused.append((one.line, str(refusal)))
        else:
            done.effects.extend(effects)
            done.outcomes.extend("imported" for _ in done.openings)

    def _new_to_the_file(self, line: Line) -> str:
        """The line's address, none of whose users may be on an earlier line."""
        if line.reason:
            raise RowRefused(line.reason)
        email = rows.owner(line.fields)
        others = (one for one in rows.other_addresses(line.fields) if addresses.is_address(one))
        named = [("email", email), *(("other_users", addresses.normalised(one)) for one in others)]
        before = [(name, one, self.seen[one]) for name, one in named if one in self.seen]
        for _, one in named:
            self.seen.setdefault(one, line.number)
        if before:
            name, one, number = before[0]
            raise RowRefused(f"{name}: {shown(one)} is on line {number} already")
        return email
