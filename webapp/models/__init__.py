"""The nouns: fields, constraints, queries and predicates, one file a family."""

from webapp.models.acceptance import (
    Acceptance,
    CreditLot,
    CreditUse,
    Refund,
    Settlement,
    SettlementShare,
)
from webapp.models.account import Account, Subscription
from webapp.models.audit import AuditEvent
from webapp.models.delivery_event import DeliveryEvent
from webapp.models.factor import Authenticator, Passkey, RecoveryCode, SpentChallenge
from webapp.models.gateway import CreditPush, SyncState, WebhookEvent
from webapp.models.invitation import Invitation, InvitationLink
from webapp.models.invoice_copy import InvoiceCopy
from webapp.models.ledger import LedgerAccount, LedgerTransfer
from webapp.models.notice import Notice
from webapp.models.outbox_message import KeptMail, OutboxMessage
from webapp.models.payment import Invoice, Payment
from webapp.models.people_count import PeopleCount
from webapp.models.reconciliation import Reconciliation
from webapp.models.statement import Statement, StatementSeries
from webapp.models.upload import Upload, UploadRow
from webapp.models.user import Guess, Membership, Session, SignInCode, Throttle, User

ALL = (
    Account,
    Subscription,
    User,
    Membership,
    Session,
    SignInCode,
    Passkey,
    Authenticator,
    RecoveryCode,
    SpentChallenge,
    Guess,
    Throttle,
    Invitation,
    InvitationLink,
    PeopleCount,
    Upload,
    UploadRow,
    Payment,
    Invoice,
    Acceptance,
    Settlement,
    SettlementShare,
    CreditLot,
    CreditPush,
    CreditUse,
    Refund,
    LedgerAccount,
    LedgerTransfer,
    StatementSeries,
    Statement,
    OutboxMessage,
    Notice,
    DeliveryEvent,
    KeptMail,
    AuditEvent,
    WebhookEvent,
    SyncState,
    InvoiceCopy,
    Reconciliation,
)

__all__ = [
    "ALL",
    "Acceptance",
    "Account",
    "AuditEvent",
    "Authenticator",
    "CreditLot",
    "CreditPush",
    "CreditUse",
    "DeliveryEvent",
    "Guess",
    "Invitation",
    "InvitationLink",
    "Invoice",
    "InvoiceCopy",
    "KeptMail",
    "LedgerAccount",
    "LedgerTransfer",
    "Membership",
    "Notice",
    "OutboxMessage",
    "Passkey",
    "Payment",
    "PeopleCount",
    "Reconciliation",
    "RecoveryCode",
    "Refund",
    "Session",
    "Settlement",
    "SettlementShare",
    "SignInCode",
    "SpentChallenge",
    "Statement",
    "StatementSeries",
    "Subscription",
    "SyncState",
    "Throttle",
    "Upload",
    "UploadRow",
    "User",
    "WebhookEvent",
]
