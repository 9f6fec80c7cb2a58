"""Telling those who look after an account's money what they wait for or have to see to: an
organisation's that credit has become available, the seller's that refunds have failed. One mail an
hour at most for each account, so that a thousand people who join in a day are not a thousand mails
to anybody."""

from datetime import datetime, timedelta
from typing import Any

from webapp import outbox
from webapp.actions import refunds
from webapp.database import locked, transaction
from webapp.models import Account, CreditLot, Membership, Notice, Refund, User

REST = timedelta(hours=1)
# So many refunds are named in one mail; the others are counted.
MOST = 20
# Failures in one go: what a gateway refuses in an hour, when it refuses everything.
AT_ONCE = 1000


def collect(now: datetime) -> int:
    """Writes what is due by now; returns of how many accounts. Safe to run twice at once."""
    found: Any = CreditLot.select(CreditLot.organisation).where(CreditLot.told_at.is_null())
    organisations = [row[0] for row in found.distinct().tuples()]
    told = sum(_tell_of_credit(account_id, now) for account_id in organisations)
    return told + _tell_of_refunds(now)


def recipients(account: Account, is_digest: bool = False) -> list[int]:
    """The users who look after the account's money: an organisation's finance people and owners,
    everybody of the seller's account."""
    query: Any = (
        Membership.select(Membership.user)
        .join(User)
        .where(Membership.account == account, Membership.ended_at.is_null())
    )
    if account.kind == "organisation":
        query = query.where(Membership.is_owner | Membership.is_finance)
    if is_digest:
        query = query.where(User.wants_digest)
    return [row[0] for row in query.order_by(Membership.id).tuples()]


def _tell_of_credit(account_id: int, now: datetime) -> bool:
    """What came and when is in the lots; whoever makes one holds the account's lock too."""
    untold = (CreditLot.organisation == account_id) & CreditLot.told_at.is_null()
    with transaction():
        account = locked(Account.select().where(Account.id == account_id)).get()
        lots: Any = CreditLot.select(CreditLot.currency, CreditLot.amount_minor).where(untold)
        came: dict[str, list[int]] = {}
        for currency, minor in lots.tuples():
            came.setdefault(currency, []).append(minor)
        if not came or not _claim(account, "credit", now):
            return False
        CreditLot.update(told_at=now).where(untold).execute()
        credits = [[one, len(lots), sum(lots)] for one, lots in sorted(came.items())]
        _write("mail:credit-available", account, {"credits": credits})
    return True


def _tell_of_refunds(now: datetime) -> bool:
    """Refunds that were mended before anybody was told are marked, and no news."""
    untold = (
        Refund.told_at.is_null()
        & Refund.requested_at.is_null(False)
        & Refund.state.in_(("failed", "canceled"))
    )
    seller = Account.get_or_none(Account.kind == "operator")
    if seller is None or not Refund.select(Refund.id).where(untold).exists():
        return False
    with transaction():
        locked(Account.select(Account.id).where(Account.id == seller.id)).first()
        # Locked, so that none that fails meanwhile is marked without having been told.
        rows = locked(Refund.select(Refund.id).where(untold).order_by(Refund.id).limit(AT_ONCE))
        marked = Refund.id.in_([one.id for one in rows])
        news = [one.id for one in refunds.failed().where(marked)]
        if news and not _claim(seller, "refunds", now):
            return False
        Refund.update(told_at=now).where(marked).execute()
        if news:
            _write("mail:refunds-failed", seller, {"refund_ids": news[:MOST], "count": len(news)})
    return bool(news)


def _claim(account: Account, kind: str, now: datetime) -> bool:
    """False when the account was told of the like within the hour. The caller holds its lock."""
    last = Notice.get_or_none(
        (Notice.account == account) & (Notice.kind == kind) & (Notice.month == "")
    )
    if last is None:
        Notice.create(account=account, kind=kind, at=now)
        return True
    due = (Notice.id == last.id) & (Notice.at <= now - REST)
    return bool(Notice.update(at=now).where(due).execute())


def _write(kind: str, account: Account, facts: dict[str, Any]) -> None:
    for user_id in recipients(account):
        outbox.write(kind, {"user_id": user_id, "account_id": account.id, **facts})
