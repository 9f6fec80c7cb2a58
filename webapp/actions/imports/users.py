"""The people of imported accounts: owners, and other users."""

from typing import Any

from webapp import clock, texts
from webapp.actions import sessions
from webapp.actions.imports.known import Known
from webapp.imports.fields import RowRefused, shown
from webapp.imports.rows import OtherUser, Row, password_fingerprint
from webapp.models import Account, Membership, User


def change(user: User, row: Row, digest: str) -> bool:
    """Brings the owner to what the line names; `digest` is of the line before it."""
    named: dict[str, Any] = {
        name: row.account[name]
        for name in ("name", "locale")
        if name in row.account and row.account[name] != getattr(user, name)
    }
    if "name" in named:
        named["folded"] = texts.folded(named["name"], user.email)
    # A password that the person chose here outlives whatever hash is not newer than it.
    was = digest.partition(".")[2]
    is_ours_to_set = bool(was) or user.password_hash is None
    if row.password_hash and is_ours_to_set and password_fingerprint(row.password_hash) != was:
        named["password_hash"] = row.password_hash
        sessions.end_others(user, keep=None)
    if named:
        User.update(**named).where(User.id == user.id).execute()
    return bool(named)


def others_of(
    row: Row, account: Account | None, known: Known
) -> list[tuple[OtherUser, User | None]]:
    """Those whom the account does not have yet. Raises RowRefused for somebody of another one."""
    found: list[tuple[OtherUser, User | None]] = []
    for other in row.other_users:
        person = known.people.get(other.email)
        if person is None:
            found.append((other, None))
        elif account is not None and (
            person.account == account or (account.id, person.user.id) in known.removed
        ):
            continue  # Whom the owner removed to be able to join stays removed (rule J6).
        elif person.has_joined or person.account is not None:
            raise RowRefused(f"other_users: {shown(other.email)} belongs to another account")
        else:
            found.append((other, person.user))
    return found


def add_others(account_id: int, locale: str, others: list[tuple[OtherUser, User | None]]) -> bool:
    """Plain members of the account; False when there are none to add."""
    for other, user in others:
        member = user or User.create(**columns(other.email, other.name, locale, None))
        Membership.create(user=member, account=account_id, joined_at=clock.now())
    return bool(others)


def columns(email: str, name: str, locale: str, password_hash: str | None) -> dict[str, Any]:
    """A user's columns."""
    return {
        "email": email,
        "name": name,
        "password_hash": password_hash,
        "locale": locale,
        "folded": texts.folded(name, email),
        "created_at": clock.now(),
    }
