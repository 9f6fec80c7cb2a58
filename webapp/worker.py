"""The worker process: `python -m huey.bin.huey_consumer webapp.worker.huey -m 1 -k thread -w 2`.

The outbox's rows are the truth, huey's tasks only say when to look. Several workers may run at
once: each runs the periodic tasks too, and whatever they do is claimed first."""

import gc
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from huey import crontab
from huey.consumer import Consumer

from invoices import printing
from webapp import clock, create_app, logs, mailer
from webapp.actions import (
    asking,
    digests,
    finance_notices,
    guesses,
    month_end,
    notices,
    passkeys,
    people_counts,
    reminders,
    retention,
    throttle,
)
from webapp.database import connect_usably
from webapp.handlers import money, rounds
from webapp.outbox import claiming

app = create_app()
mailer.install(app)
huey = app.extensions["huey"]
gc.freeze()  # as wsgi.py does

# A minute is too long for a mail whose next try is due or an undo window that has closed.
WITHIN_THE_MINUTE = (10, 20, 30, 40, 50)

_is_stopping: Callable[[], bool] = lambda: False  # noqa: E731


def create_consumer(**options: Any) -> Consumer:
    """Stopped by SIGTERM, as process managers do it, a worker finishes the message at hand."""
    global _is_stopping
    logs.adopt()  # its logger was set up after the app
    consumer = Consumer(huey, **(options | {"graceful_signal": "TERM"}))
    _is_stopping = consumer.stop_flag.is_set
    return consumer


huey.create_consumer = create_consumer


def drain_outbox() -> None:
    """Carries out what is due, and sees to it that what has to be tried again is."""
    with app.app_context():
        connect_usably()
        next_try_at = rounds.drain(_is_stopping)
    if next_try_at is not None:
        look_at(next_try_at)


@huey.task(name="look")  # type: ignore[untyped-decorator]
def look() -> None:
    drain_outbox()


def look_at(instant: datetime) -> None:
    pause = instant - clock.now() + timedelta(milliseconds=100)
    look.schedule(delay=max(pause.total_seconds(), 0))


@huey.periodic_task(crontab(minute="*"), name="sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """What no nudge told of: lost nudges, messages of dead workers, times that have come."""
    for seconds in WITHIN_THE_MINUTE:
        look.schedule(delay=seconds)
    with app.app_context():
        connect_usably()
        for lease_end in claiming.lease_ends():
            look_at(lease_end)
    drain_outbox()


@huey.periodic_task(crontab(minute="*"), name="follow_refunds")  # type: ignore[untyped-decorator]
def follow_refunds() -> None:
    with app.app_context():
        connect_usably()
        money.follow_refunds()


@huey.periodic_task(crontab(minute="17"), name="sync_changes")  # type: ignore[untyped-decorator]
def sync_changes() -> None:
    with app.app_context():
        connect_usably()
        money.ask_for_changes()


@huey.periodic_task(crontab(minute="*"), name="tell_inviters")  # type: ignore[untyped-decorator]
def tell_inviters() -> None:
    with app.app_context():
        connect_usably()
        notices.collect(clock.now())


@huey.periodic_task(crontab(minute="*"), name="tell_of_seats")  # type: ignore[untyped-decorator]
def tell_of_seats() -> None:
    with app.app_context():
        connect_usably()
        asking.tell_of_seats(clock.now())


@huey.periodic_task(crontab(minute="*"), name="remind")  # type: ignore[untyped-decorator]
def remind() -> None:
    with app.app_context():
        connect_usably()
        reminders.collect(clock.now())


@huey.periodic_task(crontab(minute="*/5"), name="count_people")  # type: ignore[untyped-decorator]
def count_people() -> None:
    with app.app_context():
        connect_usably()
        people_counts.move_on(clock.now())


@huey.periodic_task(crontab(minute="41"), name="forget_tries")  # type: ignore[untyped-decorator]
def forget_tries() -> None:
    with app.app_context():
        connect_usably()
        guesses.forget_old()
        throttle.forget_old()
        passkeys.forget_spent()


@huey.periodic_task(crontab(hour="3", minute="29"), name="forget_old")  # type: ignore[untyped-decorator]
def forget_old() -> None:
    with app.app_context():
        connect_usably()
        retention.forget_old(clock.now())


@huey.periodic_task(crontab(minute="*"), name="tell_finance")  # type: ignore[untyped-decorator]
def tell_finance() -> None:
    with app.app_context():
        connect_usably()
        finance_notices.collect(clock.now())


@huey.periodic_task(crontab(minute="7"), name="tell_of_the_month")  # type: ignore[untyped-decorator]
def tell_of_the_month() -> None:
    with app.app_context():
        connect_usably()
        digests.collect(clock.now())


@huey.periodic_task(crontab(minute="23"), name="reconcile_last_month")  # type: ignore[untyped-decorator]
def reconcile_last_month() -> None:
    with app.app_context():
        connect_usably()
        month_end.ask_for_last_month()


@huey.on_startup()  # type: ignore[untyped-decorator]
def begin() -> None:
    printing.apart()
    look()
