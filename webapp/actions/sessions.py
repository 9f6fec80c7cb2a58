"""Sessions: rows that begin at sign-in and end at sign-out, at a change of password or factor,
after 14 days in which nobody used them, or after 30."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from webapp import clock
from webapp.database import as_instant
from webapp.errors import Invalid, NotAllowed, NotThere
from webapp.models import Account, Membership, Session, User, people_count, written
from webapp.models.people_count import Numbers
from webapp.models.written import columns_of, fetch_one, instances
from webapp.permissions import Viewer

LIFE, IDLE = timedelta(days=30), timedelta(days=14)
# Writing "last seen" more often would cost a write for every page.
SEEN_EVERY = timedelta(minutes=5)
PROOF_LIFE = timedelta(minutes=5)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def start(user: User, agent: str, needs_factor: bool = False) -> str:
    """A new session, proven now; returns its token, which is kept nowhere else."""
    token = clock.new_token()
    now = clock.now()
    Session.create(
        token_hash=_hash(token),
        user=user,
        agent=agent[:200],
        needs_factor=needs_factor,
        created_at=now,
        last_seen_at=now,
        proven_at=now,
        expires_at=now + LIFE,
    )
    return token


@cache
def _viewing(also: str = "", joined: str = "") -> str:
    """The statement of viewer_of. Every request makes it: its words are written once."""
    return f"""
        SELECT {columns_of(Session, User, Membership, Account)}{also}
          FROM session_
          JOIN user_ ON user_.id = session_.user_id
          JOIN membership ON membership.user_id = user_.id AND membership.ended_at IS NULL
          JOIN account ON account.id = membership.account_id
          {joined}
         WHERE session_.token_hash = ? AND session_.ended_at IS NULL AND session_.expires_at > ?
           AND session_.last_seen_at > ?
    """  # nosec B608 # names of columns of models


def viewer_of(token: str) -> Viewer | None:
    """Whose session it is, and where that person is a member; one query."""
    row = fetch_one(_viewing(), *_asked(token, clock.now()))
    return None if row is None else _viewer(row)


def viewer_and_numbers_of(token: str) -> tuple[Viewer, Numbers] | None:
    """The same with the numbers of that person's organisation, for the poll that wants no more:
    still one query. None for an account without numbers, too. Nobody may change this viewer: where
    the rows are the same as a moment ago, it is the same one."""
    now = clock.now()
    at = as_instant(now)
    statement = _viewing(
        f", {people_count.kept_columns()}", "JOIN people_count c ON c.account_id = account.id"
    )
    row = fetch_one(statement, at, at, *_asked(token, now))
    if row is None:
        return None
    viewer = _same_viewer(row[: -people_count.WIDTH])
    return viewer, people_count.numbers_of(row, viewer.account, now)


def _asked(token: str, now: datetime) -> tuple[str, str, str]:
    return _hash(token), as_instant(now), as_instant(now - IDLE)


def _viewer(row: Sequence[Any]) -> Viewer:
    session, user, membership, account = instances(row, Session, User, Membership, Account)
    session.user = membership.user = user
    membership.account = account
    for instance in (session, membership):
        instance._dirty.clear()
    return Viewer(user=user, session=session, membership=membership)


# Making four instances takes as long as reading their rows, and a window asks every few seconds.
_same_viewer = lru_cache(1_000)(_viewer)


def touch(session: Session) -> None:
    """Remembers that the session is in use: the one thing that a GET may write (rule J1)."""
    if is_to_touch(session):
        Session.update(last_seen_at=clock.now()).where(Session.id == session.id).execute()


def is_to_touch(session: Session) -> bool:
    return bool(clock.now() - session.last_seen_at >= SEEN_EVERY)


def prove(session: Session) -> None:
    """The person has just shown again that it is them."""
    Session.update(proven_at=clock.now()).where(Session.id == session.id).execute()


def is_fresh(session: Session) -> bool:
    """Is the last proof at most five minutes old (rule J9)?"""
    return bool(clock.now() - session.proven_at <= PROOF_LIFE)


def require_fresh(session: Session) -> None:
    """NotAllowed("proof") when it is older."""
    if not is_fresh(session):
        raise NotAllowed("proof")


def was_fresh(session: Session, at: datetime) -> bool:
    """Was it there at that moment, and not older?"""
    return bool(timedelta(0) <= at - session.proven_at <= PROOF_LIFE)


def of(user: User) -> list[Session]:
    """Those in force, the latest seen first."""
    now = clock.now()
    return list(
        Session.select()
        .where(
            Session.user == user,
            Session.ended_at.is_null(),
            Session.expires_at > now,
            Session.last_seen_at > now - IDLE,
        )
        .order_by(Session.last_seen_at.desc(), Session.id.desc())
    )


def end_own(user: User, session_id: int) -> None:
    """One of the user's own, from afar; again changes nothing. NotThere for somebody else's."""
    found = Session.get_or_none((Session.id == session_id) & (Session.user == user))
    if found is None:
        raise NotThere("session")
    end(found)


def end_of(email: str) -> int:
    """All of one person, by the operator; returns how many. Invalid("person") for nobody."""
    user: User | None = User.get_or_none(User.email == email.strip().lower())
    if user is None:
        raise Invalid("person", given=email)
    return end_others(user, keep=None)


def end_everybodys() -> int:
    """After an incident: everybody signs in anew."""
    ended: int = Session.update(ended_at=clock.now()).where(Session.ended_at.is_null()).execute()
    return ended


def end(session: Session) -> None:
    Session.update(ended_at=clock.now()).where(
        Session.id == session.id, Session.ended_at.is_null()
    ).execute()


def end_others(user: User, keep: Session | None) -> int:
    """Ends a user's sessions, all but `keep`; returns how many."""
    statement, values = ending_others(user, keep)
    return written.change(statement, *values)


def ending_others(user: User, keep: Session | None) -> written.Change:
    """The same, for whoever changes more with it."""
    statement = (
        "UPDATE session_ SET ended_at = ? WHERE user_id = ? AND ended_at IS NULL AND id <> ?"
    )
    return statement, (as_instant(clock.now()), user.id, 0 if keep is None else keep.id)
