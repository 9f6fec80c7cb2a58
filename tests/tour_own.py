"""The tour's stops at an organisation's settings and activity, at the end of reminders, and where
somebody reports an invitation or looks after their own data."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.client import Browser
from tests.joined import join, make_owned, make_person
from tests.people import invite, make_individual
from webapp import clock
from webapp.actions import disputes, reminders, reporting, sessions
from webapp.models import Payment

if TYPE_CHECKING:
    from tests.tour import Tour


def settling(tour: Tour) -> None:
    owner = tour.browser("owner")
    tour.keep("settings", owner.get("/settings"))
    wrong = owner.post("/settings", recommendation="both", invitation_days="-1")
    tour.keep("settings with mistakes", wrong, 422)
    tour.keep("activity", owner.get("/activity"))
    tour.keep("activity as fragment", owner.get("/activity?person=quiet", True))
    tour.keep("no activity", owner.get("/activity?from=2020-01-01&to=2020-01-02"))
    invitation = invite(tour.cast.users["owner"], "quiet@example.org")
    path = f"/reminders/{reminders.token_of(invitation)}"
    tour.keep("reminders", owner.get(path))
    owner.post(path)
    tour.keep("reminders ended", owner.get(path))


def reporting_and_disputing(tour: Tour) -> None:
    invitation = invite(tour.cast.users["owner"], "unasked@example.org")
    path = f"/reports/{reporting.token_of(invitation)}"
    visitor = Browser(tour.cast.app, tour.locale)
    tour.keep("reporting", visitor.get(path))
    visitor.post(path, words="Nobody asked")
    tour.keep("reported", visitor.get(path))
    paid = make_person("disputing@example.org")
    join(paid, make_owned("Disputed Ltd"), "refund")
    payment = Payment.select().order_by(Payment.id.desc()).get()
    disputes.note(payment, True)
    tour.keep("the operator's reports and disputes", tour.browser("operator").get("/billing"))
    tour.day.shift(timedelta(hours=25))
    tour.keep("a refund that waits for a bank", tour.as_user(paid).get("/join"))


def erasing(tour: Tour) -> None:
    tour.keep("a member's erasure", tour.browser("member").get("/account/erasure"))
    begins = clock.today("Europe/Paris") - timedelta(days=9)
    plan = {"period_start_on": begins, "period_end_on": begins + timedelta(days=30)}
    joined = make_person("left@example.org", **plan)
    join(joined, make_owned("Passing Through Ltd"), "refund")
    tour.keep("erasure too early", tour.as_user(joined).get("/account/erasure"))
    paying = tour.as_user(make_person("paying@example.org", **plan))
    tour.keep("erasure with a plan", paying.get("/account/erasure"))
    tour.keep("erasure with a plan, not ticked", paying.post("/account/erasure"), 422)
    user = make_individual("gone@example.org")
    browser = tour.as_user(user)
    sessions.start(user, agent="")
    tour.keep("other sessions ended", browser.post("/account/sessions/end", True))
    tour.keep("erasure", browser.get("/account/erasure"))
    tour.day.shift(timedelta(minutes=6))
    tour.keep("erasure with a proof", browser.get("/account/erasure"))
    browser.sign_in_as(user)
    browser.post("/account/erasure")
    tour.keep("erased", browser.get("/account/erased"))
