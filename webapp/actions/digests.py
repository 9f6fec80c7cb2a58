"""The monthly mail to those who look after an account's money: what happened in the month that is
over, by currency. Written in the first days of the next one, once for each account, however many
workers there are and however often they are started: the notice's row is what claims it. Where
nothing happened there is no mail."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from peewee import fn

from webapp import outbox
from webapp.actions import finance_notices, month_sums
from webapp.database import locked, transaction
from webapp.models import Account, LedgerAccount, Notice
from webapp.policy import policy

# Days of the new month on which the last one's digest is still news.
FIRST_DAYS = 7


def collect(now: datetime) -> int:
    """Writes the digests of the month that is over; returns of how many accounts."""
    today = now.astimezone(ZoneInfo(policy().billing_zone)).date()
    if today.day > FIRST_DAYS:
        return 0
    month = (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    return sum(_digest(account_id, month, now) for account_id in _unasked(month))


def _unasked(month: str) -> list[int]:
    """The seller's account, and those of organisations that ever had credit, without a notice."""
    told = Notice.select(Notice.account).where(Notice.kind == "month", Notice.month == month)
    credited = LedgerAccount.select(LedgerAccount.id).where(LedgerAccount.account == Account.id)
    is_concerned = (Account.kind == "operator") | (
        (Account.kind == "organisation") & fn.EXISTS(credited)
    )
    query: Any = Account.select(Account.id).where(is_concerned, Account.id.not_in(told))
    return [row[0] for row in query.order_by(Account.id).tuples()]


def _digest(account_id: int, month: str, now: datetime) -> bool:
    with transaction():
        account = locked(Account.select().where(Account.id == account_id)).get()
        mine = {"account": account, "kind": "month", "month": month}
        if Notice.select().filter(**mine).exists():
            return False
        Notice.create(**mine, at=now)
        if not month_sums.of(account, month):
            return False
        for user_id in finance_notices.recipients(account, is_digest=True):
            facts = {"user_id": user_id, "account_id": account_id, "month": month}
            outbox.write("mail:month", facts)
    return True
