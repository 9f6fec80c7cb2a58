"""The ledger: two tables that only grow (rule M5). Triggers in the migrations refuse update,
delete, transfers across currencies and overdrafts; balances are sums, never stored."""

from typing import Any

from peewee import BigIntegerField, Check, ForeignKeyField, TextField, fn

from webapp.database import BaseModel, InstantField
from webapp.models.account import Account


class LedgerAccount(BaseModel):
    """One balance: of an account, a kind and a currency. `normal` is the side that increases it."""

    account_id: int
    account = ForeignKeyField(Account, backref="ledger_accounts", index=False)
    kind = TextField()
    currency = TextField()
    normal = TextField()

    class Meta:
        constraints = [
            Check("normal IN ('debit', 'credit')", name="ledger_account_normal"),
        ]
        indexes = ((("account", "kind", "currency"), True),)

    def balance(self) -> int:
        """In minor units, counted on the side that increases it."""
        total = fn.COALESCE(fn.SUM(LedgerTransfer.amount_minor), 0)
        debits: Any = LedgerTransfer.select(total).where(LedgerTransfer.debit == self).scalar()
        credits: Any = LedgerTransfer.select(total).where(LedgerTransfer.credit == self).scalar()
        return int(debits - credits if self.normal == "debit" else credits - debits)


class LedgerTransfer(BaseModel):
    """One movement: `amount_minor` debits one ledger account and credits another."""

    key = TextField(unique=True)
    kind = TextField()
    debit_id: int
    debit = ForeignKeyField(LedgerAccount, backref="debits", index=False)
    credit_id: int
    credit = ForeignKeyField(LedgerAccount, backref="credits", index=False)
    amount_minor = BigIntegerField()
    at = InstantField()

    class Meta:
        constraints = [
            Check("amount_minor > 0", name="ledger_transfer_amount"),
            Check("debit_id <> credit_id", name="ledger_transfer_sides"),
        ]
        indexes = ((("debit", "id"), False), (("credit", "id"), False), (("at", "id"), False))
