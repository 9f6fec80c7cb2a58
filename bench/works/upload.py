"""A file of people to invite, sent by the worker: invitations, mails in the outbox and events of
the journal, beside the driver's `executemany` of the same rows."""

import os
import resource
import time
from collections.abc import Callable, Iterator

from bench import databases
from bench.results import Result
from bench.servers import spent
from bench.works.setting import Setting
from tests import money
from tests.apps import make_app
from webapp.actions import uploads
from webapp.actions.inviting import Offer
from webapp.actions.uploads import rows
from webapp.actions.uploads.sending import CHUNK
from webapp.database import database
from webapp.handlers import Errand
from webapp.handlers import uploads as handlers
from webapp.models import AuditEvent, Invitation, Membership, OutboxMessage
from webapp.outbox import claiming
from webapp.smtp import Post

NAME = "bench-upload"
PEOPLE = 100_000
TABLES = (Invitation, OutboxMessage, AuditEvent)
TARGETS = {"sqlite": 2.5, "postgresql": 3.0}


def measure(setting: Setting) -> Iterator[Result]:
    os.environ["PGAPPNAME"] = NAME
    people = min(PEOPLE, setting.users)
    with databases.fresh(setting.at) as url:
        app = make_app(url)
        with app.app_context():
            first, second = _inviter("Atelier Dumas"), _inviter("Maison Petit")
            _confirm(first, people)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            ours, ours_wall = _cost(setting, _send_all)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            written = _written(first, second)
            raw, raw_wall = _cost(setting, lambda: _insert(written))
            counts = [model.select().count() for model in TABLES]
            if min(counts) < 2 * people:
                raise RuntimeError(f"{counts} rows instead of {2 * people}")
    del os.environ["PGAPPNAME"]
    each = people * 1e3
    yield Result(
        f"{people:,} invitations from a file, with mails and journal, {setting.label}: "
        "ours / raw executemany",
        ours / raw, TARGETS[setting.engine],
        figures=f"{ours / each:.1f} / {raw / each:.1f} µs of processor, "
        f"{ours_wall / each:.1f} / {raw_wall / each:.1f} µs by the clock a row",
    )  # fmt: skip
    yield Result(
        f"the same: what the process grew by meanwhile, {setting.label}", grown, 20, unit="MB"
    )


def _inviter(name: str) -> Membership:
    organisation = money.make_organisation(name, invitations_per_day=2 * PEOPLE)
    user = money.make_user(f"owner@{organisation.public_id}.example", organisation, is_owner=True)
    return Membership.get(Membership.user == user)


def _confirm(by: Membership, people: int) -> None:
    lines = (f"personne.{n}@example.org;Personne {n};Ventes" for n in range(people))
    content = "\n".join(("email;name;department", *lines)).encode()
    upload = uploads.create(by, "people.csv", content, Offer())
    if rows.counts(upload) != {"ready": people}:
        raise RuntimeError(f"judged {rows.counts(upload)}")
    uploads.confirm(by, upload.id)


def _send_all() -> None:
    """As a worker does it that has nothing else to do."""
    with Post() as post:
        while claim := claiming.claim(("upload:send",)):
            handlers.send(Errand(claim, post))
            claiming.mark_left(claim)


def _written(first: Membership, second: Membership) -> list[tuple[str, list[tuple[object, ...]]]]:
    """What was just written, as statements and rows for another organisation."""
    found = []
    begin = (Invitation.select(Invitation.id).order_by(Invitation.id.desc()).limit(1)).scalar()
    for model in TABLES:
        names = [field.column_name for field in model._meta.sorted_fields]
        columns = ", ".join(f'"{name}"' for name in names)
        table = model._meta.table_name
        where = {"outbox_message": "kind = 'mail:invitation'"}.get(table, "1 = 1")
        kept = database.execute_sql(
            f'SELECT {columns} FROM "{table}" WHERE {where} ORDER BY id'
        ).fetchall()
        changes = {"id": lambda id: id + begin * 2, "invitation_id": lambda id: id + begin * 2,
                   "account_id": lambda _: second.account_id}  # fmt: skip
        same = [changes.get(name, lambda value: value) for name in names]
        rows = [tuple(f(v) for f, v in zip(same, row, strict=True)) for row in kept]
        places = ", ".join([database.obj.param] * len(names))
        found.append((f'INSERT INTO "{table}" ({columns}) VALUES ({places})', rows))
    return found


def _insert(written: list[tuple[str, list[tuple[object, ...]]]]) -> None:
    """In chunks as ours: each of these statements counts people, and one transaction that counts
    them a hundred thousand times reads, on PostgreSQL, all of its counts again each time."""
    for begin in range(0, max(len(each) for _statement, each in written), CHUNK):
        with database.atomic():
            for statement, each in written:
                if chunk := each[begin : begin + CHUNK]:
                    database.cursor().executemany(statement, chunk)


def _cost(setting: Setting, work: Callable[[], None]) -> tuple[int, int]:
    """Nanoseconds on a processor, PostgreSQL's counted in, and on the clock."""
    backends = databases.backends(setting.at, NAME)
    begun, before = time.perf_counter_ns(), time.process_time_ns() + sum(map(spent, backends))
    work()
    wall = time.perf_counter_ns() - begun
    return time.process_time_ns() + sum(map(spent, backends)) - before, wall
