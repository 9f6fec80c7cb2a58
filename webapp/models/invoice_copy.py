"""Copies of organisations' invoices that show how they were paid."""

from peewee import BlobField, Check, DateField, ForeignKeyField, TextField

from webapp.database import BaseModel, InstantField, JSONTextField
from webapp.models.payment import Invoice


class InvoiceCopy(BaseModel):
    """An invoice as it stood on a day. `inputs` is all that the document prints and `digest` their
    fingerprint, the day apart: while nothing changes, asking again finds the same copy and its
    bytes. `pdf` and `sha256` come once, from the worker."""

    invoice_id: int
    invoice = ForeignKeyField(Invoice, backref="copies", index=False)
    digest = TextField()
    inputs = JSONTextField()
    made_on = DateField()
    made_at = InstantField()
    pdf = BlobField(null=True)
    sha256 = TextField(null=True)
    rendered_at = InstantField(null=True)

    class Meta:
        constraints = [
            Check(
                "(pdf IS NULL) = (sha256 IS NULL) AND (pdf IS NULL) = (rendered_at IS NULL)",
                name="invoice_copy_rendered",
            ),
        ]
        indexes = ((("invoice", "digest"), True),)
