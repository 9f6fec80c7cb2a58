"""What people change about themselves."""

from webapp.database import locked, transaction
from webapp.models import Membership, User
from webapp.texts import cleaned, folded


def choose_language(user: User, locale: str) -> None:
    User.update(locale=locale).where(User.id == user.id).execute()


def choose_digest(user: User, is_wanted: bool) -> None:
    """Whether the monthly mail about an account's money goes to them too."""
    User.update(wants_digest=is_wanted).where(User.id == user.id).execute()


def rename(user: User, name: str) -> None:
    """Also where the users list looks: in the membership."""
    name = cleaned(name, 100)
    with transaction():
        locked(User.select(User.id).where(User.id == user.id)).first()
        User.update(name=name, folded=folded(name, user.email)).where(User.id == user.id).execute()
        membership = user.membership()
        if membership is not None:
            found = folded(name, user.email, membership.department)
            Membership.update(folded=found).where(Membership.id == membership.id).execute()
