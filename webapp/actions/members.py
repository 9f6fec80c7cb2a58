"""An organisation's members: their roles and licence, removing and leaving, handing the ownership
over. Every change is decided under the account's lock, so that two at once can neither leave an
organisation without an owner nor give its last licence twice (rules I8, J16)."""

from collections.abc import Collection

from webapp import clock, outbox
from webapp.actions import accounts, sessions
from webapp.actions.audit import record
from webapp.database import locked, transaction
from webapp.errors import Blocked, Gone, Invalid, NotAllowed, NotThere, Stale
from webapp.models import Account, Membership, User
from webapp.models.people import seats_used
from webapp.permissions import GRANT_ADMIN, MANAGE_MEMBERS, Viewer, may

ROLES = ("owner", "admin", "finance")
LICENCES = ("basic", "licensed")
# Only an owner gives and takes these, with a fresh proof of who they are.
GUARDED = frozenset({"owner", "admin"})


def find(account: Account, membership_id: int) -> Membership:
    """The organisation's member of that id; Gone for one who is a member no longer."""
    found: Membership | None = (
        Membership.select(Membership, User)
        .join(User)
        .where(Membership.id == membership_id, Membership.account == account)
        .first()
    )
    if found is None or not account.is_organisation:
        raise NotThere("member")
    if found.ended_at is not None:
        raise Gone("member")
    return found


def changeable(by: Membership, member: Membership) -> frozenset[str]:
    """The roles that `by` may give to this member, or take away."""
    if may(by, GRANT_ADMIN):
        return frozenset(ROLES)
    if not may(by, MANAGE_MEMBERS) or member.is_owner or member.id == by.id:
        return frozenset()
    return frozenset(ROLES) - GUARDED


def is_removable(by: Membership, member: Membership) -> bool:
    """Removing a person takes their roles away, too."""
    if not may(by, MANAGE_MEMBERS) or member.id == by.id:
        return False
    return held(member) & GUARDED <= changeable(by, member)


def is_last_owner(member: Membership) -> bool:
    others = Membership.select().where(
        Membership.account == member.account_id,
        Membership.ended_at.is_null(),
        Membership.is_owner,
        Membership.id != member.id,
    )
    return bool(member.is_owner) and not others.exists()


def held(member: Membership) -> frozenset[str]:
    return frozenset(member.roles) - {"member"}


def standing(member: Membership) -> str:
    """What a form says that its reader saw: who changes what is no longer so, changes nothing."""
    return "+".join(member.roles)


def change_roles(by: Viewer, membership_id: int, wanted: Collection[str], seen: str) -> Membership:
    """Gives the member exactly these roles; an owner is all of them. Again changes nothing.

    Raises NotAllowed ("role", "proof"), Blocked ("last_owner"), Stale, Invalid, Gone, NotThere.
    """
    roles = frozenset({"owner"} if "owner" in wanted else wanted)
    if not roles <= set(ROLES):
        raise Invalid("choice", field="role")
    with transaction():
        mine, member = _under_lock(by, membership_id)
        before = held(member)
        if roles != before:
            _require(by, mine, member, roles ^ before, seen)
            if "owner" in before and is_last_owner(member):
                raise Blocked("last_owner")
            _give(member, roles)
            subject = f"membership:{member.id}"
            record(mine, "role:changed", subject, before=sorted(before), after=sorted(roles))
    return find(by.account, membership_id)


def hand_over(by: Viewer, membership_id: int, seen: str) -> Membership:
    """Makes the member an owner in the place of `by`, who keeps all other roles."""
    with transaction():
        mine, member = _under_lock(by, membership_id)
        if not mine.is_owner or mine.id == member.id:
            raise NotAllowed("role")
        _require(by, mine, member, GUARDED, seen)
        _give(member, {"owner"})
        _give(mine, {"admin", "finance"})
        record(mine, "ownership:handed-over", f"membership:{member.id}")
    return find(by.account, membership_id)


def change_licence(by: Viewer, membership_id: int, licence: str, seen: str) -> Membership:
    """A licensed member needs a free seat (rule I8). Again changes nothing. Raises Blocked
    ("no_seat"), Stale, Invalid, NotAllowed, Gone, NotThere."""
    if licence not in LICENCES:
        raise Invalid("choice", field="licence")
    with transaction():
        mine, member = _under_lock(by, membership_id)
        if member.licence != licence:
            if member.licence != seen:
                raise Stale("member")
            if licence == "licensed" and seats_used(mine.account) >= mine.account.seats:
                raise Blocked("no_seat")
            Membership.update(licence=licence).where(Membership.id == member.id).execute()
            record(mine, "licence:changed", f"membership:{member.id}", licence=licence)
    return find(by.account, membership_id)


def remove(by: Viewer, membership_id: int, seen: str) -> User:
    """Ends the membership: the person owns their own individual account again, free, and a mail
    tells them so (rule J16). Raises NotAllowed, Stale, Gone, NotThere."""
    with transaction():
        _lock_person(find(by.account, membership_id))
        mine, member = _under_lock(by, membership_id)
        if not is_removable(mine, member):
            raise NotAllowed("role")
        _require(by, mine, member, held(member), seen)
        _end(member, mine)
    user: User = member.user
    return user


def leave(by: Viewer, membership_id: int) -> None:
    """The member's own way out of the organisation. Blocked for its last owner; Stale when the
    person has moved on from the membership that they saw."""
    with transaction():
        _lock_person(by.membership)
        member = by.user.membership()
        if member is None or member.id != membership_id:
            raise Stale("member")
        if not member.account.is_organisation:
            raise NotThere("member")
        if is_last_owner(member):
            raise Blocked("last_owner")
        _end(member, member)


def _under_lock(by: Viewer, membership_id: int) -> tuple[Membership, Membership]:
    """Who acts and on whom, as they stand now that nobody else can change it."""
    _lock_account(by.account)
    mine: Membership = Membership.get_by_id(by.membership.id)
    if not may(mine, MANAGE_MEMBERS):
        raise NotAllowed("role")
    return mine, find(by.account, membership_id)


def _lock_person(member: Membership) -> None:
    """The user before any account, and accounts in the order of their ids, as everywhere."""
    user: User = locked(User.select().where(User.id == member.user_id)).get()
    own = accounts.closed_account(user)
    ids = [member.account_id, *([] if own is None else [own.id])]
    list(locked(Account.select(Account.id).where(Account.id.in_(ids)).order_by(Account.id)))


def _lock_account(account: Account) -> None:
    locked(Account.select(Account.id).where(Account.id == account.id)).first()


def _require(
    by: Viewer, mine: Membership, member: Membership, changes: Collection[str], seen: str
) -> None:
    if standing(member) != seen:
        raise Stale("member")
    if not set(changes) <= changeable(mine, member):
        raise NotAllowed("role")
    if GUARDED & set(changes) and not sessions.is_fresh(by.session):
        raise NotAllowed("proof")


def _give(member: Membership, roles: Collection[str]) -> None:
    flags = {f"is_{role}": role in roles for role in ROLES}
    Membership.update(flags).where(Membership.id == member.id).execute()


def _end(member: Membership, by: Membership) -> None:
    member.end(clock.now())
    accounts.own_again(member.user, member.account.currency)
    is_removed = member.id != by.id
    outbox.write("mail:departed", {"membership_id": member.id, "is_removed": is_removed})
    record(by, "member:removed" if is_removed else "member:left", f"membership:{member.id}")
