"""Payments (money in), invoices (demands for payment) and refunds (money out)."""

from peewee import SQL, BigIntegerField, BooleanField, Check, DateField, ForeignKeyField, TextField

from webapp.database import BaseModel, InstantField
from webapp.models.account import Account, Subscription


class Payment(BaseModel):
    """What was captured for a billing period. `returned_minor` is what was given back or handed
    over since, held parts included; it never exceeds what was captured. `tax_rate` is per cent,
    as text. The original invoice is cited by number and day. `is_disputed` while the bank looks
    into it; `returning_minor` is what was given back elsewhere and has not arrived yet."""

    account_id: int
    account = ForeignKeyField(Account, backref="payments", index=False)
    subscription_id: int | None
    subscription = ForeignKeyField(Subscription, backref="payments", null=True)
    gateway = TextField()
    reference = TextField()
    method = TextField(default="")
    currency = TextField()
    captured_minor = BigIntegerField()
    tax_minor = BigIntegerField(default=0)
    tax_rate = TextField(null=True)
    captured_at = InstantField()
    returned_minor = BigIntegerField(default=0)
    returned_tax_minor = BigIntegerField(default=0)
    returned_elsewhere_minor = BigIntegerField(default=0)
    returning_minor = BigIntegerField(default=0)
    invoice_number = TextField(default="")
    invoice_on = DateField(null=True)
    is_disputed = BooleanField(default=False)

    class Meta:
        constraints = [
            Check("gateway IN ('simulated', 'stripe', 'none')", name="payment_gateway"),
            Check("captured_minor > 0", name="payment_captured"),
            Check("tax_minor >= 0 AND tax_minor <= captured_minor", name="payment_tax"),
            Check(
                "returned_minor >= 0 AND returned_minor <= captured_minor",
                name="payment_returned",
            ),
            Check(
                "returned_tax_minor >= 0 AND returned_tax_minor <= tax_minor",
                name="payment_returned_tax",
            ),
            Check(
                "returned_elsewhere_minor >= 0 AND returned_elsewhere_minor <= returned_minor",
                name="payment_returned_elsewhere",
            ),
            Check(
                "returning_minor >= 0 AND returning_minor <= returned_elsewhere_minor",
                name="payment_returning",
            ),
        ]
        indexes = ((("account", "reference"), True),)


Payment.add_index(
    SQL(
        "CREATE UNIQUE INDEX payment_one_of_gateway ON payment (gateway, reference)"
        " WHERE gateway <> 'none'"
    )
)


class Invoice(BaseModel):
    """A demand for payment. Days are null where the source did not say. `is_being_paid` while the
    gateway says that a payment of it is under way, such as a direct debit."""

    account_id: int
    account = ForeignKeyField(Account, backref="invoices", index=False)
    number = TextField()
    issued_on = DateField(null=True)
    due_on = DateField(null=True)
    currency = TextField()
    total_minor = BigIntegerField()
    tax_minor = BigIntegerField(default=0)
    paid_minor = BigIntegerField(default=0)
    pay_url = TextField(default="")
    is_being_paid = BooleanField(default=False)
    created_at = InstantField()
    voided_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check("total_minor > 0", name="invoice_total"),
            Check("tax_minor >= 0 AND tax_minor <= total_minor", name="invoice_tax"),
            Check("paid_minor >= 0 AND paid_minor <= total_minor", name="invoice_paid"),
        ]
        indexes = ((("account", "number"), True),)

    @property
    def owed_minor(self) -> int:
        return 0 if self.voided_at else int(self.total_minor - self.paid_minor)


Invoice.add_index(
    SQL(
        "CREATE INDEX invoice_open ON invoice (account_id)"
        " WHERE voided_at IS NULL AND paid_minor < total_minor"
    )
)
