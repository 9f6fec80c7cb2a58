"""The tour's stops at an organisation's settings and activity, at the end of reminders, and where
somebody reports an invitation or looks after their own data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pyotp

from tests.client import Browser
from tests.joined import join, make_owned, make_person
from tests.people import PASSWORD, invite, make_individual
from webapp import clock, policy
from webapp.actions import (
    authenticators,
    disputes,
    organisations,
    reminders,
    reporting,
    second_factor,
    sessions,
)
from webapp.models import Account, Passkey, Payment

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


def guarding(tour: Tour) -> None:
    """Passkeys, which need a host with a name, and the second factor."""
    before = policy.policy()
    policy.use(replace(before, base_url="http://localhost"))
    owner, account = tour.browser("owner"), tour.cast.organisation
    user = tour.cast.users["owner"]
    tour.keep("ways of signing in, none", owner.get("/account/sign-in"))
    organisations.ask_for_factor(tour.cast.membership("owner"), "admins")
    visitor = Browser(tour.cast.app, tour.locale)
    tour.keep("sign-in with passkeys", visitor.get("/sign-in"))
    tour.keep("no such passkey", visitor.post("/sign-in/passkey", credential="{}"), 422)
    visitor.sign_in(user.email, PASSWORD)
    tour.keep("a second factor is asked for", visitor.get("/account/sign-in"))
    tour.keep("the app is set up", visitor.post("/account/authenticator"))
    wrong = visitor.post("/account/authenticator/confirmation", code="000000")
    tour.keep("the app shows other digits", wrong, 422)
    digits = pyotp.TOTP(authenticators.waiting(user) or "").at(clock.now())
    codes = visitor.post("/account/authenticator/confirmation", code=digits)
    tour.keep("recovery codes", codes)
    Passkey.create(
        user=user, credential_id="AAAA", public_key="", name="", created_at=clock.now(),
        last_used_at=clock.now(),
    )  # fmt: skip
    tour.keep("ways of signing in, all", visitor.get("/account/sign-in"))
    half = Browser(tour.cast.app, tour.locale)
    half.sign_in(user.email, PASSWORD)
    tour.keep("second step", half.get("/sign-in/second-step"))
    tour.keep("second step, wrong", half.post("/sign-in/second-step", code="000000"), 422)
    tour.day.shift(timedelta(minutes=6))
    tour.keep("ways of signing in, a proof first", visitor.get("/account/sign-in"))
    refused = visitor.post("/account/authenticator/removal")
    tour.keep("ways of signing in, refused", refused, 409)
    tour.keep("a proof before giving power", visitor.get("/account/proof"))
    second_factor.forget_all(user)
    Account.update(second_factor="").where(Account.id == account.id).execute()
    policy.use(before)


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
