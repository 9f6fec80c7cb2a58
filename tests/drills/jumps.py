"""The clock jumps, days forward and hours back, between one request or round of the worker and the
next: nothing is lost or sent twice, no age is negative, and whatever ends does so by the clock.

`python -m tests.drills.jumps --rounds 20 --engine postgresql`"""

import argparse
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import time_machine
from flask import Flask

from tests.client import Browser, words_of
from tests.drills.bank import NEVER, differences, fresh_database
from tests.joined import join, make_owned, make_person
from tests.people import invite, viewer_of
from tests.smtp import MailServer, sending_app
from webapp import clock, outbox
from webapp.actions import ledger, members, undo
from webapp.database import database
from webapp.handlers import money, rounds
from webapp.models import (
    Acceptance,
    Account,
    Invitation,
    Membership,
    OutboxMessage,
    Refund,
    Settlement,
    Statement,
    User,
)

JUMPS = tuple(
    timedelta(hours=hours) for hours in (-30, -5, -1, -0.02, 0.02, 1, 5, 26, 24 * 3, 24 * 8)
)
NEGATIVE = re.compile(r"[-−]\s?\d+\s(second|minute|hour|day|week|month)|in -|ago in")


@dataclass
class Jumping:
    """One run; `told` counts the jumps and what was done between them."""

    app: Flask
    server: MailServer
    random: Random
    told: Counter[str] = field(default_factory=Counter)

    def run(self, rounds_: int) -> None:
        """AssertionError where something is lost, doubled, or younger than nothing."""
        begins = clock.now()
        with time_machine.travel(begins, tick=True) as traveller:
            organisation = make_owned(seats=1000)
            for at in range(rounds_):
                self._do(organisation, at)
                jump = self.random.choice(JUMPS)
                traveller.shift(jump)
                self.told["back" if jump < timedelta(0) else "forward"] += 1
                self._go_away(organisation, at)
                self._work()
                self._look(organisation)
            self._arrive(traveller)
        self._check()

    def _do(self, organisation: Account, at: int) -> None:
        owner: User = Membership.get(Membership.account == organisation, Membership.is_owner).user
        invite(owner, f"invited{at}@jumps.example")
        today = clock.today("Europe/Paris")
        period = {"period_start_on": today - timedelta(days=5)}
        user = make_person(
            f"p{at}@jumps.example", **period, period_end_on=today + timedelta(days=25)
        )
        acceptance = join(user, organisation, ("refund", "credit")[at % 2])
        if at % 3 == 0:
            undo.undo(user, acceptance.id)
        elif at % 3 == 1:
            undo.send_now(user, acceptance.id)
        self.told["joined"] += 1

    def _go_away(self, organisation: Account, at: int) -> None:
        """Whoever has just joined undoes that, leaves or is removed, by a clock that may be before
        that moment; every fourth stays."""
        user = User.get(User.email == f"p{at}@jumps.example")
        mine: Membership = user.membership()
        if mine.account_id != organisation.id:
            return  # undone before
        owner: User = Membership.get(Membership.account == organisation, Membership.is_owner).user
        if at % 4 == 1:
            members.leave(viewer_of(user), mine.id)
        elif at % 4 == 2:
            members.remove(viewer_of(owner), mine.id, members.standing(mine))
        elif at % 4 == 3:
            self._undo(user)
        self.told["went away"] += at % 4 > 0

    def _undo(self, user: User) -> None:
        """Unless the clock went on past the window, or what was held has left."""
        acceptance = Acceptance.get(Acceptance.user == user)
        if acceptance.is_held(clock.now()):
            undo.undo(user, acceptance.id)

    def _work(self) -> None:
        rounds.drain()
        money.follow_refunds()

    def _look(self, organisation: Account) -> None:
        """The pages, at whatever hour it is."""
        owner = Membership.get(Membership.account == organisation, Membership.is_owner).user
        User.update(locale="en").where(User.id == owner.id).execute()
        browser = Browser(self.app).sign_in_as(owner)
        for path in ("/users", "/billing", "/statements", "/activity"):
            answer = browser.get(path)
            assert answer.status_code == 200, (path, answer.status_code)
            found = NEGATIVE.search(words_of(answer))
            assert found is None, (path, found)
        now = clock.now()
        for one in Invitation.select():
            assert one.is_live(now) == (one.status == "pending" and now < one.expires_at)

    def _arrive(self, traveller: time_machine.Traveller) -> None:
        """The clock goes on until the last of what waits may leave."""
        for _ in range(60):
            last = OutboxMessage.select().where(outbox.is_waiting())
            wanted = last.where(~OutboxMessage.kind.in_(("upload:forget",)))
            ends = max((one.leaves_at for one in wanted), default=None)
            if ends is None and not Refund.select().where(Refund.state == "pending").exists():
                return
            traveller.shift(max((ends or clock.now()) - clock.now(), timedelta(minutes=3)))
            traveller.shift(timedelta(minutes=2))
            self._work()

    def _check(self) -> None:
        copies = Counter(mail["Message-ID"] for mail in self.server.mails)
        assert max(copies.values()) == 1, "no mail came twice"
        left = OutboxMessage.select().where(
            OutboxMessage.kind.startswith("mail:"), OutboxMessage.left_at.is_null(False)
        )
        assert len(copies) <= left.count()
        aside = OutboxMessage.select().where(OutboxMessage.quarantined_at.is_null(False))
        assert [one.error for one in aside] == []
        reached = {mail["To"] for mail in self.server.mails}
        sent = [one.email for one in Invitation.select() if one.delivery == "sent"]
        mailed = {email for email in sent if email.startswith("invited")}
        assert mailed <= reached
        assert len(mailed) == self.told["joined"], "everybody invited was written to"
        assert {one.state for one in Refund.select()} <= {"succeeded", "canceled"}
        with time_machine.travel(clock.now() + timedelta(days=400)):
            assert differences() == []
        assert ledger.check() == []
        for sentence, query in NEVER.items():
            assert not database.execute_sql(query).fetchall(), sentence
        self.told["mails"] = len(copies)
        self.told["settlements"] = Settlement.select().count()
        self.told["statements"] = Statement.select().count()


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=20)
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    asked.add_argument("--seed", type=int, default=int(time.time()))
    options = asked.parse_args()
    begun = time.monotonic()
    with (
        fresh_database(options.engine) as url,
        MailServer() as server,
        sending_app(url, server) as app,
    ):
        jumping = Jumping(app, server, Random(options.seed))
        jumping.run(options.rounds)
    told = ", ".join(f"{name} {count}" for name, count in sorted(jumping.told.items()))
    print(f"{options.engine}, seed {options.seed}: {told}, {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
