"""Posting transfers, reading balances, and `check`, which proves that all of it holds (M5)."""

from collections.abc import Iterable
from typing import Any

from peewee import chunked, fn

from invoices.ledger import NORMAL, Kind, LedgerAccountRef, Transfer
from webapp import clock
from webapp.actions.ledger_check import check as check
from webapp.database import locked
from webapp.models import LedgerAccount, LedgerTransfer

# Rows in one statement: far under the variables that either engine binds.
AT_ONCE = 500


def post(transfers: Iterable[Transfer]) -> None:
    """Writes transfers, in their order. Call inside the transaction of the event.

    IntegrityError for a key that is there already, an overdraft or a change of currency: the
    database refuses these by itself.
    """
    posted = list(transfers)
    ids = _ids({side for one in posted for side in (one.debit, one.credit)})
    _lock(sorted(ids.values()))
    now = clock.now()
    rows = [
        {
            "key": one.key,
            "kind": one.kind,
            "debit": ids[one.debit],
            "credit": ids[one.credit],
            "amount_minor": one.amount_minor,
            "at": now,
        }
        for one in posted
    ]
    for batch in chunked(rows, AT_ONCE):
        LedgerTransfer.insert_many(batch).execute()


def is_posted(key: str) -> bool:
    """Is there a transfer of this key?"""
    return bool(LedgerTransfer.select().where(LedgerTransfer.key == key).exists())


def balance(account_id: int, kind: Kind, currency: str) -> int:
    """In minor units, counted on the side that increases it; nothing where there is no account."""
    found: LedgerAccount | None = LedgerAccount.get_or_none(
        LedgerAccount.account == account_id,
        LedgerAccount.kind == kind,
        LedgerAccount.currency == currency,
    )
    return 0 if found is None else found.balance()


def balances(account_id: int) -> dict[tuple[str, str], int]:
    """All balances of one account, by kind and currency."""
    debits, credits = (_sums(account_id, side) for side in ("debit", "credit"))
    found: dict[tuple[str, str], int] = {}
    for one in LedgerAccount.select().where(LedgerAccount.account == account_id):
        whole = debits.get(one.id, 0) - credits.get(one.id, 0)
        found[one.kind, one.currency] = whole if one.normal == "debit" else -whole
    return found


def _sums(account_id: int, side: str) -> dict[int, int]:
    """What was moved on one side of each ledger account of an account."""
    end = getattr(LedgerTransfer, side)
    rows: Any = (
        LedgerTransfer.select(end, fn.SUM(LedgerTransfer.amount_minor))
        .join(LedgerAccount, on=(end == LedgerAccount.id))
        .where(LedgerAccount.account == account_id)
        .group_by(end)
        .tuples()
    )
    return {at: int(whole) for at, whole in rows}


def _ids(wanted: set[LedgerAccountRef]) -> dict[LedgerAccountRef, int]:
    """The ledger accounts' ids; those that are not there yet are opened."""
    found = _known(wanted)
    # Always opened in the same order, so that two transactions never wait for each other.
    missing = sorted(
        wanted - found.keys(), key=lambda one: (one.account_id, one.kind, one.currency)
    )
    rows = [
        {
            "account": one.account_id,
            "kind": one.kind,
            "currency": one.currency,
            "normal": NORMAL[one.kind],
        }
        for one in missing
    ]
    for batch in chunked(rows, AT_ONCE):
        LedgerAccount.insert_many(batch).on_conflict_ignore().execute()
    return found | _known(set(missing))


def _lock(ids: list[int]) -> None:
    """All at once and in one order: the trigger locks two at a time, as the transfers come."""
    for batch in chunked(ids, AT_ONCE):
        wanted = LedgerAccount.select(LedgerAccount.id).where(LedgerAccount.id.in_(batch))
        list(locked(wanted.order_by(LedgerAccount.id)))


def _known(wanted: set[LedgerAccountRef]) -> dict[LedgerAccountRef, int]:
    found: dict[LedgerAccountRef, int] = {}
    for batch in chunked(sorted({one.account_id for one in wanted}), AT_ONCE):
        rows: Any = LedgerAccount.select(
            LedgerAccount.id, LedgerAccount.account, LedgerAccount.kind, LedgerAccount.currency
        ).where(LedgerAccount.account.in_(batch))
        for at, account_id, kind, currency in rows.tuples():
            found[LedgerAccountRef(account_id, kind, currency)] = at
    return {one: at for one, at in found.items() if one in wanted}
