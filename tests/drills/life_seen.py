"""What the database holds after a step of `life.py`, read whole by a few plain statements: asked
for row by row through the models it took two thirds of every life."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from webapp.database import database
from webapp.models import Invitation

MEMBERS = "SELECT user_id, account_id, licence FROM membership WHERE ended_at IS NULL"
PLANS = "SELECT account_id, status FROM subscription ORDER BY id DESC"
SEATS = "SELECT account_id, licensed FROM people_count"
BALANCES = """
SELECT one.account_id, one.kind, one.currency,
       SUM(CASE WHEN (one.id = moved.debit_id) = (one.normal = 'debit')
           THEN moved.amount_minor ELSE -moved.amount_minor END)
  FROM ledger_account AS one
  JOIN ledger_transfer AS moved ON one.id IN (moved.debit_id, moved.credit_id)
 GROUP BY one.account_id, one.kind, one.currency
"""
INVOICES = "SELECT account_id, number, paid_minor, voided_at IS NOT NULL FROM invoice"
STATEMENTS = "SELECT kind, COUNT(*) FROM statement GROUP BY kind"
ACCEPTANCES = "SELECT id, undone_at IS NOT NULL FROM acceptance"
SETTLEMENTS = "SELECT acceptance_id, choice, gross_minor FROM settlement"
SHARES = """
SELECT settlement.acceptance_id, share.payment_id, share.gross_minor
  FROM settlement_share AS share JOIN settlement ON settlement.id = share.settlement_id
"""
REFUNDS = """
SELECT settlement.acceptance_id, refund.payment_id, refund.amount_minor, refund.state
  FROM refund JOIN settlement_share AS share ON share.id = refund.share_id
  JOIN settlement ON settlement.id = share.settlement_id
"""


@dataclass
class Seen:
    """By the ids of accounts, users, acceptances and invitations; amounts in minor units."""

    members: dict[int, tuple[int, str]]  # where, with which licence
    plans: dict[int, str]  # the status
    seats: dict[int, int]
    balances: dict[int, Counter[tuple[str, str]]]  # by kind and currency
    invoices: dict[tuple[int, str], tuple[int, bool]]  # paid, is void
    statements: dict[str, int]
    is_undone: dict[int, bool]
    settlements: dict[int, list[tuple[str, int]]]  # choice, amount
    shares: dict[int, Counter[tuple[int, int]]]  # payment, amount
    refunds: dict[int, Counter[tuple[int, int, str]]]  # payment, amount, state
    invitations: dict[int, Invitation]


def seen() -> Seen:
    balances: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for account, kind, currency, minor in _rows(BALANCES):
        balances[account][kind, currency] = int(minor)
    settlements: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for acceptance, *settled in _rows(SETTLEMENTS):
        settlements[acceptance].append(tuple(settled))
    plans: dict[int, str] = {}
    for account, status in _rows(PLANS):
        plans[account] = status  # an account's first comes last
    return Seen(
        members={user: (account, licence) for user, account, licence in _rows(MEMBERS)},
        plans=plans,
        seats=dict(_rows(SEATS)),
        balances=balances,
        invoices={(of, number): (paid, bool(void)) for of, number, paid, void in _rows(INVOICES)},
        statements=dict(_rows(STATEMENTS)),
        is_undone={id: bool(undone) for id, undone in _rows(ACCEPTANCES)},
        settlements=settlements,
        shares=_counted(SHARES),
        refunds=_counted(REFUNDS),
        invitations={one.id: one for one in Invitation.select()},
    )


def _counted(statement: str) -> dict[int, Counter[Any]]:
    """The first column → how often what stands in the others."""
    found: dict[int, Counter[Any]] = defaultdict(Counter)
    for at, *rest in _rows(statement):
        found[at][tuple(rest)] += 1
    return found


def _rows(statement: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = database.execute_sql(statement).fetchall()
    return rows
