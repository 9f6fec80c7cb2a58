"""Invitations from the outbox: claimed, drawn, written, sent and marked, beside one connection of
smtplib that sends the same mails, written before the clock began."""

import os
import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from flask_mail import Message

from bench import databases, sink
from bench.results import Result
from bench.servers import spent
from bench.works.setting import Setting
from tests import money
from tests.apps import make_app
from webapp import clock, mailer, outbox
from webapp.actions.inviting import Asked, Offer, write_all
from webapp.config import Mail
from webapp.database import transaction
from webapp.handlers import Errand, mails, rounds
from webapp.models import Invitation, Membership, OutboxMessage
from webapp.outbox.claiming import Claim

NAME = "bench-mails"
MAILS = 200
ROUNDS = 5
SENDER = "Affluent <post@affluent.example>"


@dataclass
class Cost:
    """Nanoseconds for a mail, on the clock and on a processor."""

    wall: float
    cpu: float


def measure(setting: Setting) -> Iterator[Result]:
    os.environ["PGAPPNAME"] = NAME
    with databases.fresh(setting.at) as url, sink.running() as port:
        app = make_app(url, mail=Mail(server="127.0.0.1", port=port, sender=SENDER))
        mailer.install(app)
        with app.app_context():
            by = _inviter()
            prebuilt = _prebuilt(by)
            costs: dict[str, list[Cost]] = {"ours": [], "smtplib": []}
            with smtplib.SMTP("127.0.0.1", port) as line:
                line.ehlo()
                for number in range(ROUNDS + 1):
                    _ask(by, number)
                    pair = {
                        "ours": _cost(setting, _drain),
                        "smtplib": _cost(setting, lambda: _send(line, prebuilt)),
                    }
                    if number:
                        for name, cost in pair.items():
                            costs[name].append(cost)
            left = OutboxMessage.select().where(outbox.is_waiting()).count()
            if left:
                raise RuntimeError(f"{left} mails were not sent")
    del os.environ["PGAPPNAME"]
    wall = {name: median(each.wall for each in of) for name, of in costs.items()}
    cpu = {name: median(each.cpu for each in of) for name, of in costs.items()}
    yield Result(
        f"mails from the outbox, {setting.label}: rate of ours / of smtplib with prebuilt mails",
        wall["smtplib"] / wall["ours"], 0.9, is_floor=True,
        figures=f"{1e9 / wall['ours']:.0f} / {1e9 / wall['smtplib']:.0f} a second by the clock; "
        f"{cpu['ours'] / 1e6:.2f} / {cpu['smtplib'] / 1e6:.2f} ms of processor a mail",
    )  # fmt: skip


def _inviter() -> Membership:
    organisation = money.make_organisation()
    user = money.make_user("claire@dumas.example", organisation, is_owner=True)
    return Membership.get(Membership.user == user)


def _ask(by: Membership, number: int) -> list[Invitation]:
    asked = [Asked(f"p{number}.{n}@example.org", f"Personne {n}", Offer()) for n in range(MAILS)]
    with transaction():
        return write_all(by, asked, clock.now())


def _prebuilt(by: Membership) -> list[tuple[str, bytes]]:
    """Address and content of mails as ours are."""
    kept: list[tuple[str, bytes]] = []

    class Keeping:
        def send(self, message: Message, may_begin: object) -> None:
            kept.append((message.recipients[0], bytes(message)))

    written = _ask(by, -1)
    for message in OutboxMessage.select().where(OutboxMessage.invitation.in_(written)):
        mails.invitation(Errand(Claim(message, ""), Keeping()))  # type: ignore[arg-type]
    OutboxMessage.update(canceled_at=clock.now()).execute()
    return kept


def _drain() -> None:
    """A round lasts some seconds at most."""
    while rounds.drain() is not None:
        pass


def _send(line: smtplib.SMTP, prebuilt: list[tuple[str, bytes]]) -> None:
    for recipient, content in prebuilt:
        line.sendmail("post@affluent.example", [recipient], content)


def _cost(setting: Setting, work: Callable[[], object]) -> Cost:
    backends = databases.backends(setting.at, NAME)
    begun, before = time.perf_counter_ns(), time.process_time_ns() + sum(map(spent, backends))
    work()
    wall = time.perf_counter_ns() - begun
    cpu = time.process_time_ns() + sum(map(spent, backends)) - before
    return Cost(wall / MAILS, cpu / MAILS)
