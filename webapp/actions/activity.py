"""Who did what to whom and when in an organisation: its audit events, filtered, paged by key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from peewee import JOIN, Value

from webapp.actions.days import begin, day
from webapp.models import AuditEvent, Invitation, Membership, User
from webapp.models.user import is_erased
from webapp.permissions import SEE_BILLING, SEE_USERS, Viewer
from webapp.texts import cleaned, folded

AT_ONCE = 50
# group → who may see it, and its kinds. What stands in no group is shown to no organisation: what
# a person did with their own money is not its business.
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "invitations": (
        SEE_USERS,
        (
            "invitation:sent",
            "invitation:resent",
            "invitation:mended",
            "invitation:amended",
            "invitation:revoked",
            "invitation:renewal-asked",
            "invitation:seat-wanted",
            "invitation:accepted",
            "invitation:declined",
            "invitation:muted",
            "invitations:taken-over",
            "matching:resend",
            "matching:revoke",
            "upload:confirmed",
            "upload:resumed",
            "upload:canceled",
        ),
    ),
    "members": (
        SEE_USERS,
        (
            "role:changed",
            "licence:changed",
            "ownership:handed-over",
            "member:removed",
            "member:left",
            "acceptance:undone",
        ),
    ),
    "settings": (SEE_USERS, ("settings:changed", "organisation:created", "organisation:updated")),
    "billing": (
        SEE_BILLING,
        (
            "invoice:added",
            "invoice:paid",
            "invoice:voided",
            "credit:pushed",
            "credit:push-refused",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """`first` and `last` are days of the seller's zone, both included; `after` is the key of the
    last event shown. `errors` says what is wrong with which field."""

    kind: str
    first: date | None
    last: date | None
    q: str
    after: tuple[datetime, int] | None
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """`actor` is None for what the service or the seller did; `whom` the person that it was done
    to, by name or address, if it was one."""

    id: int
    at: datetime
    kind: str
    actor: User | None
    whom: str
    invitation_id: int | None
    facts: dict[str, Any]

    @property
    def cursor(self) -> str:
        return f"{self.at.timestamp():.6f}~{self.id}"


def groups_for(viewer: Viewer) -> list[str]:
    return [name for name, (needed, _) in GROUPS.items() if viewer.may(needed)]


def asked_for(words: Mapping[str, str]) -> Asked:
    """Reads the filter; what cannot be read is an error of its field and filters nothing."""
    errors: dict[str, str] = {}
    kind = words.get("kind", "")
    if kind and kind not in GROUPS:
        errors["kind"] = "kind"
    first, last = (day(words.get(name, ""), name, errors) for name in ("from", "to"))
    if first and last and first > last:
        errors["to"] = "order"
    after = _cursor(words.get("after", ""))
    return Asked(kind, first, last, cleaned(words.get("q", ""), 100), after, errors)


def page(viewer: Viewer, asked: Asked) -> tuple[list[Event], bool]:
    """At most AT_ONCE events, the newest first, and whether there are more."""
    if asked.errors:
        return [], False
    found = list(_wanted(viewer, asked).limit(AT_ONCE + 1))
    return _told(found[:AT_ONCE]), len(found) > AT_ONCE


def every(viewer: Viewer, asked: Asked) -> Iterator[Event]:
    """All of them, read page by page."""
    has_more = True
    while has_more:
        events, has_more = page(viewer, asked)
        yield from events
        if events:
            asked = replace(asked, after=(events[-1].at, events[-1].id))


def _wanted(viewer: Viewer, asked: Asked) -> Any:
    groups = [asked.kind] if asked.kind else list(GROUPS)
    kinds = [kind for name in groups if viewer.may(GROUPS[name][0]) for kind in GROUPS[name][1]]
    e = AuditEvent
    query = (
        e.select(e, User)
        .join(User, JOIN.LEFT_OUTER, on=(e.actor == User.id))
        .where(e.account == viewer.account, e.kind.in_(kinds))
        .order_by(e.at.desc(), e.id.desc())
    )
    if asked.first:
        query = query.where(e.at >= begin(asked.first))
    if asked.last:
        query = query.where(e.at < begin(asked.last + timedelta(days=1)))
    if asked.after:
        at, id = asked.after
        query = query.where((e.at < at) | ((e.at == at) & (e.id < id)))
    for word in folded(asked.q).split():
        query = query.where(User.folded.contains(word) | e.subject.in_(_subjects(viewer, word)))
    return query


def _subjects(viewer: Viewer, word: str) -> Any:
    """The rows of this account whose person is found by the word, named as events name them."""
    i, m, other = Invitation, Membership, User.alias()
    invited = i.select(_named("invitation", i.id)).where(
        i.account == viewer.account, i.folded.contains(word)
    )
    members = (
        m.select(_named("membership", m.id))
        .join(other, on=(m.user == other.id))
        .where(m.account == viewer.account, other.folded.contains(word))
    )
    return invited.union_all(members)


def _named(kind: str, id: Any) -> Any:
    return Value(f"{kind}:").concat(id.cast("TEXT"))


def _told(events: list[AuditEvent]) -> list[Event]:
    invited = _by_id(Invitation, events, "invitation")
    members = _by_id(Membership, events, "membership")
    told = []
    for each in events:
        noun, id = _subject(each)
        whom = ""
        if noun == "invitation" and id in invited:
            whom = invited[id].shown_name
        elif noun == "membership" and id in members:
            whom = members[id].user.shown_name
        # Of one that was forgotten there is nothing to see.
        link = id if noun == "invitation" and id in invited and not is_erased(whom) else None
        told.append(Event(each.id, each.at, each.kind, each.actor, whom, link, each.facts))
    return told


def _by_id(model: Any, events: list[AuditEvent], noun: str) -> dict[int, Any]:
    ids = {id for each in events for name, id in [_subject(each)] if name == noun}
    query = model.select()
    if model is Membership:
        query = model.select(Membership, User).join(User)
    return {row.id: row for row in query.where(model.id.in_(ids))} if ids else {}


def _subject(event: AuditEvent) -> tuple[str, int]:
    noun, _, id = str(event.subject).partition(":")
    return noun, int(id) if id.isdigit() else 0


def _cursor(text: str) -> tuple[datetime, int] | None:
    at, _, id = text.partition("~")
    try:
        instant, number = datetime.fromtimestamp(float(at), UTC), int(id)
    except (ValueError, OverflowError, OSError):
        return None
    return (instant, number) if 0 < number < 2**63 else None
