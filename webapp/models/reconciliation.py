"""What comparing a month's documents, the gateway and the ledger found."""

from peewee import SQL, Check, DateField, ForeignKeyField

from webapp.database import BaseModel, InstantField, JSONTextField
from webapp.models.user import User


class Reconciliation(BaseModel):
    """Of the month that begins on `month_on`: asked for (by nobody: the worker itself did), then
    done by the worker, which alone asks the gateway. `found` is all that the page shows."""

    month_on = DateField()
    asked_at = InstantField()
    asked_by_id: int | None
    asked_by = ForeignKeyField(User, backref="+", null=True, index=False)
    finished_at = InstantField(null=True)
    found = JSONTextField(null=True)

    class Meta:
        constraints = [
            Check("(finished_at IS NULL) = (found IS NULL)", name="reconciliation_finished"),
        ]
        indexes = ((("month_on", "id"), False),)


Reconciliation.add_index(
    SQL(
        "CREATE UNIQUE INDEX reconciliation_one_under_way ON reconciliation (month_on)"
        " WHERE finished_at IS NULL"
    )
)
