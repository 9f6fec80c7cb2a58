"""Through all the states that people meet a page in, keeping each answer by its state's name."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

from werkzeug.test import TestResponse

from tests import tour_billing, tour_own, tour_people
from tests.client import Browser, field_of
from tests.failed import failed_refund
from tests.joined import make_owned
from tests.money import make_payment, make_plan
from tests.people import (
    Cast,
    invite,
    link_of,
    make_individual,
    make_member,
    make_paying,
    membership_of,
)
from tests.views.test_access import keep_mail
from webapp import clock
from webapp.actions import accounts, invitations, invoices, statements, uploads
from webapp.actions.inviting import Offer
from webapp.models import (
    Account,
    Invitation,
    Membership,
    Session,
    Statement,
    Upload,
    UploadRow,
    User,
    people,
)


@dataclass
class Tour:
    """Goes from state to state and keeps each answer under the name of its state."""

    cast: Cast
    locale: str
    day: Any
    answers: dict[str, tuple[int, TestResponse]] = field(default_factory=dict)

    def browser(self, role: str) -> Browser:
        browser = self.cast.browser(role)
        browser._language = self.locale
        return browser

    def as_user(self, user: User, invitation: Invitation | None = None) -> Browser:
        User.update(locale=self.locale).where(User.id == user.id).execute()
        browser = Browser(self.cast.app, self.locale).sign_in_as(user)
        if invitation is not None:
            browser.open_link(link_of(invitation))
        return browser

    def keep(self, state: str, response: TestResponse, status: int = 200) -> TestResponse:
        assert state not in self.answers, state
        self.answers[state] = (status, response)
        return response


def go_everywhere(tour: Tour) -> None:
    for part in (signing_in, managing, refusing, joining, blocked, choosing, resting, dead, joined):
        part(tour)
    for part in (own_account, documents, operating, developing):
        part(tour)
    tour_people.changing(tour)
    tour_people.leaving(tour)
    tour_people.asking(tour)
    tour_own.settling(tour)
    tour_own.guarding(tour)
    tour_own.erasing(tour)
    tour_own.reporting_and_disputing(tour)


def signing_in(tour: Tour) -> None:
    nobody = tour.browser("nobody")
    tour.keep("sign in", nobody.get("/sign-in"))
    tour.keep("sign in again", nobody.sign_in("claire@dumas.example", "wrong"), 422)
    tour.keep("code asked of nobody", nobody.post("/sign-in/code", email="not an address"), 422)
    tour.keep("code", nobody.post("/sign-in/code", email="claire@dumas.example"))
    tour.keep("code wrong", nobody.post("/sign-in/code", code="12345"), 422)
    for _ in range(4):
        over = nobody.post("/sign-in/code", code="12345")
    tour.keep("code over", over, 422)
    for _ in range(9):
        nobody.sign_in("claire@dumas.example", "wrong")
    tour.keep("too many", nobody.sign_in("claire@dumas.example", "wrong"), 429)


def managing(tour: Tour) -> None:
    owner = tour.browser("owner")
    tour.keep("users", owner.get("/users"))
    in_every_state(tour.cast)
    for status in ("", *people.FILTERS):
        tour.keep(f"users {status} of all", owner.get("/users", query_string={"status": status}))
    tour.keep("users found", owner.get("/users?q=zoe"))
    tour.keep("users not found", owner.get("/users?q=xyz&role=finance&licence=basic"))
    tour.keep("users as fragment", owner.get("/users?status=pending", htmx=True))
    more = re.search(r'hx-get="([^"]*[?&;]after=[^"]*)"', owner.get("/users").text)
    assert more is not None
    tour.keep("more users", owner.get(unescape(more[1])))
    tour.keep("more users as fragment", owner.get(unescape(more[1]), True))
    tour.keep("users as they are now", owner.get("/users/live"))
    first = re.search(r'hx-get="(/users/live[^"]*[?&;]until=[^"]*)"', owner.get("/users").text)
    assert first is not None
    tour.keep("none of the first left", owner.get(unescape(first[1]) + "&q=xyz", True))
    tour.keep("badge", owner.get("/invitations/badge"))
    tour.keep("what became of invitations", owner.get("/users/funnel?period=all"))
    tour.keep("form again", owner.post("/invitations", emails=" "), 422)
    choice = {"emails": "a@example.org", "role": "king", "note": "kept"}
    tour.keep("form again as fragment", owner.post("/invitations", True, **choice), 422)
    rows = "new@example.org new@example.org bad@ hugo@dumas.example zoe@example.org"
    rows_and_choices = {"emails": rows, "licence": "licensed", "note": "Bonjour"}
    page = tour.keep("preview", owner.post("/invitations", **rows_and_choices))
    tour.keep("preview as fragment", owner.post("/invitations/preview", True, emails=rows))
    kept = {name: field_of(page, name) for name in ("emails", "kept", "mended", "confirmed")}
    tour.keep("some sent", owner.post("/invitations", **kept))
    tour.keep("sent as fragment", owner.post("/invitations", True, emails="next@example.org"))
    uploading(tour, owner)
    path = f"/invitations/{tour.cast.invitation.id}"
    tour.keep("an invitation", owner.get(path))
    tour.keep("an invitation as fragment", owner.get(path, True))
    tour.keep("an address not mended", owner.post(f"{path}/address", email="bad@"), 422)
    tour.keep("an invitation's panel", owner.get(f"{path}/amendment", True))
    tour.keep("nothing ticked", owner.post("/invitations/resends", True))
    tour.keep("all that match", owner.get("/invitations/matching?status=pending"))
    tour.keep("all that match, the panel", owner.get("/invitations/matching?q=zoe", True))
    tour.keep("resent as fragment", owner.post(f"{path}/resend", htmx=True))
    tour.keep("revoked as fragment", owner.post(f"{path}/revocation", htmx=True))
    tour.keep("changed meanwhile", owner.post(f"{path}/resend"), 409)
    tour.keep("changed meanwhile as fragment", owner.post(f"{path}/resend", htmx=True), 409)
    Account.update(invitations_per_day=1).where(Account.id == tour.cast.organisation.id).execute()
    tour.keep("over the day's limit", owner.post("/invitations", emails="one@more.example"))
    Membership.update(is_admin=False).where(Membership.user == tour.cast.users["admin"]).execute()
    invite_as = {"inviter": tour.cast.users["admin"]}
    Invitation.update(invite_as).where(Invitation.status == "pending").execute()
    tour.keep("waiting ones to take over", owner.get("/users"))
    accounts.update_organisation(tour.cast.organisation.public_id, plan="lapsed", seats=0)
    tour.keep("users without a plan", owner.get("/users"))
    accounts.update_organisation(
        tour.cast.organisation.public_id, plan="active", seats=25, per_day=1000
    )
    Membership.update(is_admin=True).where(Membership.user == tour.cast.users["admin"]).execute()


def uploading(tour: Tour, owner: Browser) -> None:
    account, member = tour.cast.organisation, tour.cast.membership("owner")
    tour.keep("letter", owner.post("/invitations/letter", note="Salut", locale="en"))
    tour.keep("letter as fragment", owner.post("/invitations/letter", True, note="Salut"))
    mended = {"emails": "a@file.example", "mended": "bad@"}
    tour.keep("row judged", owner.post("/invitations/rows", True, **mended))
    tour.keep("files", owner.get("/uploads"))
    tour.keep("no file", owner.post("/uploads"), 422)
    unknown = uploads.create(member, "unknown.csv", b"Kontakt;Wer\na@b.example;A\n", Offer())
    tour.keep("columns", owner.get(f"/uploads/{unknown.id}"))
    tour.keep("columns again", owner.post(f"/uploads/{unknown.id}/columns"), 422)
    lines = [f"p{at}@file.example,P{at}" for at in range(60)]
    rows = ["bad@,B", "zoe@example.org,", "hugo@dumas.example,", "p1@file.example,", *lines]
    content = "\n".join(["Email,Name", *rows]).encode()
    one = uploads.create(member, "people.csv", content, Offer(licence="licensed"))
    path = f"/uploads/{one.id}"
    accounts.update_organisation(account.public_id, per_day=20, seats=5)
    for verdict in ("", "all", "ready", "repeated"):
        tour.keep(f"rows {verdict}", owner.get(path, query_string={"verdict": verdict}))
    tour.keep("more rows", owner.get(f"{path}?verdict=all&after=40", True))
    row = UploadRow.get(UploadRow.upload == one, UploadRow.verdict == "malformed")
    tour.keep("row mended", owner.post(f"{path}/rows/{row.id}", True, email="still bad"))
    tour.keep("letter of the file", owner.get(f"{path}/letter"))
    for status in ("sending", "waiting", "done", "canceled"):
        ended_at = clock.now() if status in ("done", "canceled") else None
        Upload.update(status=status, confirmed=60, sent=30, unsent=2, ended_at=ended_at).where(
            Upload.id == one.id
        ).execute()
        tour.keep(f"file {status}", owner.get(path))
        tour.keep(f"file {status} on the users page", owner.get("/users"))
        tour.keep(f"rows of a file {status}", owner.get(f"{path}?until=40", True))
    accounts.update_organisation(account.public_id, per_day=0)
    tour.keep("nobody may be invited", owner.get("/users"))
    other = uploads.create(member, "people.csv", content, Offer())
    tour.keep("a file that may never go out", owner.get(f"/uploads/{other.id}"))
    tour.keep("file confirmed too late", owner.post(f"{path}/confirmation"), 409)
    accounts.update_organisation(account.public_id, per_day=1000, seats=25)


def in_every_state(cast: Cast) -> None:
    for state in ("expired", "refused", "deferred", "sent", "declined", "revoked", "superseded"):
        changes: dict[str, Any] = {"status": state, "answered_at": clock.now()}
        if state == "expired":
            changes = {"expires_at": clock.now()}
        elif state in ("refused", "deferred", "sent"):
            changes = {"delivery": state, "delivery_note": "550 no", "next_try_at": clock.now()}
        one = invite(
            cast.users["owner"], f"{state}@example.org", name="Léa", department="D", job_title="J"
        )
        Invitation.update(changes).where(Invitation.id == one.id).execute()


def refusing(tour: Tour) -> None:
    member = tour.browser("member")
    for htmx in (False, True):
        kind = " as fragment" if htmx else ""
        tour.keep(f"not for the role{kind}", member.get("/users", htmx=htmx), 403)
        tour.keep(f"not there{kind}", member.get("/nowhere", htmx=htmx), 404)
        headers = {"HX-Request": "true"} if htmx else {}
        tour.keep(f"no csrf{kind}", member.client.post("/account", headers=headers), 400)
    tour.keep("other method", member.post("/users"), 405)
    tour.keep("other language", member.post("/language", locale="de"), 400)


def joining(tour: Tour) -> None:
    cast = tour.cast
    known = invite(cast.users["owner"], "lou@example.org", note="Bienvenue\nà tous")
    make_individual("lou@example.org")
    new = invite(cast.users["owner"], "nina@example.org", name="Nina")
    for state, invitation in (("known", known), ("new", new)):
        browser = Browser(cast.app, tour.locale)
        tour.keep(f"link of a {state} person", browser.open_link(link_of(invitation)))
    tour.keep("code for a new person", browser.post("/sign-in/code", then="join"))
    wrong = browser.post("/sign-in/code", then="join", code="0", name="Nina")
    tour.keep("code wrong for a new person", wrong, 422)
    tour.keep("for another address", tour.as_user(cast.users["member"], known).get("/join"))
    stranger = Browser(cast.app, tour.locale)
    tour.keep("no link", stranger.get("/join", follow_redirects=True), 404)
    tour.keep("no cookies", Browser(cast.app, tour.locale).get("/join/cookies"), 404)
    for recommendation in ("", "refund", "credit"):
        Account.update(recommendation=recommendation).where(
            Account.id == cast.organisation.id
        ).execute()
        offer(tour, f"paid, recommended {recommendation}")
    offer(tour, "paid twice", 500, 18739)
    offer(tour, "paid by transfer", gateway="none", method="")
    offer(tour, "paid and partly returned", returned_minor=1000, returned_tax_minor=100)
    offer(tour, "licensed", licence="licensed")
    free = make_individual("free@example.org")
    tour.keep(
        "offer to a free person",
        tour.as_user(free, invite(cast.users["owner"], free.email)).get("/join"),
    )
    dollars = make_individual("usd@example.org")
    account = membership_of(dollars).account
    Account.update(currency="USD").where(Account.id == account.id).execute()
    make_plan(Account.get_by_id(account.id))
    invitation = invite(cast.users["owner"], dollars.email)
    tour.keep("offer in another currency", tour.as_user(dollars, invitation).get("/join"))
    changing(tour)


def offer(tour: Tour, state: str, *paid: int, licence: str = "basic", **fields: Any) -> Browser:
    user = make_paying(f"p{User.select().count()}@example.org", *paid, **fields)
    invitation = invite(tour.cast.users["owner"], user.email, licence=licence)
    browser = tour.as_user(user, invitation)
    tour.keep(f"offer {state}", browser.get("/join"))
    return browser


def changing(tour: Tour) -> None:
    """What the form answers when it cannot be taken as it is."""
    browser = offer(tour, "about to change")
    quote = field_of(browser.get("/join"), "quote")
    tour.keep("no choice", browser.post("/join/acceptance", quote=quote), 422)
    tour.keep("no offer", browser.post("/join/acceptance", choice="refund"), 422)
    Session.update(proven_at=clock.now() - timedelta(minutes=6)).execute()
    form = {"choice": "credit", "quote": quote}
    tour.keep("proof", browser.post("/join/acceptance", **form), 409)
    tour.keep("chosen before", browser.get("/join"))
    user = User.select().order_by(User.id.desc()).get()
    subscription = membership_of(user).account.subscription()
    assert subscription is not None
    make_payment(subscription, 700)
    tour.keep("figures changed", browser.post("/join/acceptance", **form), 409)


def blocked(tour: Tour) -> None:
    cast = tour.cast
    user = make_paying("busy@example.org")
    account = membership_of(user).account
    for number, url in (("F-1", ""), ("F-2", "https://pay.example/F-2"), ("F-3", "")):
        invoices.add(
            account, number, issued_on=None, due_on=clock.today("UTC"), total_minor=1200,
            pay_url=url,
        )  # fmt: skip
    invoices.note_being_paid(account, ["F-3"])
    make_member("guest@example.org", account)
    accounts.update_organisation(cast.organisation.public_id, seats=0)
    invitation = invite(cast.users["owner"], user.email, licence="licensed")
    browser = tour.as_user(user, invitation)
    tour.keep("blocked", browser.get("/join"))
    tour.keep("blocked at acceptance", browser.post("/join/acceptance", choice="refund"), 409)
    tour.keep("account with what is owed", browser.get("/account"))
    tour.keep("blocked, as fragment", browser.get("/join/offer", htmx=True))
    browser.post("/join/seat")
    tour.keep("blocked, waiting for a licence", browser.get("/join"))
    Account.update(basic_when_full=True).where(Account.id == cast.organisation.id).execute()
    tour.keep("blocked, but may do without a licence", browser.get("/join"))
    tour.keep("blocked, without a licence", browser.get("/join?licence=basic"))
    lucky = tour.as_user(*licensed(tour, "lucky@example.org"))
    tour.keep("open without a licence", lucky.get("/join?licence=basic"))
    accounts.update_organisation(cast.organisation.public_id, seats=25)
    for role in ("operator", "foreign owner"):
        user = cast.users[role]
        invitation = invite(cast.users["owner"], user.email)
        tour.keep(f"blocked as {role}", tour.as_user(user, invitation).get("/join"))


def licensed(tour: Tour, email: str) -> tuple[User, Invitation]:
    return make_paying(email), invite(tour.cast.users["owner"], email, licence="licensed")


def choosing(tour: Tour) -> None:
    cast = tour.cast
    user = make_paying("wanted@example.org")
    invitation = invite(cast.users["owner"], user.email)
    link_of(invite(cast.users["foreign owner"], user.email, licence="licensed"))
    tour.keep("two organisations", tour.as_user(user, invitation).get("/join"))
    User.update(verified_at=clock.now()).where(User.id == user.id).execute()
    tour.keep("two organisations, and no link", tour.as_user(user).get("/join"))


def resting(tour: Tour) -> None:
    cast = tour.cast
    user = make_paying("rest@example.org")
    invitation = invite(cast.users["admin"], user.email)
    browser = tour.as_user(user, invitation)
    Membership.update(is_admin=False).where(Membership.user == cast.users["admin"]).execute()
    tour.keep("rests without inviter", browser.get("/join"))
    tour.keep("rests at acceptance", browser.post("/join/acceptance"), 409)
    Membership.update(is_admin=True).where(Membership.user == cast.users["admin"]).execute()
    accounts.update_organisation(cast.organisation.public_id, plan="lapsed")
    tour.keep("rests without plan", browser.get("/join"))
    accounts.update_organisation(cast.organisation.public_id, plan="active")
    Membership.update(account=cast.organisation).where(Membership.user == user).execute()
    tour.keep("member already", browser.get("/join"))


def dead(tour: Tour) -> None:
    cast = tour.cast
    for state in ("expired", "revoked", "declined", "superseded", "accepted", "replaced"):
        user = make_individual(f"{state}@dead.example")
        invitation = invite(cast.users["owner"], user.email)
        owner, other = tour.as_user(user, invitation), Browser(cast.app, tour.locale)
        stranger = tour.as_user(cast.users["member"], invitation)
        other.open_link(link_of(invitation))
        if state == "replaced":
            invitations.resend(membership_of(cast.users["owner"]), invitation.id)
        elif state == "expired":
            Invitation.update(expires_at=clock.now()).where(
                Invitation.id == invitation.id
            ).execute()
        else:
            Invitation.update(status=state, answered_at=clock.now()).where(
                Invitation.id == invitation.id
            ).execute()
        tour.keep(f"{state}, signed in", owner.get("/join"), 410)
        tour.keep(f"{state}, signed out", other.get("/join"), 410)
        tour.keep(f"{state}, as somebody else", stranger.get("/join"), 410)
        if state == "expired":
            other.post("/join/renewal")
            tour.keep("expired, asked", other.get("/join"), 410)


def joined(tour: Tour) -> None:
    cast = tour.cast
    free = make_individual("easy@example.org")
    browser = tour.as_user(free, invite(cast.users["owner"], free.email))
    browser.post("/join/acceptance")
    tour.keep("joined free", browser.get("/join"))
    for choice in ("refund", "credit"):
        browser = offer(tour, f"for {choice}", 500, 18739)
        form = {"choice": choice, "quote": field_of(browser.get("/join"), "quote")}
        browser.post("/join/acceptance", **form)
        tour.keep(f"joined for {choice}", browser.get("/join"))
        tour.keep(f"joined for {choice} as fragment", browser.get("/join", htmx=True))
        browser.post("/join/confirmation")
        tour.keep(f"sent now for {choice}", browser.get("/join"))
        tour.keep(f"undo too late for {choice}", browser.post("/join/undo"), 409)
    browser = offer(tour, "to undo")
    form = {"choice": "refund", "quote": field_of(browser.get("/join"), "quote")}
    browser.post("/join/acceptance", **form)
    browser.post("/join/undo")
    tour.keep("undone", browser.get("/join"))
    user, _ = failed_refund("luck@example.org", make_owned("Bad Luck Ltd"))
    tour.keep("refund sent back", tour.as_user(user).get("/join"))


def own_account(tour: Tour) -> None:
    for role in ("individual", "member", "finance", "owner", "operator", "removed member"):
        tour.keep(f"account of {role}", tour.browser(role).get("/account"))
    browser = tour.as_user(make_paying("plan@example.org"))
    tour.keep("account with a plan", browser.get("/account"))
    tour.keep("new password", browser.post("/account/password/code"))
    again = browser.post("/account/password", code="0", password="short")
    tour.keep("new password too short", again, 422)
    again = browser.post("/account/password", code="0", password="long enough for it")
    tour.keep("new password with a wrong code", again, 422)
    browser.post("/account", name="New Name")
    tour.keep("account after a change", browser.get("/account"))


def documents(tour: Tour) -> None:
    operator = tour.browser("operator")
    tour.keep("all statements", operator.get("/statements"))
    tour.keep("all statements as fragment", operator.get("/statements", htmx=True))
    newest = Statement.select().order_by(Statement.issued_at.desc(), Statement.id.desc()).get()
    after = {"after": newest.number}
    tour.keep("more statements", operator.get("/statements", query_string=after))
    tour.keep("statements not read", operator.get("/statements?kind=x&from=y&to=2026-02-31"), 422)
    tour.keep("no such statements", operator.get("/statements?q=nobody&kind=credit"))
    tour.keep("statements of a month", operator.get("/statements?month=2026-11&state=held"))
    tour.keep("no month for the journal", operator.get("/journal.csv?month=x"), 422)
    tour.keep("month not read", operator.get("/statements.csv?month=x"), 422)
    tour.keep("several being prepared", operator.get("/statements.zip"), 503)
    tour.keep("statements of an owner", tour.browser("owner").get("/statements"))
    tour.keep("statements of nobody", tour.browser("individual").get("/statements"))
    tour.keep("being prepared", operator.get(f"/statements/{newest.number}.pdf"), 503)
    person = User.get_by_id(newest.user_id)
    tour.keep("account with statements", tour.as_user(person).get("/account"))
    statements.render(newest.id)
    tour.keep("joined, with the document", tour.as_user(person).get("/join"))


def operating(tour: Tour) -> None:
    organisation, today = tour.cast.organisation, clock.today("UTC")
    tour.keep("billing of an owner", tour.browser("owner").get("/billing"))
    tour.keep("an organisation month by month", tour.browser("owner").get("/billing/charts"))
    elsewhere = tour.browser("foreign owner")
    tour.keep("nothing month by month", elsewhere.get("/billing/charts"))
    for at, days in enumerate((-3, 0, 3)):
        invoices.add(
            organisation, f"O-{at}", issued_on=today, due_on=today + timedelta(days=days),
            total_minor=100_000, tax_minor=10, pay_url="https://pay.example/O",
        )  # fmt: skip
    invoices.note_being_paid(organisation, ["O-2"])
    finance = tour.browser("finance")
    tour.keep("billing with invoices", finance.get("/billing"))
    tour.keep("more invoices", finance.get("/billing?after=O-1"))
    tour.keep("more invoices as fragment", finance.get("/billing?after=O-1", htmx=True))
    tour_billing.reading(tour)
    tour_billing.seeing_to(tour)
    tour.keep("all month by month", tour.browser("operator").get("/billing/charts"))


def developing(tour: Tour) -> None:
    nobody = tour.browser("nobody")
    tour.keep("people to be", nobody.get("/dev"))
    account = membership_of(make_individual("debtor@example.org")).account
    invoices.add(
        account, "D-1", issued_on=None, due_on=None, total_minor=100,
        pay_url="https://pay.example/dev/pay/D-1",
    )  # fmt: skip
    tour.keep("to pay", nobody.get("/dev/pay/D-1"))
    nobody.post("/dev/pay/D-1")
    tour.keep("paid", nobody.get("/dev/pay/D-1"))
    tour.keep("no mails", nobody.get("/dev/mail"))
    keep_mail()
    tour.keep("mails", nobody.get("/dev/mail"))
    tour.keep("mail", nobody.get("/dev/mail/1"))
