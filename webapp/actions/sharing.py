"""An individual's account that several people use: its owner removes the others before joining an
organisation (rule J6)."""

from webapp import clock, outbox
from webapp.actions import accounts
from webapp.actions.audit import record
from webapp.database import locked, transaction
from webapp.errors import NotThere
from webapp.models import Account, Membership, User


def remove(by: Membership, membership_id: int) -> User:
    """Ends another person's use of the account that `by` owns: they own a free account of their own
    from then on, and a mail says so. NotThere for whoever is not in it, or not any more."""
    wanted = Membership.get_or_none(Membership.id == membership_id)
    if wanted is None:
        raise NotThere("membership")
    with transaction():
        locked(
            User.select(User.id).where(User.id.in_([by.user_id, wanted.user_id])).order_by(User.id)
        ).execute()
        account = locked(Account.select().where(Account.id == by.account_id)).get()
        owner = Membership.get_by_id(by.id)
        is_own = account.kind == "individual" and owner.is_owner and owner.ended_at is None
        if not is_own or wanted.account_id != account.id or wanted.user_id == by.user_id:
            raise NotThere("membership")
        if not wanted.end(clock.now()):
            raise NotThere("membership")
        user: User = wanted.user
        accounts.open_individual(user, account.currency)
        outbox.write("mail:unshared", {"user_id": user.id, "owner_id": by.user_id})
        record(by, "membership:removed", f"membership:{wanted.id}")
    return user
