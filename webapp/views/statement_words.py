"""What a statement's kind and state are called, in the reader's language."""

from flask_babel import gettext as _

from webapp.permissions import SEE_BILLING, Viewer

OF_CREDIT_ALONE = ("part_used", "used")


def kinds() -> dict[str, str]:
    return {"refund": _("Refund"), "credit": _("Credit"), "account_credit": _("Account credit")}


def documents() -> dict[str, str]:
    return {
        "refund": _("Refund statement"),
        "credit": _("Credit statement"),
        "account_credit": _("Account credit statement"),
    }


def states() -> dict[str, str]:
    """As a filter names them, whatever the kind."""
    return {
        "held": _("on hold"),
        "requested": _("under way"),
        "succeeded": _("refunded, transferred or available"),
        "part_used": _("partly used"),
        "used": _("used up"),
        "failed": _("failed"),
        "credited": _("turned into credit"),
        "cancelled": _("cancelled"),
    }


def states_for(viewer: Viewer) -> dict[str, str]:
    """Those that a person's statements could ever have: how much of its credit an organisation
    used is told to whoever sees its billing."""
    known = states()
    if viewer.may(SEE_BILLING):
        return known
    return {name: words for name, words in known.items() if name not in OF_CREDIT_ALONE}


def states_of(kind: str) -> dict[str, str]:
    """As a row names them."""
    succeeded = {"refund": _("refunded"), "credit": _("transferred")}
    return {
        **states(),
        "held": _("not sent yet") if kind == "refund" else _("on hold"),
        "succeeded": succeeded.get(kind, _("available")),
    }
