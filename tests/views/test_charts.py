"""Pictures of money and of invitations: whose they are, and that table and drawing agree."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from tests.failed import seller
from tests.joined import join, make_owned, make_person, settlement_of
from tests.money import ACCEPTED, browser_of
from webapp import clock
from webapp.actions import funnel, invoices, settlements, trends, undo
from webapp.database import database
from webapp.models import Account, Invitation, Membership, User
from webapp.permissions import Viewer

CELLS = re.compile(r'<th scope="row">([^<]+)</th>|<td class="amount">([^<]+)</td>')


@pytest.fixture(autouse=True)
def day() -> Any:
    with time_machine.travel(ACCEPTED, tick=False) as traveller:
        yield traveller


@pytest.fixture
def organisation(app: Flask) -> Account:
    return make_owned()


def owner_of(organisation: Account) -> User:
    user: User = Membership.get(Membership.account == organisation, Membership.is_owner).user
    return user


def viewer_of(membership: Membership) -> Viewer:
    return Viewer(membership.user, None, membership)  # type: ignore[arg-type]


def settled(organisation: Account, email: str, choice: str, **fields: Any) -> None:
    user = make_person(email, **fields)
    acceptance = join(user, organisation, choice)
    undo.send_now(user, acceptance.id)
    if choice == "credit":
        settlements.release(settlement_of(acceptance).id)


def rows_of(page: str) -> list[list[str]]:
    found: list[list[str]] = []
    for name, cell in CELLS.findall(page):
        if name:
            found.append([name])
        else:
            found[-1].append(cell)
    return found


def test_the_seller_sees_all_by_month_and_an_organisation_its_own_credit(
    organisation: Account,
) -> None:
    settled(organisation, "a@example.org", "credit")
    settled(organisation, "b@example.org", "refund")
    settled(make_owned("Maison Petit"), "c@example.org", "credit")
    undone = make_person("d@example.org")
    undo.undo(undone, join(undone, organisation, "refund").id)

    (all_of_it,) = trends.stated(viewer_of(seller()), clock.now())
    mine = owner_of(organisation).membership()
    assert mine is not None
    (own,) = trends.stated(viewer_of(mine), clock.now())
    assert {name: row[-1] for name, row in all_of_it.values.items()} == {
        "refund": 4997,
        "credit": 2 * 4997,
    }
    assert own.values == {"account_credit": [0] * 11 + [4997]}


def test_a_month_of_nothing_but_cancellations_is_negative(
    app: Flask, organisation: Account, day: Any
) -> None:
    person = make_person()
    day.move_to(datetime(2026, 11, 30, 22, tzinfo=UTC))
    acceptance = join(person, organisation, "credit")
    # In Paris it is December by now.
    day.shift(timedelta(hours=2))
    undo.undo(person, acceptance.id)

    page = browser_of(app, owner_of(organisation)).get("/billing/charts").text
    gross = settlement_of(acceptance).gross_minor
    mine = owner_of(organisation).membership()
    assert mine is not None
    (own,) = trends.stated(viewer_of(mine), clock.now())
    assert own.values["account_credit"][-2:] == [gross, -gross]
    assert rows_of(page)[11] == ["December 2026", f"−€{gross / 100:.2f}"]


def test_what_is_left_is_what_the_ledger_had_at_each_months_end(
    organisation: Account, day: Any
) -> None:
    settled(organisation, "a@example.org", "credit")
    join(make_person("held@example.org"), organisation, "credit")
    on = {"issued_on": ACCEPTED.date(), "due_on": ACCEPTED.date()}
    day.move_to(datetime(2026, 12, 2, 9, tzinfo=UTC))
    invoices.add(organisation, "F-1", total_minor=3000, **on)  # type: ignore[arg-type]
    (left,) = trends.remaining(organisation, clock.now())
    assert left.values["credit_available"] == [0] * 10 + [4997, 1997]
    assert left.values["credit_held"] == [0] * 10 + [4997, 4997]
    assert trends.remaining(make_owned("Maison Petit"), clock.now()) == []


def test_the_drawing_and_the_table_have_the_same_numbers(app: Flask, organisation: Account) -> None:
    settled(organisation, "a@example.org", "credit")
    page = browser_of(app, owner_of(organisation)).get("/billing/charts").text
    assert rows_of(page)[11] == ["November 2026", "€49.97"]
    assert rows_of(page)[23] == ["November 2026", "€49.97", "€0.00"]
    assert "<title>November 2026, Credit: €49.97</title>" in page
    assert "<title>November 2026, Available: €49.97</title>" in page
    for drawing in re.findall(r"<svg class=\"chart\"[^>]*>", page):
        assert 'role="img"' in drawing
        for name in ("labelledby", "describedby"):
            found = re.search(rf'aria-{name}="([^"]+)"', drawing)
            assert found is not None
            assert page.count(f'id="{found[1]}"') == 1


def test_an_organisation_reads_nothing_of_refunds(app: Flask, organisation: Account) -> None:
    settled(organisation, "b@example.org", "refund")
    page = browser_of(app, owner_of(organisation)).get("/billing/charts").text
    assert "49.97" not in page
    assert "efund" not in page
    assert "No credit in the last twelve months" in page


def test_currencies_stand_apart(app: Flask, organisation: Account) -> None:
    settled(organisation, "a@example.org", "credit")
    settled(make_owned("Tokyo", currency="JPY"), "b@example.org", "credit", currency="JPY")
    user = seller().user
    page = browser_of(app, user).get("/billing/charts").text
    assert [row[1:] for row in rows_of(page) if row[0] == "November 2026"] == [
        ["€0.00", "€49.97"],
        ["¥0", "¥4,997"],
    ]


def make_invited(organisation: Account, days_ago: int, status: str = "pending") -> Invitation:
    at = clock.now() - timedelta(days=days_ago)
    invitation: Invitation = Invitation.create(
        account=organisation,
        email=f"p{Invitation.select().count()}@example.org",
        locale="fr",
        inviter=owner_of(organisation),
        created_at=at,
        expires_at=at + timedelta(days=30),
        status=status,
        answered_at=None if status == "pending" else at,
        delivery_at=at,
    )
    return invitation


def test_each_invitation_of_the_period_counts_once(app: Flask, organisation: Account) -> None:
    for days_ago in (1, 29, 31, 100, 400):
        make_invited(organisation, days_ago)
        make_invited(organisation, days_ago, "accepted")
    make_invited(organisation, 1, "declined")
    make_invited(organisation, 1, "revoked")
    make_invited(make_owned("Maison Petit"), 1)

    found = {name: funnel.of(organisation, name, clock.now()) for name in funnel.PERIODS}
    assert [one.invited for one in found.values()] == [6, 8, 10, 12]
    assert found["all"].outcomes == {
        "joined": 5,
        "pending": 2,
        "declined": 1,
        "expired": 3,
        "revoked": 1,
        "superseded": 0,
    }
    assert funnel.of(organisation, "no such", clock.now()).period == funnel.USUAL


def test_the_funnel_is_shown_with_its_parts(app: Flask, organisation: Account) -> None:
    browser = browser_of(app, owner_of(organisation))
    assert "Nobody was invited in this time." in browser.get("/users/funnel").text
    for status in ("pending", "accepted", "accepted"):
        make_invited(organisation, 1, status)
    page = browser.get("/users/funnel?period=30").text
    assert rows_of(page) == [
        ["Invited", "3", "100%"],
        ["Joined", "2", "67%"],
        ["Pending", "1", "33%"],
        ["Declined", "0", "0%"],
        ["Expired", "0", "0%"],
    ]
    assert re.search(r'period=30"\s+aria-current="page"', page)
    assert 'href="/users/funnel"' in browser.get("/users").text


# PostgreSQL reads tables of a few rows whole, whatever indexes they have.
@pytest.mark.parametrize("engine", ["sqlite"])
def test_sums_read_ranges_of_indexes(
    organisation: Account, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(organisation, "a@example.org", "credit")
    owner, by = owner_of(organisation).membership(), seller()
    assert owner is not None
    plans: set[str] = set()
    run = database.obj.execute_sql

    def explained(sql: str, params: Any = None) -> Any:
        plans.update(step[3] for step in run(f"EXPLAIN QUERY PLAN {sql}", params).fetchall())
        return run(sql, params)

    monkeypatch.setattr(database.obj, "execute_sql", explained)
    trends.stated(viewer_of(by), clock.now())
    trends.stated(viewer_of(owner), clock.now())
    trends.remaining(organisation, clock.now())
    funnel.of(organisation, "90", clock.now())

    used = " ".join(plans)
    assert not [plan for plan in plans if plan.startswith("SCAN")]
    assert "COVERING INDEX statement_newest (issued_at>?)" in used
    assert "INDEX statement_account (account_id=? AND issued_at>?)" in used
    assert "COVERING INDEX invitation_newest (account_id=? AND created_at>?)" in used
    assert "INDEX ledger_transfer_credit_id_id (credit_id=?)" in used


def test_more_people_and_documents_are_no_more_queries(
    app: Flask, organisation: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browser_of(app, owner_of(organisation))
    asked: list[str] = []
    execute = database.obj.execute_sql

    def counting(sql: str, *args: Any, **options: Any) -> Any:
        asked.append(sql)
        return execute(sql, *args, **options)

    def queries_of(address: str) -> int:
        asked.clear()
        browser.get(address)
        return len(asked)

    for address in ("/billing/charts", "/users/funnel"):
        settled(organisation, f"{len(address)}@example.org", "credit")
        monkeypatch.setattr(database.obj, "execute_sql", counting)
        few = queries_of(address)
        monkeypatch.undo()
        for at in range(3):
            settled(organisation, f"{len(address)}{at}@example.org", "credit")
            make_invited(organisation, at)
        monkeypatch.setattr(database.obj, "execute_sql", counting)
        assert queries_of(address) == few
        monkeypatch.undo()
