"""What happened, as a sentence for people: for the timeline of an invitation and the activity."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

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
    "invitation:muted": lambda f: _("%(whom)s wants no more reminders.", **_whom(f)),
    "invitation:expired": lambda f: _("The invitation expired without an answer."),
    "invitation:superseded": lambda f: _("The invitation was closed."),
    "invitations:taken-over": lambda f: ngettext(
        "%(who)s took over %(num)d invitation.",
        "%(who)s took over %(num)d invitations.",
        f.get("count", 1),
        who=f["who"],
    ),
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
    return TOLD[kind]({**facts, "who": who, "whom": whom})


def _two(facts: Facts) -> Facts:
    return {"who": facts["who"], "whom": facts["whom"]}


def _whom(facts: Facts) -> Facts:
    return {"whom": facts["whom"]}
