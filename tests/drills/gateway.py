"""One refund after another through a gateway that is away, answers late, forgets keys, remembers
errors and says things twice, in disorder, late or forged: each is made once.

`python -m tests.drills.gateway --lives 500 --engine postgresql`"""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import time_machine
from flask import Flask

from tests.apps import make_app
from tests.drills.bank import NEVER, differences, fresh_database
from tests.effects import carry_out
from tests.joined import join, make_owned, make_person
from tests.money import ACCEPTED
from webapp import clock
from webapp.actions import ledger, undo
from webapp.database import database
from webapp.handlers import money
from webapp.models import Refund
from webapp.payments.simulated import SimulatedFault, SimulatedRefund, events, faults

FAULTS = ("never sent", "answer lost", "key forgotten", "error", "busy")
WEBHOOKS = ("none", "good", "twice", "stale", "forged", "disordered")
PAUSES = (timedelta(seconds=15), timedelta(minutes=3), timedelta(hours=2), timedelta(hours=25))
KINDS = ("refund", "follow")


@dataclass
class Line:
    """One run of refunds; `told` counts what went wrong on the way."""

    app: Flask
    random: Random
    told: Counter[str] = field(default_factory=Counter)

    def run(self, lives: int) -> None:
        """AssertionError where a refund was made twice, never, or is not what the gateway has."""
        with time_machine.travel(ACCEPTED, tick=False) as traveller:
            organisation = make_owned()
            for at in range(lives):
                user = make_person(f"p{at}@line.example", self.random.randint(100, 90_000))
                undo.send_now(user, join(user, organisation, "refund").id)
                self._trouble(traveller)
                self._arrive(traveller)
                # Plans are worth something on this day only.
                traveller.move_to(ACCEPTED)
                assert {one.state for one in Refund.select()} == {"succeeded"}
                assert SimulatedRefund.select().count() == Refund.select().count() == at + 1
        with time_machine.travel(ACCEPTED + timedelta(days=40)):
            assert differences() == []
        assert ledger.check() == []
        for sentence, query in NEVER.items():
            assert not database.execute_sql(query).fetchall(), sentence

    def _trouble(self, traveller: time_machine.Traveller) -> None:
        for _ in range(self.random.randint(1, 4)):
            for call in ("create_refund", "find_refund", "fetch_refund"):
                if self.random.random() < 0.6:
                    # Only making a refund can be remembered or forgotten.
                    known = FAULTS if call == "create_refund" else ("never sent", "busy")
                    fault = self.random.choice(known)
                    faults.ask_for(call, fault)
                    self.told[f"{call}: {fault}"] += 1
            carry_out(*KINDS)
            money.follow_refunds()
            self._tell(self.random.choice(WEBHOOKS))
            traveller.shift(self.random.choice(PAUSES))

    def _tell(self, how: str) -> None:
        made = SimulatedRefund.select().order_by(SimulatedRefund.id.desc()).first()
        if made is None or how == "none":
            return
        told = [events.refund_event(made)]
        if how == "disordered":
            told.insert(0, events.refund_event(made, "refund.failed"))
        for event in told * (2 if how == "twice" else 1):
            body, headers = events.signed(event, self.app.config["SETTINGS"])
            if how == "forged":
                body = body.replace(b"pending", b"failed") + b"\n"
            with time_machine.travel(clock.now() + timedelta(hours=how == "stale"), tick=False):
                answer = self.app.test_client().post(events.ADDRESS, data=body, headers=headers)
            assert answer.status_code == (400 if how in ("forged", "stale") else 200)
        self.told[f"webhook: {how}"] += 1

    def _arrive(self, traveller: time_machine.Traveller) -> None:
        """The line is good again; remembered errors are forgotten after a day."""
        SimulatedFault.update(used_at=clock.now()).execute()
        for _ in range(4):
            traveller.shift(timedelta(hours=13))
            carry_out(*KINDS)
            money.follow_refunds()
            traveller.shift(timedelta(minutes=2))
            money.follow_refunds()


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--lives", type=int, default=500, help="refunds")
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    asked.add_argument("--seed", type=int, default=int(time.time()))
    options = asked.parse_args()
    begun = time.monotonic()
    with fresh_database(options.engine) as url:
        app = make_app(url)
        with app.app_context():
            line = Line(app, Random(options.seed))
            line.run(options.lives)
            database.close()
    print(
        f"{options.engine}, seed {options.seed}: {options.lives} refunds, each made once,", end=""
    )
    print(f" {time.monotonic() - begun:.0f} s")
    print(", ".join(f"{name} {count}" for name, count in sorted(line.told.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
