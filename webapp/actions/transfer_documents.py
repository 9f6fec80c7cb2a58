"""The document behind a transfer: found by its key, which is made from the event's own row
(docs/ledger.md). Reading only."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webapp.models import (
    Acceptance,
    CreditLot,
    CreditPush,
    Invoice,
    Payment,
    Refund,
    Settlement,
    SettlementShare,
    Statement,
    User,
)

KEY = re.compile(r"(capture|settlement|refund|share|invoice|push):([0-9]+)(?::(.*))?")


@dataclass(frozen=True, slots=True)
class Behind:
    """`individual` and `organisation` are the number of the document that each side has: a
    statement, an invoice, a payment's reference. `person` is who joined, if anybody did."""

    individual: str = ""
    organisation: str = ""
    person: User | None = None


def behind(keys: Iterable[str]) -> dict[str, Behind]:
    """By key; a key that is of no known form has nothing behind it."""
    parsed = {key: found for key in keys if (found := KEY.fullmatch(key))}
    ids: dict[str, set[int]] = defaultdict(set)
    for found in parsed.values():
        ids[found[1]].add(int(found[2]))
    of_refunds = _settlements_of_refunds(ids["refund"])
    of_shares = _settlements_of_shares(ids["share"])
    joined = _Joined({*ids["settlement"], *of_refunds.values(), *of_shares.values()})
    plain = {
        "capture": _payments(ids["capture"]),
        "invoice": _invoices(ids["invoice"]),
        "push": _pushes(ids["push"]),
    }
    documents = {}
    for key, found in parsed.items():
        noun, id = found[1], int(found[2])
        if noun in plain:
            documents[key] = plain[noun].get(id, Behind())
        elif noun == "settlement":
            documents[key] = joined.settled(id, is_undone=found[3] == "undone")
        elif noun == "refund":
            documents[key] = joined.settled(of_refunds.get(id, 0))
        else:
            documents[key] = joined.handed_over(of_shares.get(id, 0), id)
    return documents


class _Joined:
    """The statements of settlements."""

    def __init__(self, settlements: set[int]) -> None:
        self._people: dict[int, User] = {}
        self._numbers: dict[tuple[int, str, bool], list[str]] = defaultdict(list)
        self._shares: dict[int, list[int]] = defaultdict(list)
        if not settlements:
            return
        people = (
            Settlement.select(Settlement.id, Acceptance, User)
            .join(Acceptance)
            .join(User)
            .where(Settlement.id.in_(settlements))
        )
        self._people = {one.id: one.acceptance.user for one in people}
        columns = (Statement.settlement, Statement.kind, Statement.corrects, Statement.number)
        rows: Any = Statement.select(*columns).where(Statement.settlement.in_(settlements))
        for settlement, kind, corrects, number in rows.order_by(Statement.id).tuples():
            self._numbers[settlement, kind, corrects is not None].append(number)
        lots: Any = CreditLot.select(CreditLot.settlement, CreditLot.share).where(
            CreditLot.settlement.in_(settlements), CreditLot.share.is_null(False)
        )
        for settlement, share in lots.order_by(CreditLot.id).tuples():
            self._shares[settlement].append(share)

    def settled(self, id: int, is_undone: bool = False) -> Behind:
        (own, theirs) = (self._numbers[id, kind, is_undone] for kind in self._kinds(id, is_undone))
        return Behind(_first(own), _first(theirs), self._people.get(id))

    def handed_over(self, id: int, share: int) -> Behind:
        """The organisation gets one document for each share, in the same order."""
        shares, theirs = self._shares[id], self._numbers[id, "account_credit", False]
        at = shares.index(share) if share in shares else len(theirs)
        own = self._numbers[id, "refund", False]
        return Behind(_first(own), _first(theirs[at : at + 1]), self._people.get(id))

    def _kinds(self, id: int, is_undone: bool) -> tuple[str, str]:
        is_credit = bool(self._numbers[id, "credit", is_undone])
        return ("credit", "account_credit") if is_credit else ("refund", "")


def _first(numbers: list[str]) -> str:
    return numbers[0] if numbers else ""


def _settlements_of_refunds(ids: set[int]) -> dict[int, int]:
    query = Refund.select(Refund.id, SettlementShare.settlement).join(SettlementShare)
    return _pairs(query, Refund.id, ids)


def _settlements_of_shares(ids: set[int]) -> dict[int, int]:
    query = SettlementShare.select(SettlementShare.id, SettlementShare.settlement)
    return _pairs(query, SettlementShare.id, ids)


def _payments(ids: set[int]) -> dict[int, Behind]:
    rows: Any = Payment.select(Payment.id, Payment.invoice_number, Payment.reference)
    found = rows.where(Payment.id.in_(ids)).tuples() if ids else ()
    return {id: Behind(individual=number or reference) for id, number, reference in found}


def _invoices(ids: set[int]) -> dict[int, Behind]:
    found = _pairs(Invoice.select(Invoice.id, Invoice.number), Invoice.id, ids)
    return {id: Behind(organisation=number) for id, number in found.items()}


def _pushes(ids: set[int]) -> dict[int, Behind]:
    found = _pairs(
        CreditPush.select(CreditPush.id, CreditPush.gateway_reference), CreditPush.id, ids
    )
    return {id: Behind(organisation=reference or "") for id, reference in found.items()}


def _pairs(query: Any, id: Any, ids: set[int]) -> dict[int, Any]:
    return dict(query.where(id.in_(ids)).tuples()) if ids else {}
