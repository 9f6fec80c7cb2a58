"""A copy of everything that is kept on a person (docs/personal-data.md names each key). Instants
are ISO 8601 in UTC, days ISO 8601, amounts integers in minor units of their currency. Reading
only."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from webapp.actions import movements
from webapp.models import (
    Acceptance,
    Account,
    AuditEvent,
    Authenticator,
    DeliveryEvent,
    Guess,
    Invitation,
    Invoice,
    Membership,
    Passkey,
    Payment,
    RecoveryCode,
    Refund,
    Session,
    Settlement,
    SettlementShare,
    SignInCode,
    Statement,
    Subscription,
    Throttle,
    User,
)

PERSON = ("email", "name", "locale", "created_at", "verified_at", "wants_digest")
SESSION = (
    "agent", "needs_factor", "created_at", "last_seen_at", "proven_at", "expires_at", "ended_at",
)  # fmt: skip
PASSKEY = ("name", "created_at", "last_used_at", "sign_count")
APP = ("created_at", "confirmed_at")
RECOVERY = ("created_at", "used_at")
CODE = ("purpose", "created_at", "expires_at", "tries", "used_at")
MEMBERSHIP = (
    "is_owner", "is_admin", "is_finance", "licence", "department", "job_title", "location",
    "joined_at", "ended_at",
)  # fmt: skip
ACCOUNT = (
    "public_id", "name", "address", "country", "tax_id", "currency", "locale", "created_at",
    "closed_at", "gateway_customer",
)  # fmt: skip
SUBSCRIPTION = (
    "plan", "status", "currency", "billing_zone", "period_start_on", "period_end_on",
    "trial_end_on", "ended_at", "gateway_reference",
)  # fmt: skip
PAYMENT = (
    "gateway", "reference", "method", "currency", "captured_minor", "tax_minor", "tax_rate",
    "captured_at", "returned_minor", "returned_tax_minor", "returned_elsewhere_minor",
    "returning_minor", "is_disputed", "invoice_number", "invoice_on",
)  # fmt: skip
INVOICE = (
    "number", "issued_on", "due_on", "currency", "total_minor", "tax_minor", "paid_minor",
    "pay_url", "is_being_paid", "created_at", "voided_at",
)  # fmt: skip
INVITATION = (
    "email", "name", "department", "job_title", "location", "note", "locale", "licence",
    "is_admin", "is_finance", "created_at", "expires_at", "status", "answered_at",
    "decline_reason", "delivery", "delivery_note", "delivery_at", "remind_at", "muted_at",
    "reported_at", "report",
)  # fmt: skip
DELIVERY = ("kind", "words", "at", "next_try_at")
ACCEPTANCE = ("accepted_at", "undo_until", "undone_at")
SETTLEMENT = ("choice", "currency", "settled_on", "gross_minor", "tax_minor", "derivation")
REFUND = (
    "currency", "amount_minor", "state", "gateway_reference", "bank_reference", "reason",
    "is_by_hand", "paid_on", "created_at", "requested_at", "changed_at",
)  # fmt: skip
STATEMENT = (
    "number", "kind", "customer_name", "currency", "gross_minor", "tax_minor", "locale",
    "issued_on", "issued_at", "sha256", "inputs",
)  # fmt: skip
EVENT = ("at", "kind", "subject", "facts")


def of(user: User, now: datetime) -> dict[str, Any]:
    mine = Acceptance.select().where(Acceptance.user == user).order_by(Acceptance.id)
    own = (Membership.user == user) & Membership.is_owner & (Account.kind == "individual")
    accounts = Account.select().join(Membership).where(own).distinct().order_by(Account.id)
    return {
        "made_at": _plain(now),
        "person": {**_row(user, PERSON), "has_password": user.password_hash is not None},
        "sessions": _rows(Session.select().where(Session.user == user), SESSION),
        "passkeys": _rows(Passkey.select().where(Passkey.user == user), PASSKEY),
        "authenticators": _rows(Authenticator.select().where(Authenticator.user == user), APP),
        "recovery_codes": _rows(RecoveryCode.select().where(RecoveryCode.user == user), RECOVERY),
        "sign_in_codes": _rows(SignInCode.select().where(SignInCode.email == user.email), CODE),
        "recent_tries": _tries(user),
        "memberships": [
            {"account": _named(one.account), **_row(one, MEMBERSHIP)}
            for one in Membership.select().where(Membership.user == user).order_by(Membership.id)
        ],
        "accounts": [_account(one) for one in accounts],
        "invitations": [
            {
                "organisation": one.account.name,
                "inviter": one.inviter.name or one.inviter.known_email,
            }
            | _row(one, INVITATION)
            | {"deliveries": _rows(_deliveries(one), DELIVERY)}
            for one in Invitation.select().where(Invitation.email == user.email)
        ],
        "invitations_sent": _sent(user),
        "acceptances": [_acceptance(one) for one in mine],
        "statements": _rows(
            Statement.select().where(Statement.user == user, Statement.kind != "account_credit"),
            STATEMENT,
        ),
        "events": _rows(AuditEvent.select().where(AuditEvent.actor == user), EVENT),
    }


def _deliveries(invitation: Invitation) -> Any:
    return DeliveryEvent.select().where(DeliveryEvent.invitation == invitation)


def _account(account: Account) -> dict[str, Any]:
    def rows(model: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:
        return _rows(model.select().where(model.account == account), names)

    return {
        **_row(account, ACCOUNT),
        "subscriptions": rows(Subscription, SUBSCRIPTION),
        "payments": rows(Payment, PAYMENT),
        "invoices": rows(Invoice, INVOICE),
        "ledger": [_plain(asdict(one)) for one in movements.of(account)],
    }


def _acceptance(acceptance: Acceptance) -> dict[str, Any]:
    settlement = Settlement.get_or_none(Settlement.acceptance == acceptance)
    refunds = (
        Refund.select().join(SettlementShare).where(SettlementShare.settlement == settlement)
        if settlement is not None
        else ()
    )
    return {
        "organisation": acceptance.organisation.name,
        **_row(acceptance, ACCEPTANCE),
        "settlement": None if settlement is None else _row(settlement, SETTLEMENT),
        "refunds": _rows(refunds, REFUND),
    }


def _sent(user: User) -> list[dict[str, Any]]:
    """Whom the person invited is the others' data, and their organisation's."""
    sent = Invitation.select().where(Invitation.inviter == user).order_by(Invitation.id)
    names = ("created_at", "status", "note")
    return [{"organisation": one.account.name, **_row(one, names)} for one in sent]


def _tries(user: User) -> list[dict[str, Any]]:
    """Counted against guessing, for two days."""
    mine = f":{user.email}"
    counted: list[tuple[Any, datetime]] = [
        *((one, one.window_at) for one in Throttle.select().where(Throttle.key.endswith(mine))),
        *((one, one.last_at) for one in Guess.select().where(Guess.key.endswith(mine))),
    ]
    return [
        {"what": one.key.partition(":")[0], "since": _plain(at), "count": one.count}
        for one, at in counted
    ]


def _named(account: Account) -> dict[str, str]:
    return {"public_id": account.public_id, "kind": account.kind, "name": account.name}


def _rows(rows: Iterable[Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [_row(row, names) for row in sorted(rows, key=lambda row: int(row.id))]


def _row(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # an instant is a date, too
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
