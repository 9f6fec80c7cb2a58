"""What people change about themselves."""

from webapp.models import User
from webapp.texts import cleaned, folded


def choose_language(user: User, locale: str) -> None:
    User.update(locale=locale).where(User.id == user.id).execute()


def rename(user: User, name: str) -> None:
    name = cleaned(name, 100)
    User.update(name=name, folded=folded(name, user.email)).where(User.id == user.id).execute()
