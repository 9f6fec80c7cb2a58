"""What the ledger's accounts and events are called, in the reader's language (docs/ledger.md)."""

from flask_babel import gettext as _


def accounts() -> dict[str, str]:
    return {
        "captured": _("Payments kept"),
        "prepaid": _("Paid, and may be given back"),
        "refund_held": _("Refunds on hold"),
        "refund_requested": _("Refunds under way"),
        "credit_held": _("Credit on hold"),
        "credit_available": _("Credit available"),
        "credit_used": _("Credit used"),
        "counterpart": _("Counterpart"),
    }


def events() -> dict[str, str]:
    return {
        "captured": _("Payment taken"),
        "returned_before": _("Given back before"),
        "refund_held": _("Refund put on hold"),
        "refund_held_reversed": _("Refund undone"),
        "refund_requested": _("Refund sent"),
        "refund_succeeded": _("Refund arrived"),
        "refund_succeeded_reversed": _("Refund sent back by the bank"),
        "refund_failed": _("Refund failed"),
        "refund_to_credit": _("Failed refund turned into credit"),
        "credit_held": _("Credit put on hold"),
        "credit_held_reversed": _("Credit undone"),
        "credit_received": _("Credit received"),
        "credit_available": _("Credit made available"),
        "credit_used": _("Credit taken by an invoice"),
        "credit_used_reversed": _("Credit given back by an invoice"),
        "credit_pushed": _("Credit moved to the payment provider"),
        "credit_pushed_reversed": _("Credit refused by the payment provider"),
    }
