"""What an organisation's owners and admins set for it."""

from dataclasses import asdict, dataclass

from webapp.actions.audit import record
from webapp.config import LOCALES
from webapp.database import locked, transaction
from webapp.errors import Invalid, NotAllowed
from webapp.models import Account, Membership
from webapp.permissions import GRANT_ADMIN, SETTINGS, may
from webapp.texts import cleaned

RECOMMENDATIONS = ("", "refund", "credit")
FACTOR_OF = ("", "admins", "all")
NOTE_MOST = 300
DAYS_MOST = 365
DAYS = ("invitation_days", "first_reminder_days", "second_reminder_days", "last_reminder_days")


@dataclass(frozen=True, slots=True)
class Settings:
    """As the columns of the account; days as they were typed, empty for the operator's number of
    days, or for no reminder."""

    recommendation: str
    recommendation_note: str
    locale: str
    invitation_days: str
    first_reminder_days: str
    second_reminder_days: str
    last_reminder_days: str
    basic_when_full: bool


def change(by: Membership, wanted: Settings) -> Account:
    """Raises Invalid for the first field that holds nonsense, NotAllowed without the role. The
    event names what was changed, from what to what."""
    checked = _checked(wanted)
    with transaction():
        account: Account = locked(Account.select().where(Account.id == by.account_id)).get()
        if not may(Membership.get_by_id(by.id), SETTINGS):
            raise NotAllowed("role")
        changed = {
            name: [getattr(account, name), value]
            for name, value in checked.items()
            if getattr(account, name) != value
        }
        if changed:
            Account.update(checked).where(Account.id == account.id).execute()
            record(by, "settings:changed", f"account:{account.id}", None, **changed)
    fresh: Account = Account.get_by_id(account.id)
    return fresh


def ask_for_factor(by: Membership, of_whom: str) -> Account:
    """At sign-in, of nobody (""), of owners and "admins", or of "all"; who has none yet sets one
    up at their next sign-in. An owner's to say."""
    if of_whom not in FACTOR_OF:
        raise Invalid("choice", field="second_factor")
    with transaction():
        account: Account = locked(Account.select().where(Account.id == by.account_id)).get()
        if not may(Membership.get_by_id(by.id), GRANT_ADMIN):
            raise NotAllowed("role")
        if account.second_factor != of_whom:
            changed = {"second_factor": [account.second_factor, of_whom]}
            Account.update(second_factor=of_whom).where(Account.id == account.id).execute()
            record(by, "settings:changed", f"account:{account.id}", None, **changed)
    fresh: Account = Account.get_by_id(account.id)
    return fresh


def _checked(wanted: Settings) -> dict[str, str | int]:
    if wanted.recommendation not in RECOMMENDATIONS:
        raise Invalid("choice", field="recommendation")
    if wanted.locale not in LOCALES:
        raise Invalid("choice", field="locale")
    days = {name: _days(name, value) for name, value in asdict(wanted).items() if name in DAYS}
    return {
        "recommendation": wanted.recommendation,
        "recommendation_note": cleaned(wanted.recommendation_note, NOTE_MOST),
        "locale": wanted.locale,
        "basic_when_full": wanted.basic_when_full,
        **days,
    }


def _days(field: str, written: str) -> int:
    written = written.strip() or "0"
    if not (written.isascii() and written.isdigit() and int(written[:9]) <= DAYS_MOST):
        raise Invalid("days", field=field)
    return int(written)
