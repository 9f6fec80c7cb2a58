"""What happened, as a sentence for people: for the timeline of an invitation and the activity."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _

from webapp.i18n import money, named, ngettext
from webapp.models.user import ERASED

Facts = dict[str, Any]

# kind → its sentence; `who` did it to `whom`, both named as people know them.
TOLD: dict[str, Callable[[Facts], str]] = {
    "invitation:sent": lambda f: _("%(who)s invited %(whom)s.", **_two(f)),
    "invitation:resent": lambda f: _("%(who)s sent %(whom)s a new link.", **_two(f)),
    "invitation:mended": lambda f: _(
        "%(who)s corrected the address and sent a new link to %(whom)s.", **_two(f)
    ),
    "invitation:amended": lambda f: _("%(who)s changed the offer for %(whom)s.", **_two(f)),
    "invitation:revoked": lambda f: _("%(who)s cancelled the invitation for %(whom)s.", **_two(f)),
    "invitation:accepted": lambda f: _("%(whom)s joined.", **_whom(f)),
    "invitation:declined": lambda f: _("%(whom)s declined.", **_whom(f)),
    "invitation:renewal-asked": lambda f: _("%(whom)s asked for a new link.", **_whom(f)),
    "invitation:seat-wanted": lambda f: _("%(whom)s waits for a free licence.", **_whom(f)),
    "invitation:muted": lambda f: _("%(whom)s wants no more reminders.", **_whom(f)),
    "invitation:expired": lambda f: _("The invitation expired without an answer."),
    "invitation:superseded": lambda f: _("The invitation was closed."),
    "invitations:taken-over": lambda f: ngettext(
        "%(who)s took over %(num)d invitation.",
        "%(who)s took over %(num)d invitations.",
        f.get("count", 1),
        who=f["who"],
    ),
    "matching:resend": lambda f: ngettext(
        "%(who)s asked for a new link for %(num)d invitation at once.",
        "%(who)s asked for new links for %(num)d invitations at once.",
        f.get("count", 0),
        who=f["who"],
    ),
    "matching:revoke": lambda f: ngettext(
        "%(who)s asked to cancel %(num)d invitation at once.",
        "%(who)s asked to cancel %(num)d invitations at once.",
        f.get("count", 0),
        who=f["who"],
    ),
    "upload:confirmed": lambda f: ngettext(
        "%(who)s confirmed a file of %(num)d person.",
        "%(who)s confirmed a file of %(num)d people.",
        f.get("count", 0),
        who=f["who"],
    ),
    "upload:resumed": lambda f: _("%(who)s went on with a file that waited.", who=f["who"]),
    "upload:canceled": lambda f: ngettext(
        "%(who)s stopped a file after %(num)d invitation.",
        "%(who)s stopped a file after %(num)d invitations.",
        f.get("sent", 0),
        who=f["who"],
    ),
    "role:changed": lambda f: _(
        "%(who)s changed the role of %(whom)s: %(role)s.", **_two(f), role=_roles(f.get("after"))
    ),
    "licence:changed": lambda f: _(
        "%(who)s changed the licence of %(whom)s: %(licence)s.",
        **_two(f),
        licence=_licence(f.get("licence")),
    ),
    "ownership:handed-over": lambda f: _("%(who)s handed ownership over to %(whom)s.", **_two(f)),
    "member:removed": lambda f: _("%(who)s removed %(whom)s.", **_two(f)),
    "member:left": lambda f: _("%(whom)s left the organisation.", **_whom(f)),
    "acceptance:undone": lambda f: _("%(who)s took joining back.", who=f["who"]),
    "settings:changed": lambda f: _(
        "%(who)s changed the settings: %(names)s.", who=f["who"], names=_settings(f)
    ),
    "organisation:created": lambda f: _("The organisation’s account was opened."),
    "organisation:updated": lambda f: _("The seller changed seats, plan or limits."),
    "invoice:added": lambda f: _("Invoice %(number)s was issued.", number=f.get("number")),
    "invoice:paid": lambda f: _("Invoice %(number)s was paid.", number=f.get("number")),
    "invoice:voided": lambda f: _("Invoice %(number)s was voided.", number=f.get("number")),
    "credit:pushed": lambda f: _("%(amount)s of credit went to billing.", amount=_amount(f)),
    "credit:push-refused": lambda f: _("Billing refused %(amount)s of credit.", amount=_amount(f)),
    "delivery:sent": lambda f: _("The mail server took the email."),
    "delivery:deferred": lambda f: _("The mail server did not take the email yet."),
    "delivery:refused": lambda f: _("The mail server refused the email."),
    "delivery:delayed": lambda f: _("A mail server on the way reports a delay."),
    "delivery:bounced": lambda f: _("The email came back."),
    "reminder:sent": lambda f: _("A reminder was sent: the mail server took it."),
    "reminder:deferred": lambda f: _("The mail server did not take the reminder yet."),
    "reminder:refused": lambda f: _("The mail server refused the reminder."),
    "reminder:delayed": lambda f: _("A mail server on the way reports a delay of the reminder."),
    "reminder:bounced": lambda f: _("The reminder came back."),
}


def sentence(kind: str, who: str, whom: str, facts: Facts) -> str:
    told = TOLD[kind]({**facts, "who": named(who), "whom": named(whom)})
    nobody = named(ERASED)
    return told.replace(nobody, named(ERASED, begins=True), 1) if told.startswith(nobody) else told


def _two(facts: Facts) -> Facts:
    return {"who": facts["who"], "whom": facts["whom"]}


def _whom(facts: Facts) -> Facts:
    return {"whom": facts["whom"]}


def _roles(roles: Any) -> str:
    words = {
        "owner": _("Owner"),
        "admin": _("Administrator"),
        "finance": _("Finance"),
        "member": _("Member"),
    }
    held = [role for role in words if role in (roles or ())] or ["member"]
    return ", ".join(words[role] for role in held)


def _licence(licence: Any) -> str:
    return str(_("Licensed") if licence == "licensed" else _("Basic"))


def _settings(facts: Facts) -> str:
    words = {
        "recommendation": _("refund or credit"),
        "recommendation_note": _("your own words"),
        "locale": _("language"),
        "invitation_days": _("days to answer"),
        "first_reminder_days": _("first reminder"),
        "second_reminder_days": _("second reminder"),
        "last_reminder_days": _("last reminder"),
        "basic_when_full": _("joining without a free licence"),
        "second_factor": _("second factor"),
    }
    return ", ".join(words[name] for name in words if name in facts)


def _amount(facts: Facts) -> str:
    return str(money(facts["amount_minor"], facts["currency"]))
