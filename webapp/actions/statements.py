"""Issuing, rendering and finding statements (rules D1 to D3, D6)."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from invoices import statement as core
from invoices.parts import Locale, Party
from webapp import outbox
from webapp.actions import documents, series
from webapp.database import locked, transaction
from webapp.errors import NotThere
from webapp.models import Account, Settlement, Statement, User
from webapp.permissions import OPERATE, SEE_BILLING, Viewer
from webapp.policy import policy

NUMBER = re.compile(r"[A-Z]-[0-9]{4}-[0-9]{6,19}")
# All of a statement but the document and what it was made of, which are large.
LISTED = [field for field in Statement._meta.sorted_fields if field.name not in ("pdf", "inputs")]

Draft = Callable[[core.Heading], core.Statement]


def issue(
    kind: str, settlement: Settlement, customer: Account, person: User, locale: str, draft: Draft
) -> Statement:
    """Takes the next number and freezes the document that `draft` makes of its heading; the
    worker renders it. Call inside the settlement's transaction, as late as possible: until it
    commits, the next document of this kind waits (rule D2)."""
    place = series.take(kind)
    document = draft(
        {
            "number": place.number,
            "issued_on": place.issued_on,
            "locale": cast(Locale, locale),
            "seller": seller(),
            "customer": party(customer, person),
            "organisation": settlement.organisation.name,
            "individual": person.shown_name,
            "zone": policy().billing_zone,
            "held_until": _held_until(settlement),
        }
    )
    return _freeze(place, document, account=customer, user=person, settlement=settlement)


def cancel(original: Statement) -> Statement:
    """Takes a whole statement back with another of the same series (rules D3, J14); again returns
    the same one. Several of one settlement are cancelled in the order of their ids, which is that
    in which they were issued. ValueError for a statement that itself cancels."""
    with transaction():
        # Locked, so that of two at once the second finds what the first issued.
        sought = Statement.select(*LISTED, Statement.inputs).where(Statement.id == original.id)
        found = locked(sought).get()
        earlier: Statement | None = (
            Statement.select(*LISTED).where(Statement.corrects == found).first()
        )
        if earlier is not None:
            return earlier
        frozen = core.Statement.from_json(found.inputs)
        if frozen.cancels:
            raise ValueError("a cancelling statement can't be cancelled")
        place = series.take(found.kind)
        document = core.cancelling_statement(frozen, place.number, place.issued_on)
        return _freeze(
            place,
            document,
            account=found.account_id,
            user=found.user_id,
            settlement=found.settlement_id,
            corrects=found,
        )


def render(statement_id: int) -> None:
    """The document, once (rule D3)."""
    documents.render(Statement, statement_id, core.Statement)


def visible_to(viewer: Viewer, *columns: Any) -> Any:
    """The statements that a person may see: the operator's finance all of them, everybody their
    own, and an organisation's billing people its account credit; never a member's refund."""
    query = Statement.select(*(columns or LISTED))
    if viewer.may(OPERATE):
        return query
    own = (Statement.user == viewer.user) & Statement.kind.in_(("refund", "credit"))
    if not (viewer.account.is_organisation and viewer.may(SEE_BILLING)):
        return query.where(own)
    theirs = (Statement.account == viewer.account) & (Statement.kind == "account_credit")
    return query.where(own | theirs)


def numbered(viewer: Viewer, number: str, *columns: Any) -> Any:
    """The statement of that number as a query, within what the person may see."""
    # What no number looks like is never asked of a database, which might refuse its characters.
    sought = number if NUMBER.fullmatch(number) else ""
    return visible_to(viewer, *columns).where(Statement.number == sought)


def document(viewer: Viewer, number: str) -> Statement:
    """A statement with its PDF; `pdf` is None until it is rendered. Raises NotThere."""
    found: Statement | None = numbered(viewer, number, *LISTED, Statement.pdf).first()
    if found is None:
        raise NotThere("statement")
    return found


def _freeze(place: series.Place, document: core.Statement, **belonging: Any) -> Statement:
    """The document as a row, to be rendered; `belonging` is whose it is and what it corrects."""
    statement: Statement = Statement.create(
        number=place.number,
        seller=series.SELLER,
        kind=place.kind,
        year=place.year,
        sequence=place.sequence,
        customer_name=document.customer.name,
        currency=document.currency,
        gross_minor=document.gross_minor,
        tax_minor=document.tax_minor,
        locale=document.locale,
        issued_on=place.issued_on,
        issued_at=place.issued_at,
        inputs=document.to_json(),
        **belonging,
    )
    outbox.write("render", {"statement_id": statement.id})
    return statement


def seller() -> Party:
    """Who issues every document, as the settings say."""
    one = policy().seller
    return Party(one.name, one.address, one.country, one.vat, one.registration)


def party(customer: Account, person: User) -> Party:
    name = customer.name or person.shown_name
    return Party(name, customer.address, customer.country, customer.tax_id)


def _held_until(settlement: Settlement) -> datetime | None:
    acceptance = settlement.acceptance
    held: bool = acceptance.undo_until > acceptance.accepted_at
    return acceptance.undo_until if held else None
