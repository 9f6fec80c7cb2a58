"""What a statement's kind and state are called, in the reader's language."""

from flask_babel import gettext as _


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
        "held": _("can still be undone"),
        "requested": _("under way"),
        "succeeded": _("refunded, or available"),
        "failed": _("failed"),
        "credited": _("turned into credit"),
        "cancelled": _("cancelled"),
    }


def states_of(kind: str) -> dict[str, str]:
    """As a row names them."""
    if kind == "refund":
        return {**states(), "held": _("not sent yet"), "succeeded": _("refunded")}
    return {**states(), "held": _("on hold"), "succeeded": _("available")}
