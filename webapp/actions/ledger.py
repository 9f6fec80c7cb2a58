"""Posting transfers, reading balances, and `check`, which proves that all of it holds (M5)."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from peewee import fn

from invoices.ledger import NORMAL, Kind, LedgerAccountRef, Transfer
from webapp import clock
from webapp.actions.ledger_check import check as check
from webapp.database import as_instant, is_postgresql
from webapp.models import LedgerAccount, LedgerTransfer
from webapp.models.written import fetch_all, insert_values, locking

# Rows in one statement: far under the variables that either engine binds.
AT_ONCE = 500
One = TypeVar("One")


def post(transfers: Iterable[Transfer]) -> None:
    """Writes transfers, in their order. Call inside the transaction of the event.

    IntegrityError for a key that is there already, an overdraft or a change of currency: the
    database refuses these by itself.
    """
    posted = list(transfers)
    ids = _ids({side for one in posted for side in (one.debit, one.credit)})
    if len(posted) > 1:
        _lock(sorted(ids.values()))
    now = as_instant(clock.now())
    rows = [
        (one.key, one.kind, ids[one.debit], ids[one.credit], one.amount_minor, now)
        for one in posted
    ]
    for batch in _batches(rows):
        insert_values("ledger_transfer (key, kind, debit_id, credit_id, amount_minor, at)", batch)


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
    rows = [(one.account_id, one.kind, one.currency, NORMAL[one.kind]) for one in missing]
    for batch in _batches(rows):
        into = "ledger_account (account_id, kind, currency, normal)"
        tail = "ON CONFLICT DO NOTHING RETURNING id, account_id, kind, currency"
        found |= _by_reference(insert_values(into, batch, tail).fetchall())
    # Those that another transaction opened meanwhile.
    others = wanted - found.keys()
    return found | (_known(others) if others else {})


def _lock(ids: list[int]) -> None:
    """All at once and in one order: the trigger locks the two of each transfer, as they come."""
    if is_postgresql():
        for batch in _batches(ids):
            places = ", ".join("?" * len(batch))
            at = f"id IN ({places})"
            found = f"SELECT id FROM ledger_account WHERE {at} ORDER BY id"  # nosec B608 # question marks
            fetch_all(locking(found), *batch)


def _known(wanted: set[LedgerAccountRef]) -> dict[LedgerAccountRef, int]:
    found: dict[LedgerAccountRef, int] = {}
    for batch in _batches(sorted({one.account_id for one in wanted})):
        places = ", ".join("?" * len(batch))
        rows = fetch_all(
            f"""
            SELECT id, account_id, kind, currency FROM ledger_account
             WHERE account_id IN ({places})
            """,  # nosec B608 # question marks
            *batch,
        )
        found |= _by_reference(rows)
    return {one: at for one, at in found.items() if one in wanted}


def _by_reference(rows: Iterable[tuple[Any, ...]]) -> dict[LedgerAccountRef, int]:
    return {LedgerAccountRef(*reference): at for at, *reference in rows}


def _batches(rows: list[One]) -> Iterator[list[One]]:
    return (rows[at : at + AT_ONCE] for at in range(0, len(rows), AT_ONCE))
