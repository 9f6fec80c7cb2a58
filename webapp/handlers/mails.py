"""The mails: to whom, in which language, with which facts. Whatever a person wrote is made such
that it leads nowhere (threat T14)."""

from typing import Any, NamedTuple

from invoices.periods import local_day
from webapp import clock
from webapp.actions import codes, deliveries, reminders, reporting
from webapp.actions.deliveries import Drawn
from webapp.handlers import Errand
from webapp.mailer import Letter, unlinked
from webapp.models import Acceptance, Account, Invitation, SignInCode, User
from webapp.policy import policy

# What each of the people that are invited together reads for themselves.
BLANKS = ("name", "email", "link", "report")


class Home(NamedTuple):
    """Where an organisation is, as the filter `place` shows it."""

    address: str
    country: str


def invitation(errand: Errand) -> bool:
    drawn = errand.drawn or deliveries.draw_link(errand.message)
    if drawn is None:
        return False
    invited = drawn.invitation
    facts = _asking(drawn) | {
        "note": _lines(invited.note),
        "has_account": drawn.is_member,
    }
    return errand.mail(Letter("invitation", invited.email, invited.locale, facts, blanks=BLANKS))


def reminder(errand: Errand) -> bool:
    """With a link of its own, beside that of the invitation; and a way to get no more of these,
    for people and for mail programs (RFC 8058)."""
    drawn = errand.drawn or deliveries.draw_link(errand.message)
    if drawn is None:
        return False
    invited = drawn.invitation
    stop = f"{policy().base_url}/reminders/{reminders.token_of(invited)}"
    invited_on = local_day(invited.created_at, policy().billing_zone)
    facts = _asking(drawn) | {"invited_on": invited_on, "stop": stop}
    headers = {
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    blanks = (*BLANKS, "stop")
    letter = Letter("reminder", invited.email, invited.locale, facts, (), headers, blanks)
    return errand.mail(letter)


def _asking(drawn: Drawn) -> dict[str, Any]:
    invited = drawn.invitation
    return {
        "name": unlinked(invited.name),
        "organisation": unlinked(invited.account.name),
        "inviter": _person(invited.inviter),
        "inviter_name": unlinked(invited.inviter.shown_name),
        "link": f"{policy().base_url}/join/{drawn.token}",
        "expires_on": local_day(invited.expires_at, policy().billing_zone),
        "home": Home(invited.account.address, invited.account.country),
        "email": invited.email,
        "report": f"{policy().base_url}/reports/{reporting.token_of(invited)}",
    }


def code(errand: Errand) -> bool:
    asked = SignInCode.get_or_none(SignInCode.id == errand.message.payload["code_id"])
    # Nobody is behind the address: the message was written for the sake of equal work.
    if not errand.message.payload["is_known"]:
        return False
    if asked is None or asked.used_at is not None or asked.expires_at <= clock.now():
        return False
    facts = {"digits": codes.draw(asked), "purpose": asked.purpose}
    return errand.mail(Letter("code", asked.email, _locale_of(asked.email), facts))


def password(errand: Errand) -> bool:
    user = User.get_or_none(User.id == errand.message.payload["user_id"])
    if user is None:
        return False
    facts = {"name": unlinked(user.name), "changed_at": errand.message.created_at}
    return errand.mail(Letter("password", user.email, user.locale, facts))


def factor(errand: Errand) -> bool:
    """Something changed about the person's second factor."""
    user = User.get_or_none(User.id == errand.message.payload["user_id"])
    if user is None:
        return False
    facts = {
        "name": unlinked(user.name),
        "change": errand.message.payload["change"],
        "changed_at": errand.message.created_at,
    }
    return errand.mail(Letter("factor", user.email, user.locale, facts))


def answers(errand: Errand) -> bool:
    """The digest for an inviter."""
    payload = errand.message.payload
    user = User.get_or_none(User.id == payload["user_id"])
    account = Account.get_or_none(Account.id == payload["account_id"])
    if user is None or account is None:
        return False
    answered = Invitation.select().where(
        Invitation.id.in_(payload["invitation_ids"]), Invitation.account == account
    )
    people: dict[str, list[dict[str, Any]]] = {"accepted": [], "declined": []}
    for each in answered.order_by(Invitation.answered_at, Invitation.id):
        if each.status in people:
            # Whoever joined has a name of their own, whatever the invitation said.
            joined = Acceptance.get_or_none(Acceptance.invitation == each)
            who = _person(joined.user if joined else each)
            people[each.status].append({"who": who, "reason": unlinked(each.decline_reason)})
    count = sum(map(len, people.values()))
    facts = {
        "name": unlinked(user.name),
        "organisation": unlinked(account.name),
        "count": count,
        **people,
    }
    return count > 0 and errand.mail(Letter("answers", user.email, user.locale, facts))


def _person(somebody: User | Invitation) -> str:
    """`Claire Dumas (claire@dumas.example)`, or the address alone."""
    name = unlinked(somebody.name)
    return f"{name} ({somebody.email})" if name else str(somebody.email)


def _lines(text: str) -> list[str]:
    return [unlinked(line) for line in text.splitlines() if line.strip()]


def _locale_of(email: str) -> str:
    """A user's own choice, else that of the latest invitation, else the operator's."""
    user = User.get_or_none(User.email == email)
    if user is not None:
        return str(user.locale)
    latest = (
        Invitation.select(Invitation.locale)
        .where(Invitation.email == email)
        .order_by(Invitation.created_at.desc())
        .first()
    )
    return str(latest.locale if latest else policy().default_locale)
