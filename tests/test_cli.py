"""The command line: what is said, where, and the exit code."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import Result
from flask import Flask

from tests import effects
from tests.apps import make_app
from tests.money import ACCEPTED, make_account, make_organisation, make_plan, settled
from tests.processes import ROOT, environment
from webapp import clock, outbox, passwords
from webapp.actions import invoices, refunds, sessions
from webapp.database import database
from webapp.handlers.money import gateway
from webapp.models import Account, Invoice, LedgerAccount, OutboxMessage, Payment, Refund, User

PEOPLE = """\
email,name,currency,period_start,period_end,paid,payment_reference,owed_number,owed
camille@example.org,Camille,EUR,2026-01-01,2027-01-01,120.00,pi_1,F-2,12.00
free@example.org,,,,,,,,
"""
CREATE = ("organisation", "create", "Atelier Dumas", "--owner", "claire@example.org")
PLAN = ("--currency", "EUR", "--seats", "25")


def run(app: Flask, *arguments: Any, input: str = "") -> Result:
    return app.test_cli_runner().invoke(args=[str(one) for one in arguments], input=input)


def said(result: Result) -> tuple[int, str, str]:
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


def test_an_import_counts_and_the_same_again_is_unchanged(app: Flask, people: Path) -> None:
    first, again = run(app, "import", people), run(app, "import", people)

    assert said(first) == (0, "imported 2, updated 0, unchanged 0, refused 0\n", "")
    assert said(again) == (0, "imported 0, updated 0, unchanged 2, refused 0\n", "")
    assert Payment.get().gateway == "simulated"


def test_a_refused_line_is_named_on_standard_error_and_ends_with_1(
    app: Flask, people: Path
) -> None:
    people.write_text(PEOPLE.replace("120.00", '"12,5"') + "camille@example.org,,,,,,,,\n")

    assert said(run(app, "import", people)) == (
        1,
        "imported 1, updated 0, unchanged 0, refused 2\n",
        "line 2: paid: '12,5' is not an amount such as 120.00\n"
        "line 4: email: 'camille@example.org' is on line 2 already\n",
    )


def test_an_unknown_column_is_named_and_the_import_goes_on(app: Flask, people: Path) -> None:
    people.write_text("email,shoes\na@example.org,43\n")

    code, out, err = said(run(app, "import", people))

    assert (code, out) == (0, "imported 1, updated 0, unchanged 0, refused 0\n")
    assert err == "The column “shoes” is not known and is ignored.\n"


def test_an_unknown_key_is_named_once(app: Flask, tmp_path: Path) -> None:
    people = tmp_path / "people.jsonl"
    people.write_text(
        '{"email": "a@example.org", "paymets": []}\n{"email": "b@example.org", "paymets": []}\n'
    )

    code, out, err = said(run(app, "import", people))

    assert (code, out) == (0, "imported 2, updated 0, unchanged 0, refused 0\n")
    assert err == "The key 'paymets' is not known and is ignored.\n"


def test_a_file_that_is_not_there_is_wrong_use(app: Flask, tmp_path: Path) -> None:
    code, out, err = said(run(app, "import", tmp_path / "nobody.csv"))

    assert (code, out) == (2, "")
    assert "does not exist" in err
    assert run(app, "import", tmp_path).exit_code == 2


def test_a_file_in_another_encoding_is_refused_with_what_to_do(app: Flask, people: Path) -> None:
    people.write_bytes("email,name\na@example.org,Hélène\n".encode("latin-1"))

    code, out, err = said(run(app, "import", people))

    assert (code, out) == (1, "")
    assert "line 2" in err
    assert "Save it as UTF-8" in err


def test_an_organisation_is_created_and_its_id_is_the_last_word(app: Flask) -> None:
    details = ("--locale", "en", "--address", "8 quai\\n44000 Nantes", "--country", "FR")
    result = run(app, *CREATE, *PLAN, *details, "--vat", "FR40303265045", input="twelve letters\n")

    code, out, err = said(result)
    account = Account.get()
    assert (code, err, out.split()[-1]) == (0, "", account.public_id)
    assert (account.locale, account.address, account.seats) == ("en", "8 quai\n44000 Nantes", 25)
    assert passwords.verified("twelve letters", User.get().password_hash)[0]


def test_without_a_password_the_owner_signs_in_by_code(app: Flask) -> None:
    assert run(app, *CREATE, *PLAN).exit_code == 0
    assert User.get().password_hash is None


@pytest.mark.parametrize(
    ("arguments", "input", "code", "sentence"),
    [
        ((*CREATE, *PLAN), "too short\n", 1, "must have 12 to 128 characters"),
        ((*CREATE, "--currency", "EURO", "--seats", "1"), "", 1, "is not a currency"),
        ((*CREATE, "--currency", "EUR", "--seats", "-1"), "", 1, "must be from 0 to"),
        ((*CREATE, "--currency", "EUR", "--seats", "many"), "", 2, "--seats"),
        ((*CREATE, "--currency", "EUR"), "", 2, "--seats"),
        (("organisation", "create", "evil.com", *CREATE[3:], *PLAN), "", 1, "into a link"),
        (("organisation", "create", "X", "--owner", "claire", *PLAN), "", 1, "'claire' is not a"),
        (("organisation", "update", "nobody", "--seats", "3"), "", 1, "no organisation nobody"),
        (("organisation", "update", "nobody"), "", 2, "Say what to change"),
        (("organisation", "update", "nobody", "--plan", "free"), "", 2, "--plan"),
        (("operator", "create", "finance"), "", 1, "'finance' is not a mail address"),
        (("invoice", "paid", "nobody@example.org", "F-1"), "", 1, "no account nobody@example.org"),
        (("invoice", "paid", "nobody", "F-1"), "", 1, "There is no account nobody"),
        (("outbox", "retry", "7"), "", 1, "No message 7 is quarantined"),
        (("outbox", "retry", "seven"), "", 2, "seven"),
        (("ledgers",), "", 2, "No such command"),
        ((*CREATE, *PLAN), "passwordpassword\n", 1, "Many people use this password"),
        ((*CREATE, *PLAN), "affluent2026\n", 1, "add other words"),
        (("person", "forget-factors", "a@example.org"), "", 1, "Nobody here has the address"),
        (("person", "sign-out", "a@example.org"), "", 1, "Nobody here has the address"),
        (("person", "sign-out"), "", 2, "Say whom"),
    ],
)
def test_what_is_refused_gets_a_sentence_on_standard_error(
    app: Flask, arguments: tuple[str, ...], input: str, code: int, sentence: str
) -> None:
    result = run(app, *arguments, input=input)

    assert (result.exit_code, result.stdout) == (code, "")
    assert sentence in result.stderr
    assert (Account.select().count(), User.select().count()) == (0, 0)


def test_an_organisation_is_updated(app: Flask) -> None:
    public_id = run(app, *CREATE, *PLAN).stdout.split()[-1]

    update = run(app, "organisation", "update", public_id, "--seats", 3, "--per-day", 50)
    lapse = run(app, "organisation", "update", public_id, "--plan", "lapsed")

    account = Account.get()
    plan = account.subscription()
    assert (update.exit_code, lapse.exit_code) == (0, 0)
    assert (account.seats, account.invitations_per_day) == (3, 50)
    assert plan is not None
    assert plan.status == "lapsed"


def test_the_operator_signs_people_out_and_takes_a_lost_factor_away(app: Flask) -> None:
    run(app, *CREATE, *PLAN)
    email = User.get().email
    sessions.start(User.get(), "")

    assert run(app, "person", "forget-factors", email).stdout.startswith(email)
    sessions.start(User.get(), "")
    assert run(app, "person", "sign-out", email).stdout == "sessions ended: 1\n"
    sessions.start(User.get(), "")
    assert run(app, "person", "sign-out", "--everybody").stdout == "sessions ended: 1\n"


def test_a_person_of_the_operator_is_created_once(app: Flask) -> None:
    for _ in range(2):
        assert (
            run(app, "operator", "create", "f@example.org", input="twelve letters").exit_code == 0
        )

    assert [one.kind for one in Account.select()] == ["operator"]
    assert User.select().count() == 1


def test_invoices_are_opened_and_paid(app: Flask, people: Path) -> None:
    run(app, "import", people)
    organisation = make_organisation()
    opened = run(
        app, "invoice", "add", organisation.public_id, "--number", "F-9",
        "--issued-on", "2026-11-01", "--due-on", "2026-12-01", "--total", "120.00", "--tax", "20",
    )  # fmt: skip
    paid = run(app, "invoice", "paid", "Camille@example.org", "F-2")

    assert said(opened) == (0, "opened F-9: 120.00 EUR owed\n", "")
    assert said(paid) == (0, "F-2 is paid\n", "")
    assert [one.number for one in Invoice.select() if one.owed_minor] == ["F-9"]
    assert invoices.open_of(organisation)[0].tax_minor == 2000
    assert run(app, "invoice", "paid", organisation.public_id, "F-9").exit_code == 0
    again = run(app, "invoice", "paid", organisation.public_id, "F-10")
    assert (again.exit_code, again.stderr) == (
        1,
        "Error: The account has no invoice of that number.\n",
    )


def test_a_wrong_amount_is_wrong_use(app: Flask) -> None:
    account = make_organisation()
    result = run(
        app, "invoice", "add", account.public_id, "--number", "F-9",
        "--issued-on", "2026-11-01", "--due-on", "2026-12-01", "--total", "120,00",
    )  # fmt: skip

    assert result.exit_code == 2
    assert "'120,00' is not an amount such as 120.00" in result.stderr


def test_the_ledger_check_ends_with_1_when_something_does_not_hold(app: Flask) -> None:
    make_plan(make_account())
    assert said(run(app, "ledger", "check")) == (0, "the ledger holds\n", "")

    Payment.update(captured_minor=20000).execute()

    code, out, _ = said(run(app, "ledger", "check"))
    assert code == 1
    assert "20000 was captured" in out
    assert LedgerAccount.select().count() == 2


def test_the_outbox_lists_what_waits_and_takes_out_of_quarantine(app: Flask) -> None:
    assert said(run(app, "outbox")) == (0, "nothing is waiting\n", "")
    outbox.write("mail:password", {"user_id": 1})
    left = effects.message("mail:password", {"user_id": 2})
    OutboxMessage.update(left_at=clock.now()).where(OutboxMessage.id == left.id).execute()
    stuck = effects.message("render", {"statement_id": 1})
    OutboxMessage.update(quarantined_at=clock.now(), error="no such font").where(
        OutboxMessage.id == stuck.id
    ).execute()

    lines = run(app, "outbox").stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["mail:password", "render"]
    assert "quarantined" in lines[1]
    assert lines[1].endswith("no such font")
    assert said(run(app, "outbox", "retry", stuck.id)) == (
        0,
        f"message {stuck.id} is due again\n",
        "",
    )
    assert OutboxMessage.get_by_id(stuck.id).quarantined_at is None


def test_reconciling_asks_what_became_of_refunds_under_way(app: Flask) -> None:
    settled("refund", undo_until=ACCEPTED)
    refund = Refund.get()
    refunds.request(refund.id, gateway())

    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        result = run(app, "reconcile")

    assert said(result) == (0, "asked 1, settled 1, still under way 0\n", "")
    assert Refund.get().state == "succeeded"


def test_a_database_that_was_not_migrated_is_told_so(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path}/empty.db")

    for arguments in (("ledger", "check"), ("outbox",), CREATE + PLAN, ("demo",), ("reconcile",)):
        result = run(app, *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "flask --app wsgi migrate" in result.stderr
    assert run(app, "migrate").exit_code == 0
    assert run(app, "ledger", "check").exit_code == 0
    database.close()


def test_the_real_command_speaks_through_streams_and_exit_code(tmp_path: Path) -> None:
    people = tmp_path / "people.jsonl"
    people.write_text('{"email": "camille@example.org"}\n{"email": "nobody"}\n')
    env = environment(f"sqlite:///{tmp_path}/real.db")

    def flask(*arguments: str, input: str = "") -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=ROOT,
            env=env,
            input=input,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    assert flask("migrate")[0] == 0
    assert flask("import", str(people)) == (
        1,
        "imported 1, updated 0, unchanged 0, refused 1\n",
        "line 2: email: 'nobody' is not a mail address\n",
    )
    code, out, err = flask(*CREATE, *PLAN, input="twelve letters\n")
    assert (code, err, len(out.split()[-1])) == (0, "", 12)
    assert flask("import", "nobody.csv")[0] == 2
