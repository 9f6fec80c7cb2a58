"""People and plans to try things with: a French organisation, those it invites, and the seller's
finance. Loaded once, by the actions that real people use; all of them at reserved addresses."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _

from webapp import passwords
from webapp.actions import accounts
from webapp.database import transaction
from webapp.demo import individuals, money, organisation
from webapp.errors import NotAllowed
from webapp.models import User
from webapp.policy import policy

PASSWORD = "demonstration"
OPERATOR = "finance@affluent.example"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to sign in as; `who` is a translated text."""

    email: str
    who: Any


def people() -> list[Person]:
    """Those from whose side the story is worth seeing."""
    return [
        Person(organisation.OWNER, _("Claire Dumas, owner of Atelier Dumas: invites, sees all")),
        Person(organisation.ADMIN, _("Hugo Lefèvre, admin of Atelier Dumas: invites")),
        Person(organisation.FINANCE, _("Nadia Benali, finance of Atelier Dumas: sees the credit")),
        Person(individuals.FREE, _("Inès Faure, invited, with a free account")),
        Person(individuals.YEARLY, _("Camille Roux, invited, has paid for a year")),
        Person(individuals.OWING, _("Théo Marchand, invited, with an unpaid invoice")),
        Person(OPERATOR, _("Finance of the seller: sees every statement and refund")),
    ]


def load() -> bool:
    """Everything in one transaction; False when it was there already. NotAllowed in production:
    everybody knows the password."""
    if not policy().is_development:
        raise NotAllowed("demo")
    if User.select().where(User.email == organisation.OWNER).exists():
        return False
    password_hash = passwords.hashed(PASSWORD)
    with transaction():
        accounts.create_operator(OPERATOR, policy().seller.name, "EUR", "fr", password_hash)
        individuals.load(password_hash)
        organisation.load(password_hash)
        money.load(password_hash)
    return True
