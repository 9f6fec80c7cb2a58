"""What the people who look after an account's money were told, so that nothing is told twice."""

from peewee import Check, ForeignKeyField, TextField

from webapp.database import BaseModel, InstantField
from webapp.models.account import Account


class Notice(BaseModel):
    """When an account was last told of new credit, or of failed refunds; and for each month that
    is over ("2026-10"), that its digest was written, or that there was nothing to say."""

    account_id: int
    account = ForeignKeyField(Account, backref="+", index=False)
    kind = TextField()
    month = TextField(default="")
    at = InstantField()

    class Meta:
        constraints = [
            Check("kind IN ('credit', 'refunds', 'month')", name="notice_kind"),
            Check("(kind = 'month') = (length(month) = 7)", name="notice_month"),
        ]
        indexes = ((("account", "kind", "month"), True),)
