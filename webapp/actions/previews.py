"""What would happen if these addresses were invited, row by row (rule I3). Nothing here depends on
accounts, plans or debts elsewhere: only on this organisation's own list and on the limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from webapp import clock
from webapp.actions import limits
from webapp.addresses import Written, normalised, written_in
from webapp.errors import Invalid
from webapp.models import Account
from webapp.models.invitation import pending_among
from webapp.models.user import members_among
from webapp.texts import cleaned

NAME_MOST = 100
# More than anybody pastes; a file is read in the background, and may have ten times as many.
MOST_PASTED = 10_000
# More bad rows than anybody mends by hand stay in the form.
MOST_INPUTS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One address as written. `verdict` is ready, repeated, malformed, member, invited, over_limit
    or later; `email` is its stored form, empty when malformed; `invitation_id` the one that is
    already pending."""

    written: str
    name: str
    email: str
    verdict: str
    invitation_id: int | None = None

    @property
    def is_ready(self) -> bool:
        return self.verdict == "ready"

    @property
    def line(self) -> str:
        """As it can be written again; a name with what else would separate addresses in quotes."""
        address = self.email or self.written
        name = f'"{self.name}"' if set(self.name) & {",", ";"} else self.name
        return f"{name} <{address}>" if name else address


@dataclass(frozen=True, slots=True)
class Mended:
    """A row that is an input: its text, and what became of it; None where it was emptied."""

    text: str
    row: Row | None


@dataclass(frozen=True, slots=True)
class Preview:
    """`mended` are the rows that were inputs before; `left` how many more may be invited today."""

    rows: list[Row]
    day_ends_at: datetime | None
    mended: tuple[Mended, ...] = ()
    left: int = 0

    @property
    def ready(self) -> list[Row]:
        return [row for row in self.rows if row.is_ready]

    @property
    def not_ready(self) -> list[Row]:
        return [row for row in self.rows if not row.is_ready]

    @property
    def to_mend(self) -> list[Mended]:
        """The rows that are inputs: those that were, and what is no address."""
        known = {id(each.row) for each in self.mended}
        bad = [row for row in self.rows if row.verdict == "malformed" and id(row) not in known]
        return [*self.mended, *(Mended(row.line, row) for row in bad)][:MOST_INPUTS]

    @property
    def settled(self) -> list[Row]:
        """What is ready and no input."""
        return self._besides_inputs(self.ready)

    @property
    def ready_lines(self) -> str:
        return "\n".join(row.line for row in self.settled)

    @property
    def kept_lines(self) -> str:
        return "\n".join(row.line for row in self._besides_inputs(self.kept))

    @property
    def others(self) -> list[Row]:
        """The rows that are not ready, and not to be mended either."""
        return self._besides_inputs(self.not_ready)

    def _besides_inputs(self, rows: list[Row]) -> list[Row]:
        inputs = {id(each.row) for each in self.to_mend}
        return [row for row in rows if id(row) not in inputs]

    @property
    def kept(self) -> list[Row]:
        """The rows that can still become invitations: mended, or sent later. Whoever is a member
        or invited already, or was written twice, is not asked about again."""
        return [row for row in self.rows if row.verdict in ("malformed", "over_limit", "later")]


def preview(account: Account, text: str, mended: Sequence[str] = ()) -> Preview:
    """A verdict for each address written in `text`, in order, and then in each of `mended`. Raises
    Invalid for more than MOST_PASTED."""
    now = clock.now()
    rows = _formed(text, MOST_PASTED)
    first: list[int | None] = []
    for each in mended:
        found = _formed(each, MOST_PASTED - len(rows))
        first.append(len(rows) if found else None)
        rows += found
    good = [row.email for row in rows if row.is_ready]
    members, invited = known(account, good)
    resting = limits.resting(good, account, now)
    left_today, seen = limits.left_today(account, now), set[str]()
    left = left_today
    judged: list[Row] = []
    for row in rows:
        if row.is_ready:
            verdict, invitation_id = "ready", None
            if row.email in seen:
                verdict = "repeated"
            elif row.email in members:
                verdict = "member"
            elif row.email in invited:
                verdict, invitation_id = "invited", invited[row.email]
            elif left <= 0:
                verdict = "over_limit"
            elif row.email in resting:
                verdict = "later"
            seen.add(row.email)
            left -= verdict == "ready"
            row = Row(row.written, row.name, row.email, verdict, invitation_id)
        judged.append(row)
    is_over = any(row.verdict == "over_limit" for row in judged)
    pairs = zip(mended, first, strict=True)
    return Preview(
        judged,
        limits.day_ends_at(account, now) if is_over else None,
        tuple(Mended(text, None if at is None else judged[at]) for text, at in pairs),
        left_today,
    )


def _formed(text: str, most: int) -> list[Row]:
    written = list(islice(written_in(text), most + 1))
    if len(written) > most:
        raise Invalid("too_many", field="emails", most=MOST_PASTED)
    return [_row_of(one) for one in written]


def _row_of(one: Written) -> Row:
    name = cleaned(one.name, NAME_MOST)
    try:
        return Row(one.text, name, normalised(one.text), "ready")
    except ValueError:
        return Row(cleaned(one.text, 254), name, "", "malformed")


def known(account: Account, emails: Sequence[str]) -> tuple[set[str], dict[str, int]]:
    """Who of these is a member here, and who has a pending invitation from here, with its id."""
    return members_among(account, emails), pending_among(account, emails)
