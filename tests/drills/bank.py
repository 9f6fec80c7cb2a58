"""The bank: writers at once do everything that moves money, in random order, while a reader holds
the books to their totals at every moment.

`python -m tests.drills.bank --seconds 60 --engine postgresql` runs it for longer."""

import argparse
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread

from flask import Flask, current_app

from tests.apps import make_app
from tests.databases import fresh_postgresql, fresh_sqlite
from tests.drills.bank_steps import DECK, MONEY, Writer
from tests.effects import carry_out
from tests.failed import seller
from tests.joined import make_owned
from tests.postgresql import temporary_server
from webapp import clock, outbox
from webapp.actions import ledger_check, refunds
from webapp.database import database
from webapp.errors import DomainError
from webapp.models import Acceptance, OutboxMessage, Refund, Statement
from webapp.payments.gateway import GatewayAway
from webapp.payments.simulated import SimulatedFault, SimulatedGateway, SimulatedKey, books

WRITERS = 8
SOON, LATER = timedelta(milliseconds=200), timedelta(milliseconds=900)

# What must find nothing, asked in other words than the product's own check.
NEVER = {
    "numbers have a gap": """
SELECT kind, year FROM statement GROUP BY kind, year
HAVING COUNT(*) <> MAX(sequence) OR MIN(sequence) <> 1
""",
    "refunds exceed a payment": """
SELECT payment.id FROM payment JOIN refund ON refund.payment_id = payment.id
 WHERE refund.state NOT IN ('failed', 'canceled')
 GROUP BY payment.id, payment.captured_minor
HAVING SUM(refund.amount_minor) > payment.captured_minor
""",
    "one key made two refunds at the gateway": """
SELECT refund_key FROM simulated_refund GROUP BY refund_key HAVING COUNT(*) > 1
""",
    "the gateway made a refund that nobody asked for": """
SELECT made.refund_key FROM simulated_refund made
  LEFT JOIN refund ON refund.idempotency_key = made.refund_key
   AND refund.amount_minor = made.amount_minor AND refund.state <> 'held'
 WHERE refund.id IS NULL
""",
    "an invoice is paid beyond its total, or by credit beyond what is paid": """
SELECT invoice.id FROM invoice LEFT JOIN credit_use used
    ON used.invoice_id = invoice.id AND used.given_back_at IS NULL
 GROUP BY invoice.id, invoice.paid_minor, invoice.total_minor
HAVING invoice.paid_minor > invoice.total_minor
    OR COALESCE(SUM(used.amount_minor), 0) > invoice.paid_minor
""",
    "somebody who undid is still a member by it": """
SELECT acceptance.id FROM acceptance JOIN membership ON membership.id = acceptance.membership_id
 WHERE acceptance.undone_at IS NOT NULL AND membership.ended_at IS NULL
""",
    "what was undone has left nevertheless": """
SELECT refund.id FROM refund JOIN settlement_share share ON share.id = refund.share_id
  JOIN settlement ON settlement.id = share.settlement_id
  JOIN acceptance ON acceptance.id = settlement.acceptance_id
 WHERE acceptance.undone_at IS NOT NULL AND refund.state <> 'canceled'
UNION ALL
SELECT credit_lot.id FROM credit_lot JOIN settlement ON settlement.id = credit_lot.settlement_id
  JOIN acceptance ON acceptance.id = settlement.acceptance_id
 WHERE acceptance.undone_at IS NOT NULL
""",
}


@dataclass
class Bank:
    """One run; `problems` is what must stay empty."""

    seed: int
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    checks: int = 0
    _ended: Event = field(default_factory=Event)

    def run(self, seconds: float) -> None:
        """All writers and the reader for so long; then everything that is under way arrives."""
        organisations = [make_owned(f"Organisation {at}") for at in range(3)]
        by = seller()
        lanes = [
            Writer(at, Random(f"{self.seed}-{at}"), organisations, by) for at in range(WRITERS)
        ]
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        threads = [Thread(target=self._write, args=(app, one, seconds)) for one in lanes]
        reader = Thread(target=self._read)
        for thread in (*threads, reader):
            thread.start()
        for thread in threads:
            thread.join()
        self._ended.set()
        reader.join()
        if not self.problems:
            self._arrive()
            self._check()
            self.problems += differences()

    def figures(self) -> str:
        """Such as a person reads after a run."""
        steps = ", ".join(
            f"{name} {self.done[name]} (+{self.refused[name]} refused)"
            for name in sorted(self.done | self.refused)
        )
        rows = {
            "acceptances": Acceptance.select().count(),
            "undone": Acceptance.select().where(Acceptance.undone_at.is_null(False)).count(),
            "refunds": Refund.select().count(),
            "statements": Statement.select().count(),
        }
        total = sum(self.done.values()) + sum(self.refused.values())
        made = ", ".join(f"{count} {name}" for name, count in rows.items())
        return f"seed {self.seed}: {total} steps, {self.checks} checks; {made}\n{steps}"

    def _write(self, app: Flask, writer: Writer, seconds: float) -> None:
        ends = time.monotonic() + seconds
        with app.app_context(), database.connection_context():
            while not self._is_over(ends) and not self.problems:
                name, step = writer.step()
                try:
                    step()
                    self.done[name] += 1
                except (DomainError, GatewayAway, outbox.Deferred):
                    self.refused[name] += 1
                except Exception:
                    self.problems.append(f"{name}: {traceback.format_exc()}")

    def _is_over(self, ends: float) -> bool:
        """Where others keep the machine busy, it goes on until every kind of step had its turn."""
        late = time.monotonic() - ends
        return late > 60 or (late > 0 and (self.done | self.refused).keys() == DECK.keys())

    def _read(self) -> None:
        with database.connection_context():
            while not self._ended.wait(0.05) and not self.problems:
                try:
                    self._check()
                except Exception:
                    self.problems.append(f"reader: {traceback.format_exc()}")

    def _check(self) -> None:
        self.problems += ledger_check.check()
        for sentence, query in NEVER.items():
            found = database.execute_sql(query).fetchall()
            if found:
                self.problems.append(f"{sentence}: {found[:5]}")
        self.checks += 1

    def _arrive(self) -> None:
        """The line is good again, a day has gone by since the gateway remembered an error, and
        everybody waits until it has finished."""
        SimulatedFault.update(used_at=clock.now()).execute()
        SimulatedKey.delete().where(SimulatedKey.refund.is_null()).execute()
        waiting = Event()
        for _ in range(60):
            OutboxMessage.update(leaves_at=clock.now()).where(
                outbox.is_waiting(),
                OutboxMessage.kind.in_(MONEY),
                OutboxMessage.error != "",
                OutboxMessage.claimed_until.is_null(),
            ).execute()
            carry_out()
            for one in list(refunds.underway()):
                refunds.follow(one.id, SimulatedGateway())
            if not refunds.underway().exists():
                break
            waiting.wait(0.1)
        # What comes back does so after it had arrived.
        waiting.wait(LATER.total_seconds())
        for one in Refund.select().where(Refund.gateway_reference.is_null(False)):
            refunds.follow(one.id, SimulatedGateway())


def differences() -> list[str]:
    """Where our refunds and the gateway's differ in state or amount, to the cent."""
    ours = {one.idempotency_key: one for one in Refund.select().where(~Refund.is_by_hand)}
    found = []
    for made in books.SimulatedRefund.select():
        mine, shown = ours.pop(made.refund_key), made.shown()
        handed_over = mine.state == "canceled" and shown.state == "failed"
        if (mine.state != shown.state and not handed_over) or mine.amount_minor != (
            shown.amount_minor
        ):
            found.append(f"refund {mine.id} is {mine.state}, at the gateway {shown}")
    found += [
        f"refund {one.id} is {one.state}, and the gateway has none"
        for one in ours.values()
        if one.state in ("pending", "requires_action", "succeeded")
    ]
    return found


@contextmanager
def quick_gateway() -> Iterator[None]:
    """Refunds that take no twenty seconds."""
    usual = dict(books.FATES)
    quick = {books.SETTLING: SOON, books.COMING_BACK: LATER}
    for fate, states in usual.items():
        books.FATES[fate] = tuple((quick[after], state) for after, state in states)  # type: ignore[assignment]
    try:
        yield
    finally:
        books.FATES.update(usual)


@contextmanager
def fresh_database(engine: str) -> Iterator[str]:
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield fresh_sqlite(Path(folder))
        return
    with temporary_server() as server, fresh_postgresql(server) as url:
        yield url


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    asked.add_argument("--seed", type=int, default=int(time.time()))
    options = asked.parse_args()
    bank = Bank(options.seed)
    with fresh_database(options.engine) as url, make_app(url).app_context(), quick_gateway():
        bank.run(options.seconds)
        print(f"{options.engine}: {bank.figures()}")
        database.close()
    print("\n".join(bank.problems) or "the books hold")
    return 1 if bank.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
