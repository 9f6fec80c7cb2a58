"""Many people press at once: one acceptance, polite repeats, and books that hold."""

from flask import Flask

from tests.client import Browser, field_of
from tests.people import (
    Cast,
    invite,
    link_of,
    make_cast,
    make_individual,
    make_paying,
    on_the_day,
    written,
)
from tests.races import race
from webapp.actions import ledger_check
from webapp.database import database
from webapp.models import Acceptance, Account, Invitation, Membership, Payment, User

PEOPLE = 100


def test_a_hundred_presses_at_once_accept_once(app: Flask) -> None:
    with on_the_day():
        cast = make_cast(app)
        first = cast.browser("invitee")
        form = {"choice": "refund", "quote": field_of(first.get("/join"), "quote")}
        session = dict(first.client.get("/join").request.environ)["HTTP_COOKIE"]
        form["csrf_token"] = first.csrf()
        database.close()

        def press(_: int) -> tuple[int, str | None]:
            answer = app.test_client(use_cookies=False).post(
                "/join/acceptance", data=form, headers={"Cookie": session}
            )
            return answer.status_code, answer.location

        answers = race(PEOPLE, press)
    assert answers == [(303, "/join")] * PEOPLE
    assert written() == {"acceptances": 1, "settlements": 1, "statements": 1, "effects": 2}
    assert Membership.select().where(Membership.user == cast.users["invitee"]).count() == 2
    assert Payment.get().returned_minor == 4997
    assert ledger_check.check() == []


def test_of_two_organisations_at_once_one_wins(app: Flask) -> None:
    with on_the_day():
        cast = make_cast(app)
        for time in range(10):
            user = make_paying(f"both{time}@example.org")
            browsers, forms = [], []
            for by in ("owner", "foreign owner"):
                browser, quote = at_the_offer(cast, by, user)
                browsers.append(browser)
                forms.append({"choice": "refund", "quote": quote})
            database.close()
            answers = race(
                2, lambda at, b=browsers, f=forms: b[at].post("/join/acceptance", **f[at])
            )
            # The other one finds the link closed, or its session ended by the first.
            statuses = sorted(answer.status_code for answer in answers)
            assert statuses in ([303, 303], [303, 410])
            assert_settled(user)
    assert ledger_check.check() == []


def at_the_offer(cast: Cast, by: str, user: User) -> tuple[Browser, str]:
    browser = Browser(cast.app).sign_in_as(user)
    page = browser.open_link(link_of(invite(cast.users[by], user.email)))
    browser.csrf()
    return browser, field_of(page, "quote")


def assert_settled(user: User) -> None:
    """One membership, one acceptance, and the other invitation is closed for good."""
    states = [row.status for row in Invitation.select().where(Invitation.email == user.email)]
    assert sorted(states) == ["accepted", "superseded"]
    assert Acceptance.select().where(Acceptance.user == user).count() == 1
    present = Membership.select().where(Membership.user == user, Membership.ended_at.is_null())
    assert present.count() == 1


def test_the_last_licence_goes_to_one(app: Flask) -> None:
    with on_the_day():
        cast = make_cast(app)
        Account.update(seats=1).where(Account.id == cast.organisation.id).execute()
        browsers = []
        for at in range(6):
            user = make_individual(f"seat{at}@example.org")
            invitation = invite(cast.users["owner"], user.email, licence="licensed")
            browser = Browser(app).sign_in_as(user)
            browser.open_link(link_of(invitation))
            browser.csrf()
            browsers.append(browser)
        database.close()
        answers = race(6, lambda at: browsers[at].post("/join/acceptance"))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409, 409, 409]
    licensed = Membership.select().where(
        Membership.account == cast.organisation, Membership.licence == "licensed"
    )
    assert licensed.count() == 1
