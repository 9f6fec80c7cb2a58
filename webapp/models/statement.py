"""Statements: numbered, frozen documents (rules D1 to D3)."""

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    Check,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from webapp.database import BaseModel, InstantField, JSONTextField
from webapp.models.acceptance import Settlement
from webapp.models.account import Account
from webapp.models.user import User

KINDS = ("refund", "credit", "account_credit")


class StatementSeries(BaseModel):
    """The last number taken of each seller, kind and year; moved in the document's own
    transaction, so that a rollback leaves no gap (rule D2)."""

    id = None  # type: ignore[assignment]
    seller = TextField()
    kind = TextField()
    year = IntegerField()
    last = IntegerField()

    class Meta:
        primary_key = CompositeKey("seller", "kind", "year")
        constraints = [Check("last > 0", name="statement_series_last")]


class Statement(BaseModel):
    """`inputs` is all that the document prints; `pdf` and `sha256` come once, from the worker,
    and a trigger refuses every later change. `account` is who receives it."""

    number = TextField(unique=True)
    seller = TextField()
    kind = TextField()
    year = IntegerField()
    sequence = IntegerField()
    account_id: int
    account = ForeignKeyField(Account, backref="statements", index=False)
    user_id: int | None
    user = ForeignKeyField(User, backref="statements", null=True, index=False)
    settlement_id: int
    settlement = ForeignKeyField(Settlement, backref="statements")
    corrects_id: int | None
    corrects = ForeignKeyField("self", backref="+", null=True, unique=True)
    customer_name = TextField()
    currency = TextField()
    gross_minor = BigIntegerField()
    tax_minor = BigIntegerField()
    locale = TextField()
    issued_on = DateField()
    issued_at = InstantField()
    inputs = JSONTextField()
    pdf = BlobField(null=True)
    sha256 = TextField(null=True)
    rendered_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check("kind IN ('refund', 'credit', 'account_credit')", name="statement_kind"),
            Check(
                "(pdf IS NULL) = (sha256 IS NULL) AND (pdf IS NULL) = (rendered_at IS NULL)",
                name="statement_rendered",
            ),
        ]
        indexes = ((("seller", "kind", "year", "sequence"), True),)


Statement.add_index(SQL("CREATE INDEX statement_account ON statement (account_id, issued_at, id)"))
Statement.add_index(SQL("CREATE INDEX statement_user ON statement (user_id, issued_at, id)"))
# Holds all that a total needs, so that no document is passed over on the way to it.
Statement.add_index(
    SQL(
        "CREATE INDEX statement_newest ON statement"
        " (issued_at, id, kind, currency, gross_minor, tax_minor, corrects_id, issued_on)"
    )
)
Statement.add_index(
    SQL("CREATE INDEX statement_unrendered ON statement (issued_at) WHERE rendered_at IS NULL")
)
