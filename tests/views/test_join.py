"""The invitee's page in every state that a link, an invitation and a person can be in."""

from datetime import timedelta
from typing import Any

import pytest

from tests.client import Browser, field_of, words_of
from tests.money import make_plan
from tests.people import (
    Cast,
    invite,
    link_of,
    make_individual,
    make_paying,
    membership_of,
    session_of,
    viewer_of,
    written,
)
from webapp import clock
from webapp.actions import accounts, invitations, invoices, members
from webapp.models import (
    Acceptance,
    Account,
    Invitation,
    InvitationLink,
    Membership,
    OutboxMessage,
    Payment,
    Refund,
    Session,
    User,
)

NOTHING = {"acceptances": 0, "settlements": 0, "statements": 0, "effects": 0}


def form_of(browser: Browser, choice: str) -> dict[str, str]:
    return {"choice": choice, "quote": field_of(browser.get("/join"), "quote")}


def test_the_token_leaves_the_address_bar_at_once(cast: Cast) -> None:
    answer = Browser(cast.app).get(f"/join/{cast.token}")
    assert (answer.status_code, answer.location) == (303, "/join")
    assert cast.token not in answer.text + str(answer.headers)


def test_the_offer_shows_the_exact_amount_and_chooses_nothing(cast: Cast) -> None:
    page = cast.browser("invitee").get("/join")
    words = words_of(page)
    assert "€49.97" in words
    assert "Atelier Dumas" in words
    assert "hugo@dumas.example" in words
    assert " checked" not in page.text


def test_a_refund_is_accepted_and_shown_again_and_again(cast: Cast) -> None:
    browser = cast.browser("invitee")
    form = form_of(browser, "refund")
    for _ in range(3):
        answer = browser.post("/join/acceptance", **form)
        assert (answer.status_code, answer.location) == (303, "/join")
    words = words_of(browser.get("/join"))
    assert "€49.97" in words
    assert "R-2026-000001" in words
    assert written() == {"acceptances": 1, "settlements": 1, "statements": 1, "effects": 2}


def test_nothing_happens_without_a_choice(cast: Cast) -> None:
    browser = cast.browser("invitee")
    form = form_of(browser, "")
    answer = browser.post("/join/acceptance", **form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert written() == NOTHING


@pytest.mark.parametrize("quote", ["", "altered", "eyJ4IjoxfQ.bad"])
def test_an_altered_offer_is_refused(cast: Cast, quote: str) -> None:
    answer = cast.browser("invitee").post("/join/acceptance", choice="refund", quote=quote)
    assert answer.status_code in (409, 422)
    assert written() == NOTHING


def test_the_next_day_shows_the_new_amount_and_did_nothing(cast: Cast, day: Any) -> None:
    browser = cast.browser("invitee")
    form = form_of(browser, "refund")
    day.shift(timedelta(days=1))
    browser.open_link(cast.token)
    answer = browser.post("/join/acceptance", **form)
    assert answer.status_code == 409
    assert "€43.72" in words_of(answer)
    assert written() == NOTHING
    form = {"choice": "refund", "quote": field_of(answer, "quote")}
    assert browser.post("/join/acceptance", **form).status_code == 303


def test_an_offer_does_not_age_by_itself(cast: Cast, day: Any) -> None:
    browser = cast.browser("invitee")
    form = form_of(browser, "refund")
    day.shift(timedelta(minutes=25))
    assert browser.post("/join/acceptance", **form).status_code == 303


def test_credit_wants_a_proof_of_the_last_five_minutes(cast: Cast, day: Any) -> None:
    browser = cast.browser("invitee")
    day.shift(timedelta(minutes=6))
    answer = browser.post("/join/acceptance", **form_of(browser, "credit"))
    assert answer.status_code == 409
    assert written() == NOTHING
    Session.update(proven_at=clock.now()).execute()
    assert browser.post("/join/acceptance", **form_of(browser, "credit")).status_code == 303
    assert written()["statements"] == 2


def test_an_unpaid_invoice_blocks_until_it_is_paid(cast: Cast) -> None:
    account = membership_of(cast.users["invitee"]).account
    invoices.add(account, "F-77", issued_on=None, due_on=None, total_minor=3000)
    browser = cast.browser("invitee")
    page = browser.get("/join")
    assert page.status_code == 200
    assert "F-77" in words_of(page)
    assert "/join/acceptance" not in page.text
    form = {"choice": "refund", "quote": ""}
    assert browser.post("/join/acceptance", **form).status_code == 409
    invoices.mark_paid(account, "F-77")
    assert browser.post("/join/acceptance", **form_of(browser, "refund")).status_code == 303


def test_a_payment_under_way_blocks_and_is_not_asked_for_again(cast: Cast) -> None:
    account = membership_of(cast.users["invitee"]).account
    url = "https://pay.example/F-77"
    invoices.add(account, "F-77", issued_on=None, due_on=None, total_minor=3000, pay_url=url)
    invoices.note_being_paid(account, ["F-77"])
    browser = cast.browser("invitee")
    page = browser.get("/join")
    assert "Your payment for invoice F-77 is under way" in words_of(page)
    assert "Unpaid" not in words_of(page)
    assert url not in page.text
    assert browser.post("/join/acceptance", choice="refund", quote="").status_code == 409
    assert written() == NOTHING

    invoices.note_being_paid(account, [])
    assert url in browser.get("/join").text
    invoices.mark_paid(account, "F-77")
    assert browser.post("/join/acceptance", **form_of(browser, "refund")).status_code == 303


def test_a_refund_under_way_blocks_until_it_has_arrived(cast: Cast) -> None:
    Payment.update(
        returned_minor=1900, returned_elsewhere_minor=1900, returning_minor=1200
    ).execute()
    browser = cast.browser("invitee")
    page = browser.get("/join")
    assert "A refund of €12.00 to Visa •••• 4242 is under way" in words_of(page)
    assert "/join/acceptance" not in page.text
    assert browser.post("/join/acceptance", choice="refund", quote="").status_code == 409
    assert written() == NOTHING
    Payment.update(returning_minor=0).execute()
    assert browser.post("/join/acceptance", **form_of(browser, "refund")).status_code == 303


def test_the_refund_of_an_earlier_joining_blocks_while_the_gateway_has_it(
    cast: Cast, day: Any
) -> None:
    """Joined, was refunded, left: the same account is theirs again, with that refund."""
    browser = cast.browser("invitee")
    browser.post("/join/acceptance", **form_of(browser, "refund"))
    browser.post("/join/confirmation")
    user = cast.users["invitee"]
    members.leave(viewer_of(user), membership_of(user).id)
    Refund.update(state="pending", requested_at=clock.now(), gateway_reference="re_1").execute()
    again = Browser(cast.app).sign_in_as(user)
    token = link_of(invite(cast.users["foreign owner"], user.email))

    assert "A refund of €49.97 to Visa •••• 4242 is under way" in words_of(again.open_link(token))
    assert again.post("/join/acceptance").status_code == 409
    Refund.update(state="succeeded").execute()
    assert 'action="/join/acceptance"' in again.get("/join").text


def test_a_disputed_payment_blocks_until_it_is_decided(cast: Cast) -> None:
    Payment.update(is_disputed=True).execute()
    browser = cast.browser("invitee")
    assert "Your bank is looking into your payment of" in words_of(browser.get("/join"))
    for choice in ("refund", "credit"):
        form = {"choice": choice, "quote": ""}
        assert browser.post("/join/acceptance", **form).status_code == 409
    assert written() == NOTHING
    Payment.update(is_disputed=False).execute()
    assert browser.post("/join/acceptance", **form_of(browser, "refund")).status_code == 303


def test_a_free_account_joins_with_one_press(cast: Cast) -> None:
    user = cast.users["individual"]
    browser = Browser(cast.app).sign_in_as(user)
    browser.open_link(link_of(invite(cast.users["owner"], user.email)))
    assert browser.post("/join/acceptance").status_code == 303
    assert "no statement" in words_of(browser.get("/join"))
    assert written() == {"acceptances": 1, "settlements": 0, "statements": 0, "effects": 1}


def test_a_plan_without_a_day_left_makes_no_document(cast: Cast, day: Any) -> None:
    user = make_paying("late@example.org")
    token = link_of(invite(cast.users["owner"], user.email))
    day.shift(timedelta(days=9))
    browser = Browser(cast.app).sign_in_as(user)
    page = browser.open_link(token)
    assert "no statement" in words_of(page)
    assert browser.post("/join/acceptance").status_code == 303
    assert written()["statements"] == 0


def test_somebody_else_sees_neither_the_address_nor_the_form(cast: Cast) -> None:
    browser = cast.browser("other invitee")
    page = browser.get("/join")
    assert page.status_code == 200
    assert "zoe@example.org" not in page.text
    assert "/join/acceptance" not in page.text
    assert browser.post("/join/acceptance").status_code == 403
    assert browser.post("/join/decline").status_code == 403
    assert written() == NOTHING


def test_a_visitor_is_asked_to_sign_in_and_not_told_the_address(cast: Cast) -> None:
    page = cast.browser("link holder").get("/join")
    assert page.status_code == 200
    assert 'action="/sign-in"' in page.text
    assert "zoe@example.org" not in page.text
    assert "/join/acceptance" not in page.text


def test_declining_is_one_press_and_tells_the_reason(cast: Cast) -> None:
    browser = cast.browser("link holder")
    assert browser.post("/join/decline", reason="Not this year").status_code == 303
    page = browser.get("/join")
    assert page.status_code == 410
    assert "declined" in words_of(page)
    fresh = Invitation.get_by_id(cast.invitation.id)
    assert (fresh.status, fresh.decline_reason) == ("declined", "Not this year")


def end_of(cast: Cast, state: str) -> None:
    owner = membership_of(cast.users["owner"])
    if state == "revoked":
        invitations.revoke(owner, cast.invitation.id)
    elif state == "replaced":
        invitations.resend(owner, cast.invitation.id)
    elif state == "expired":
        Invitation.update(expires_at=clock.now()).execute()
    else:
        Invitation.update(status=state, answered_at=clock.now()).execute()


@pytest.mark.parametrize("state", ["revoked", "replaced", "expired", "superseded", "declined"])
@pytest.mark.parametrize("role", ["link holder", "invitee", "other invitee"])
def test_a_dead_link_says_why_and_does_nothing(cast: Cast, state: str, role: str) -> None:
    browser = cast.browser(role)
    end_of(cast, state)
    page = browser.get("/join")
    assert page.status_code == 410
    if role != "invitee":
        assert "zoe@example.org" not in page.text
    else:
        answer = browser.post("/join/acceptance", choice="refund", quote="")
        assert answer.status_code == 410
    assert written() == NOTHING


def test_a_used_link_asks_a_stranger_to_sign_in(cast: Cast) -> None:
    browser = cast.browser("invitee")
    browser.post("/join/acceptance", **form_of(browser, "refund"))
    page = cast.browser("link holder").get("/join")
    assert page.status_code == 410
    assert "already been used" in words_of(page)


def test_an_unknown_link_is_not_there(cast: Cast) -> None:
    browser = Browser(cast.app)
    assert browser.open_link("x" * 43).status_code == 404
    assert browser.open_link("../../etc/passwd").status_code == 404


def test_only_the_hash_of_a_token_is_kept(cast: Cast) -> None:
    hashes = {link.token_hash for link in InvitationLink.select()}
    assert cast.token not in hashes
    assert all(len(digest) == 64 for digest in hashes)


def test_an_invitation_rests_while_its_inviter_invites_no_more(cast: Cast) -> None:
    Membership.update(is_admin=False).where(Membership.user == cast.users["admin"]).execute()
    browser = cast.browser("invitee")
    page = browser.get("/join")
    assert page.status_code == 200
    assert "/join/acceptance" not in page.text
    assert browser.post("/join/acceptance", choice="refund").status_code == 409
    assert invitations.take_over(membership_of(cast.users["owner"])) == 1
    assert browser.post("/join/acceptance", **form_of(browser, "refund")).status_code == 303


def test_nobody_joins_while_the_plan_is_lapsed(cast: Cast) -> None:
    accounts.update_organisation(cast.organisation.public_id, plan="lapsed")
    browser = cast.browser("invitee")
    assert browser.get("/join").status_code == 200
    assert browser.post("/join/acceptance", choice="refund").status_code == 409
    assert written() == NOTHING


def test_other_sessions_end_when_somebody_joins(cast: Cast) -> None:
    older = Browser(cast.app).sign_in_as(cast.users["invitee"])
    browser = cast.browser("invitee")
    browser.post("/join/acceptance", **form_of(browser, "refund"))
    assert browser.get("/account").status_code == 200
    assert older.get("/account").status_code == 303


def test_only_a_refund_is_offered_across_currencies(cast: Cast) -> None:
    user = make_individual("usd@example.org")
    account = membership_of(user).account
    Account.update(currency="USD").where(Account.id == account.id).execute()
    make_plan(Account.get_by_id(account.id), currency="USD")
    browser = Browser(cast.app).sign_in_as(user)
    page = browser.open_link(link_of(invite(cast.users["owner"], user.email)))
    assert 'value="refund"' in page.text
    assert 'value="credit"' not in page.text
    form = {"choice": "credit", "quote": field_of(page, "quote")}
    assert browser.post("/join/acceptance", **form).status_code == 422
    assert written() == NOTHING


def test_the_joined_person_is_a_member_with_what_the_invitation_said(cast: Cast) -> None:
    user = cast.users["individual"]
    invitation = invite(cast.users["owner"], user.email, role="finance", department="Ventes")
    browser = Browser(cast.app).sign_in_as(user)
    browser.open_link(link_of(invitation))
    browser.post("/join/acceptance")
    present = User.get_by_id(user.id).membership()
    assert present.account == cast.organisation
    assert (present.is_finance, present.is_admin, present.department) == (True, False, "Ventes")
    assert Account.get_by_id(membership_before(user).account_id).closed_at is not None
    assert OutboxMessage.select().where(OutboxMessage.kind == "mail:accepted").count() == 1
    assert Acceptance.get().user == user
    assert session_of(user).ended_at is None


def membership_before(user: User) -> Membership:
    found: Membership = (
        Membership.select().where(Membership.user == user, Membership.ended_at.is_null(False)).get()
    )
    return found
