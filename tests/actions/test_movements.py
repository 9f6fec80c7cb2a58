"""Movements of a ledger account: opening, what moved, closing; and their CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED
from webapp.actions import invoices, ledger, movements, refunds, settlements, undo
from webapp.errors import Invalid
from webapp.models import Account, Refund
from webapp.payments.simulated import SimulatedGateway

DAY = ACCEPTED.date()
GATEWAY = SimulatedGateway()


@pytest.fixture
def clock(app: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def organisation(clock: time_machine.Traveller) -> Account:
    """Two people's credit on three days: held, available, taken in part, given back in part."""
    organisation = make_owned(public_id="dumas0000000")
    for email in ("ann@example.org", "bob@example.org"):
        user = make_person(email)
        acceptance = join(user, organisation, "credit")
        undo.send_now(user, acceptance.id)
        clock.shift(timedelta(days=1))
        settlements.release(settlement_of(acceptance).id)
    for number in ("F-1", "F-2"):
        clock.shift(timedelta(minutes=1))
        invoices.add(organisation, number, issued_on=DAY, due_on=DAY, total_minor=3000)
    invoices.void(organisation, "F-1")
    return organisation


def flat(found: Iterator[movements.Movements]) -> dict[str, tuple[int, list[int], int]]:
    return {
        one.kind: (
            one.opening_minor,
            [each.change_minor for each in one.movements],
            one.closing_minor,
        )
        for one in found
    }


def test_everything_that_moved_is_there(organisation: Account) -> None:
    assert flat(movements.of(organisation)) == {
        "credit_held": (0, [4997, -4997, 4372, -4372], 0),
        "credit_available": (0, [4997, 4372, -3000, -1997, -1003, 3000], 6369),
        "credit_used": (0, [3000, 1997, 1003, -3000], 3000),
    }
    assert ledger.check() == []


def test_the_closing_balance_is_the_ledgers(organisation: Account) -> None:
    for one in movements.of(organisation):
        assert one.closing_minor == ledger.balance(organisation.id, one.kind, one.currency)  # type: ignore[arg-type]
        assert one.movements[-1].balance_minor == one.closing_minor
        assert all(each.balance_minor >= 0 for each in one.movements)


def test_days_cut_without_losing_or_repeating_anything(organisation: Account) -> None:
    days = [DAY + timedelta(days=at) for at in range(-1, 4)]
    for whole in movements.of(organisation):
        closing, seen = 0, []
        for day in days:
            (part,) = movements.of(organisation, whole.kind, first=day, last=day)
            assert part.opening_minor == closing
            closing = part.closing_minor
            seen += part.movements
        assert (closing, tuple(seen)) == (whole.closing_minor, whole.movements)


def test_a_day_is_the_sellers(clock: time_machine.Traveller) -> None:
    organisation = make_owned()
    clock.move_to(ACCEPTED.replace(hour=23, minute=30))  # half past midnight in Paris
    user = make_person()
    join(user, organisation, "credit")

    assert flat(movements.of(organisation, last=DAY)) == {"credit_held": (0, [], 0)}
    assert flat(movements.of(organisation, first=DAY + timedelta(days=1))) == {
        "credit_held": (0, [4372], 4372)
    }


def test_a_debit_account_grows_by_debits(clock: time_machine.Traveller) -> None:
    user = make_person()
    membership = user.membership()
    assert membership is not None
    acceptance = join(user, make_owned(), "refund")
    undo.send_now(user, acceptance.id)
    refunds.request(Refund.get().id, GATEWAY)
    clock.shift(30)
    refunds.follow(Refund.get().id, GATEWAY)

    found = flat(movements.of(membership.account, currency="EUR"))
    assert found["captured"] == (0, [18739, -4997], 13742)
    assert found["prepaid"] == (0, [18739, -4997], 13742)
    assert found["refund_held"] == (0, [4997, -4997], 0)
    assert list(movements.of(membership.account, currency="USD")) == []


def test_the_other_side_is_named(organisation: Account) -> None:
    (held,) = movements.of(organisation, "credit_held")
    first, second, *_ = held.movements

    assert (first.event, first.other_kind) == ("credit_held", "prepaid")
    assert first.other_account != "dumas0000000"
    assert (second.event, second.other_account, second.other_kind) == (
        "credit_available",
        "dumas0000000",
        "credit_available",
    )


def test_days_the_wrong_way_round_are_refused(organisation: Account) -> None:
    with pytest.raises(Invalid):
        list(movements.of(organisation, first=DAY, last=DAY - timedelta(days=1)))
    assert flat(movements.of(organisation, first=date.min, last=date.max))


def printed(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["ledger", "movements", *arguments])


def test_the_command_prints_rfc_4180(app: Flask, organisation: Account) -> None:
    result = printed(app, "dumas0000000", "--kind", "credit_used")

    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout_bytes.decode().split("\r\n")
    assert lines[0] == (
        "account,ledger_account,currency,entry,at,event,key,other_account,"
        "other_ledger_account,increase,decrease,balance"
    )
    assert lines[1] == "dumas0000000,credit_used,EUR,opening,,,,,,,,0.00"
    assert lines[2] == (
        "dumas0000000,credit_used,EUR,movement,2026-11-25T10:16:00.000+01:00,credit_used,"
        "invoice:1:credit:1,dumas0000000,credit_available,30.00,,30.00"
    )
    assert lines[-2:] == ["dumas0000000,credit_used,EUR,closing,,,,,,,,30.00", ""]


def test_the_printed_columns_add_up(app: Flask, organisation: Account) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(app, "dumas0000000").stdout)))
    cents: dict[tuple[str, str], int] = {}
    for row in rows:
        at = (row["ledger_account"], row["currency"])
        if row["entry"] == "closing":
            assert cents.pop(at) == minor(row["balance"])
            continue
        start = minor(row["balance"]) if row["entry"] == "opening" else cents[at]
        cents[at] = start + minor(row["increase"]) - minor(row["decrease"])
        assert cents[at] == minor(row["balance"])
    assert (len(rows), cents) == (3 * 2 + 14, {})


def test_no_cell_is_a_formula(app: Flask, organisation: Account) -> None:
    rows = csv.reader(io.StringIO(printed(app, "dumas0000000").stdout))

    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_an_address_names_a_person(app: Flask, organisation: Account) -> None:
    result = printed(app, "ann@example.org", "--currency", "eur", "--from", "2026-12-01")

    assert "prepaid,EUR,opening,,,,,,,,137.42" in result.stdout
    assert "movement" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody"], 1, "There is no account nobody."),
        (["dumas0000000", "--kind", "purse"], 2, "'purse' is not one of"),
        (["dumas0000000", "--from", "soon"], 2, "'soon' does not match"),
        (["dumas0000000", "--from", "2026-11-02", "--to", "2026-11-01"], 2, "before the first day"),
        ([], 2, "Missing argument 'ACCOUNT'"),
    ],
)
def test_what_it_is_not_asked_rightly_it_says(
    app: Flask, organisation: Account, arguments: list[str], code: int, words: str
) -> None:
    result = printed(app, *arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def minor(text: str) -> int:
    return int(text.replace(".", "") or "0")
