"""A trial inside the billing period: imported, quoted, settled and printed (rule M3)."""

from datetime import date, timedelta

import time_machine
from flask import Flask

from invoices import statement as core
from invoices.wording import Wording
from tests.imports import import_json
from tests.money import ACCEPTED, make_account, make_organisation, make_plan, make_user, settle
from webapp.actions import quotes
from webapp.models import Statement, Subscription

TRIAL_END = date(2026, 11, 8)
LINE = {
    "email": "camille@example.org",
    "period_start": "2026-11-01",
    "period_end": "2026-12-01",
    "trial_end": "2026-11-08",
    "payments": [{"reference": "a", "captured_minor": 18739, "tax_minor": 3123}],
}


def test_a_line_of_json_brings_the_trial(app: Flask) -> None:
    _, reasons = import_json(LINE)

    assert reasons == {}
    assert Subscription.get().trial_end_on == TRIAL_END


def test_a_line_that_does_not_name_it_leaves_it(app: Flask) -> None:
    import_json(LINE)
    without = {name: value for name, value in LINE.items() if name != "trial_end"}
    import_json({**without, "plan": "other"})

    assert Subscription.get().trial_end_on == TRIAL_END


def test_another_day_moves_it(app: Flask) -> None:
    import_json(LINE)
    import_json({**LINE, "trial_end": "2026-11-15"})

    assert Subscription.get().trial_end_on == date(2026, 11, 15)


def test_what_is_no_day_is_refused(app: Flask) -> None:
    _, reasons = import_json({**LINE, "trial_end": "soon"})

    assert "trial_end" in reasons[1]
    assert Subscription.select().count() == 0


def test_a_quote_counts_the_days_after_the_trial(app: Flask) -> None:
    account = make_account()
    make_plan(account, trial_end_on=TRIAL_END)

    offered = quotes.current(account, ACCEPTED)
    within = quotes.current(account, ACCEPTED - timedelta(days=20))
    assert offered is not None
    assert within is not None
    assert (offered.unused_days, offered.days, offered.gross_minor) == (8, 23, 6518)
    assert within.gross_minor == 18739


def test_the_statement_says_what_was_not_counted(app: Flask) -> None:
    account = make_account()
    user = make_user("camille@example.org", account, is_owner=True)
    make_plan(account, trial_end_on=TRIAL_END)
    with time_machine.travel(ACCEPTED, tick=False):
        settlement = settle(user, make_organisation(), "refund")

    document = core.Statement.from_json(Statement.get().inputs)
    assert settlement.gross_minor == 6518
    assert settlement.derivation["paid_from"] == "2026-11-08"
    assert Wording(document).days.startswith("8 sur 23")
    assert Wording(document).trial.startswith("du 1er novembre 2026 au 7 novembre 2026")
