"""The invoices that a line names. One that is paid or voided stays as it is, for good."""

from typing import Any

from peewee import chunked

from webapp import clock
from webapp.actions.imports.inserting import AT_ONCE
from webapp.imports.amounts import ImportedInvoice
from webapp.imports.fields import RowRefused, shown
from webapp.imports.rows import Row
from webapp.models import Account, Invoice

NEW = {"issued_on": None, "due_on": None, "tax_minor": 0, "paid_minor": 0, "pay_url": ""}


def follow(row: Row, account: Account, known: dict[str, Invoice]) -> bool:
    """Brings the invoices to what the line names; False when they were so already."""
    is_changed = False
    for named in row.invoices:
        invoice = known.get(named.number)
        if invoice is None:
            _check_new(named)
            is_changed |= create([(row, account.id, named)])
        elif invoice.owed_minor > 0:
            is_changed |= _correct(invoice, named)
    return is_changed


def check_new(row: Row) -> None:
    """Raises RowRefused for an invoice that lacks something, none being known yet."""
    for named in row.invoices:
        _check_new(named)


def create(wanted: list[tuple[Row, int, ImportedInvoice]]) -> bool:
    """New invoices of accounts (ids); those on which nothing is owed are left out."""
    rows = [
        {
            **NEW,
            **_values(named),
            "account": account_id,
            "number": named.number,
            "currency": row.currency,
            "created_at": clock.now(),
        }
        for row, account_id, named in wanted
        if named.owed_minor != 0
    ]
    for batch in chunked(rows, AT_ONCE):
        Invoice.insert_many(batch).execute()
    return bool(rows)


def _values(named: ImportedInvoice) -> dict[str, Any]:
    owed = {} if named.owed_minor is None else {"total_minor": named.owed_minor}
    return {**named.values, **owed}


def _check_new(named: ImportedInvoice) -> None:
    if named.owed_minor != 0:
        _check(named.number, {**NEW, **_values(named)})


def _correct(invoice: Invoice, named: ImportedInvoice) -> bool:
    values = dict(named.values)
    paid = max(values.get("paid_minor", 0), invoice.paid_minor)
    if "paid_minor" in values:
        values["paid_minor"] = paid
    if named.owed_minor == 0:
        values["paid_minor"] = invoice.total_minor
    elif named.owed_minor is not None:
        values["total_minor"] = named.owed_minor + paid
    changes = {name: value for name, value in values.items() if getattr(invoice, name) != value}
    if not changes:
        return False
    columns = ("total_minor", "tax_minor", "paid_minor")
    _check(named.number, {name: getattr(invoice, name) for name in columns} | changes)
    Invoice.update(**changes).where(Invoice.id == invoice.id).execute()
    return True


def _check(number: str, values: dict[str, Any]) -> None:
    if "total_minor" not in values:
        raise RowRefused(f"invoices: {shown(number)} is new and has no total_minor")
    for name, what in (("tax_minor", "tax"), ("paid_minor", "paid")):
        if values[name] > values["total_minor"]:
            raise RowRefused(f"invoices: {shown(number)} has more {what} than its total")
