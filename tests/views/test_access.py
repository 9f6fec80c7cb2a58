"""Every route, every method, every kind of person: the answer is the one written here."""

import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Browser, words_of
from tests.money import settle
from tests.people import ROLES, Cast, make_cast, make_paying, on_the_day
from webapp import clock
from webapp.actions import invoices, uploads
from webapp.actions.inviting import Offer
from webapp.models import Invitation, Invoice, KeptMail, Upload, UploadRow
from webapp.permissions import (
    DEVELOPMENT,
    GRANT_ADMIN,
    INVITE,
    MANAGE_MEMBERS,
    OPERATE,
    PUBLIC,
    SEE_BILLING,
    SEE_USERS,
    SETTINGS,
    SIGNED_IN,
    TABLE,
    declaration_of,
    may,
)

NOWHERE = 999_999
WRITES = {"POST", "PUT", "PATCH", "DELETE"}

# Who may do what, in so many words; roles that are not named may nothing of it.
RIGHTS = {
    SEE_USERS: {"owner", "admin"},
    INVITE: {"owner", "admin"},
    MANAGE_MEMBERS: {"owner", "admin"},
    SETTINGS: {"owner", "admin"},
    GRANT_ADMIN: {"owner"},
    SEE_BILLING: {"owner", "finance", "operator"},
    OPERATE: {"operator"},
}

# Who is in no organisation.
NOWHERE_TO_LEAVE = dict.fromkeys(
    ("individual", "invitee", "other invitee", "removed member", "operator"), 404
)

# (endpoint, method) → what it declares, and what whoever may use it gets: a status, or one for
# each role that differs from the one under "".
ANSWERS: dict[tuple[str, str], tuple[str, int | dict[str, int]]] = {
    ("account.show", "GET"): (SIGNED_IN, 200),
    ("account.update", "POST"): (SIGNED_IN, 303),
    ("account.digest", "POST"): (SEE_BILLING, 303),
    ("account.password_code", "POST"): (SIGNED_IN, 200),
    ("account.password", "POST"): (SIGNED_IN, 422),
    # What makes no sense to erase yet says why; of the rest there is nobody left.
    ("personal.copy", "GET"): (SIGNED_IN, 200),
    ("personal.erasure", "GET"): (SIGNED_IN, 200),
    ("personal.erase", "POST"): (
        SIGNED_IN,
        # The invitee would have to give up a plan.
        {"": 409, "individual": 303, "other invitee": 303, "removed member": 303, "invitee": 422},
    ),
    ("personal.erased", "GET"): (PUBLIC, 303),
    # Empty forms: nothing that the browser made, no app that waits; a passkey that is not there.
    ("factors.show", "GET"): (SIGNED_IN, 200),
    ("factors.add_passkey", "POST"): (SIGNED_IN, 422),
    ("factors.remove_passkey", "POST"): (SIGNED_IN, 404),
    ("factors.begin_authenticator", "POST"): (SIGNED_IN, 200),
    ("factors.confirm_authenticator", "POST"): (SIGNED_IN, 422),
    ("factors.remove_authenticator", "POST"): (SIGNED_IN, 303),
    ("factors.make_recovery_codes", "POST"): (SIGNED_IN, 200),
    ("proof.show", "GET"): (SIGNED_IN, 200),
    ("sessions.end", "POST"): (SIGNED_IN, 404),
    ("sessions.end_others", "POST"): (SIGNED_IN, 303),
    ("activity.index", "GET"): (SEE_USERS, 200),
    ("activity.download", "GET"): (SEE_USERS, 200),
    ("billing.show", "GET"): (SEE_BILLING, 200),
    ("charts.show", "GET"): (SEE_BILLING, 200),
    ("funnel.show", "GET"): (SEE_USERS, 200),
    # Of an invitation that nobody reported.
    ("billing.see_to_report", "POST"): (OPERATE, 404),
    # The organisation's invoice, which others do not see and the operator does.
    ("invoices.show", "GET"): (SEE_BILLING, {"": 200, "foreign owner": 404}),
    ("invoices.copy", "POST"): (SEE_BILLING, {"": 303, "foreign owner": 404}),
    ("invoices.download", "GET"): (SEE_BILLING, 404),
    # The operator has no credit of its own.
    ("movements.index", "GET"): (SEE_BILLING, {"": 200, "operator": 404}),
    # Nobody has its token.
    ("metrics.show", "GET"): (PUBLIC, 404),
    ("month_end.show", "GET"): (OPERATE, 200),
    ("month_end.create", "POST"): (OPERATE, 303),
    # A refund and a message that are not there.
    ("needs_hand.refund", "GET"): (OPERATE, 404),
    ("needs_hand.retry", "POST"): (OPERATE, 404),
    ("needs_hand.ask_for_consent", "POST"): (OPERATE, 404),
    ("needs_hand.pay_by_hand", "POST"): (OPERATE, 404),
    ("needs_hand.message", "GET"): (OPERATE, 404),
    ("needs_hand.send_again", "POST"): (OPERATE, 404),
    ("needs_hand.discard", "POST"): (OPERATE, 404),
    # No form says whose departure it is: there is nothing to leave, or the page was old.
    ("departures.show", "GET"): (SIGNED_IN, {**NOWHERE_TO_LEAVE, "": 200}),
    ("departures.create", "POST"): (SIGNED_IN, {**NOWHERE_TO_LEAVE, "": 409}),
    ("dev.show", "GET"): (DEVELOPMENT, 200),
    ("dev.sign_in", "POST"): (DEVELOPMENT, 404),
    ("dev_pay.show", "GET"): (DEVELOPMENT, 404),
    ("dev_pay.pay", "POST"): (DEVELOPMENT, 404),
    ("dev_mail.index", "GET"): (DEVELOPMENT, 200),
    ("dev_mail.show", "GET"): (DEVELOPMENT, 200),
    ("dev_mail.html", "GET"): (DEVELOPMENT, 200),
    ("dev_mail.attachment", "GET"): (DEVELOPMENT, 200),
    ("exports.csv", "GET"): (SIGNED_IN, 200),
    ("exports.xlsx", "GET"): (SIGNED_IN, 200),
    ("exports.archive", "GET"): (SIGNED_IN, 200),
    ("health.healthz", "GET"): (PUBLIC, 200),
    ("health.readyz", "GET"): (PUBLIC, 200),
    ("help.show", "GET"): (PUBLIC, 200),
    ("help.organisation", "GET"): (PUBLIC, 200),
    ("help.code", "GET"): (PUBLIC, 200),
    ("home.show", "GET"): (PUBLIC, 303),
    ("home.language", "POST"): (PUBLIC, 400),
    ("invitations.create", "POST"): (INVITE, {"": 303, "foreign owner": 303}),
    ("invitations.preview_only", "POST"): (INVITE, 200),
    ("invitations.resend", "POST"): (INVITE, {"": 303, "foreign owner": 404}),
    ("invitations.revoke", "POST"): (INVITE, {"": 303, "foreign owner": 404}),
    ("selections.matching_ones", "GET"): (INVITE, 200),
    ("invitations.take_over", "POST"): (INVITE, 303),
    ("invitations.badge", "GET"): (INVITE, 200),
    ("invitation.show", "GET"): (INVITE, {"": 200, "foreign owner": 404}),
    # Outside of htmx, the page of the invitation.
    ("invitation.change", "GET"): (INVITE, {"": 303, "foreign owner": 404}),
    ("invitation.amend", "POST"): (INVITE, {"": 303, "foreign owner": 404}),
    ("invitation.mend", "POST"): (INVITE, {"": 303, "foreign owner": 404}),
    ("invitations.judge_rows", "POST"): (INVITE, 200),
    ("invitations.failed", "POST"): (INVITE, 200),
    # No month came with it.
    ("journal.show", "GET"): (SEE_BILLING, 422),
    ("letters.of_form", "POST"): (INVITE, 200),
    ("letters.of_upload", "GET"): (INVITE, {"": 200, "foreign owner": 404}),
    ("uploads.index", "GET"): (INVITE, 200),
    ("uploads.template", "GET"): (INVITE, 200),
    # No file came with it.
    ("uploads.create", "POST"): (INVITE, 422),
    ("uploads.show", "GET"): (INVITE, {"": 200, "foreign owner": 404}),
    ("uploads.progress", "GET"): (INVITE, {"": 200, "foreign owner": 404}),
    ("uploads.download", "GET"): (INVITE, {"": 200, "foreign owner": 404}),
    ("uploads.columns", "POST"): (INVITE, {"": 422, "foreign owner": 404}),
    ("uploads.mend", "POST"): (INVITE, {"": 303, "foreign owner": 404}),
    # The admin comes first; the owner finds it confirmed, and then stopped.
    ("uploads.confirm", "POST"): (INVITE, {"": 303, "foreign owner": 404, "owner": 409}),
    ("uploads.cancel", "POST"): (INVITE, {"": 303, "foreign owner": 404, "owner": 404}),
    ("uploads.resume", "POST"): (INVITE, {"": 409, "foreign owner": 404}),
    ("join.open", "GET"): (PUBLIC, 303),
    ("join.show", "GET"): (
        PUBLIC,
        {"": 404, "nobody": 303, "link holder": 200, "invitee": 200, "other invitee": 200},
    ),
    ("invitee.ask_for_cookies", "GET"): (PUBLIC, {"": 303, "nobody": 404}),
    # Outside of htmx, the page itself.
    ("invitee.look_again", "GET"): (PUBLIC, 303),
    # The invitee has a plan to settle, and sends no offer with this form; the others hold no link.
    ("join.accept", "POST"): (SIGNED_IN, {"": 404, "invitee": 422, "other invitee": 403}),
    ("join.decline", "POST"): (PUBLIC, {"": 403, "link holder": 303, "invitee": 303}),
    # Nobody's link has expired, and all go back to the page that says so.
    ("invitee.ask_for_link", "POST"): (PUBLIC, 303),
    ("invitee.ask_for_seat", "POST"): (SIGNED_IN, {"": 404, "invitee": 303}),
    ("invitee.choose", "POST"): (SIGNED_IN, 404),
    ("invitee.remove_user", "POST"): (SIGNED_IN, 404),
    ("join.undo_acceptance", "POST"): (SIGNED_IN, 404),
    ("join.confirm", "POST"): (SIGNED_IN, 404),
    ("join.hand_over", "POST"): (SIGNED_IN, 404),
    ("members.back", "GET"): (MANAGE_MEMBERS, 303),
    ("members.show", "GET"): (MANAGE_MEMBERS, {"": 200, "foreign owner": 404}),
    # Without what their readers saw, forms change nothing; without a licence there is none to give.
    ("members.role", "POST"): (MANAGE_MEMBERS, {"": 409, "foreign owner": 404}),
    ("members.licence", "POST"): (MANAGE_MEMBERS, 422),
    ("members.ownership", "POST"): (MANAGE_MEMBERS, {"": 403, "owner": 409, "foreign owner": 404}),
    ("members.removal", "POST"): (MANAGE_MEMBERS, {"": 409, "foreign owner": 404}),
    ("selections.resend", "POST"): (INVITE, 303),
    ("selections.revoke", "POST"): (INVITE, 303),
    # The token of these is an invitation's link, which ends no reminders.
    ("reminders.show", "GET"): (PUBLIC, 404),
    ("reminders.mute", "POST"): (PUBLIC, 404),
    # Nor does it report one.
    ("reports.show", "GET"): (PUBLIC, 404),
    ("reports.create", "POST"): (PUBLIC, 404),
    ("reports.take_back", "POST"): (PUBLIC, 404),
    ("settings.show", "GET"): (SETTINGS, 200),
    ("settings.change", "POST"): (SETTINGS, 422),
    ("settings.ask_for_factor", "POST"): (GRANT_ADMIN, 422),
    ("sign_in.show", "GET"): (PUBLIC, {"": 303, "nobody": 200, "link holder": 200}),
    ("sign_in.create", "POST"): (PUBLIC, 422),
    ("sign_in.code", "POST"): (
        PUBLIC,
        {"": 422, "link holder": 200, "invitee": 200, "other invitee": 200},
    ),
    # Nobody is half-way in.
    ("second_step.show", "GET"): (PUBLIC, 303),
    ("second_step.create", "POST"): (PUBLIC, 303),
    ("second_step.passkey", "POST"): (PUBLIC, 422),
    ("sign_in.destroy", "POST"): (SIGNED_IN, 303),
    ("statements.index", "GET"): (SIGNED_IN, 200),
    ("statements.show", "GET"): (SIGNED_IN, 404),
    ("users.live", "GET"): (SEE_USERS, 200),
    ("users.index", "GET"): (SEE_USERS, 200),
    # Nobody but the gateway can sign.
    ("webhooks.stripe", "POST"): (PUBLIC, 400),
}

FORMS = {
    "account.update": {"name": "Another Name"},
    "members.role": {"role": "finance"},
    "invitations.preview_only": {"emails": "new@example.org"},
    "invitation.amend": {"role": "member", "licence": "basic"},
    "invitation.mend": {"email": "mended@example.org"},
    "invitations.judge_rows": {"emails": "new@example.org", "mended": "bad@"},
}


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with on_the_day():
        yield


@pytest.fixture
def cast(app: Flask) -> Cast:
    keep_mail()
    return make_cast(app)


def keep_mail() -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Hello", "a@example.org", "b@example.org"
    mail["Date"], mail["Message-ID"] = "Mon, 23 Nov 2026 09:15:00 +0000", "<1@example.org>"
    mail.set_content("Hello")
    mail.add_alternative("<p>Hello</p>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    KeptMail.create(
        message_id="1", recipient="b@example.org", subject="Hello", content=bytes(mail),
        kept_at=clock.now(),
    )  # fmt: skip


def draft(cast: Cast) -> Upload:
    """The one that the cast's owner has not confirmed yet."""
    found: Upload | None = Upload.get_or_none(Upload.account == cast.organisation)
    if found is not None:
        return found
    content = b"Email,Name\nanna@example.org,Anna\nbad@,Bo\n"
    return uploads.create(cast.membership("owner"), "people.csv", content, Offer(locale="en"))


def invoice(cast: Cast) -> Invoice:
    """The one of the organisation."""
    found: Invoice | None = Invoice.get_or_none(Invoice.account == cast.organisation)
    if found is not None:
        return found
    return invoices.add(
        cast.organisation, "F-1", issued_on=None, due_on=None, total_minor=12000, tax_minor=2000
    )


def values_of(cast: Cast, **changes: Any) -> dict[str, Any]:
    """What routes take in their addresses: ids of things of the organisation."""
    upload = draft(cast)
    return {
        "upload_id": upload.id,
        "row_id": UploadRow.get(UploadRow.upload == upload, UploadRow.email == "bad@").id,
        "invitation_id": cast.invitation.id,
        "membership_id": cast.membership("member").id,
        "public_id": cast.organisation.public_id,
        "token": cast.token,
        "number": "R-2026-000001",
        "refund_id": NOWHERE,
        "message_id": NOWHERE,
        "copy_id": NOWHERE,
        "invoice_id": invoice(cast).id,
        "session_id": NOWHERE,
        "passkey_id": NOWHERE,
        "mail_id": 1,
        "reference": "none",
        **changes,
    }


def address_of(app: Flask, endpoint: str, cast: Cast, **changes: Any) -> str:
    """The route's address, with ids of things of the organisation."""
    values = values_of(cast, **changes)
    if endpoint == "dev_mail.attachment":
        values["number"] = 0
    (rule,) = app.url_map.iter_rules(endpoint)
    with app.test_request_context():
        return app.url_for(endpoint, **{name: values[name] for name in rule.arguments})


def answer(browser: Browser, method: str, address: str, endpoint: str) -> TestResponse:
    if endpoint == "invitations.create":
        return browser.post(address, emails=f"{clock.new_public_id()}@example.org")
    if method == "POST":
        return browser.post(address, **FORMS.get(endpoint, {}))
    return browser.get(address)


def expected(role: str, declared: str, statuses: int | dict[str, int]) -> int:
    is_signed_in = role not in ("nobody", "link holder")
    if declared in (PUBLIC, DEVELOPMENT) or (is_signed_in and declared == SIGNED_IN):
        known = statuses if isinstance(statuses, dict) else {"": statuses}
        return known.get(role, known[""])
    if not is_signed_in:
        return 303
    own = "owner" if role == "foreign owner" else role
    if own not in RIGHTS[declared]:
        return 403
    known = statuses if isinstance(statuses, dict) else {"": statuses}
    return known.get(role, known[""])


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }


def test_every_route_has_its_answers_here(app: Flask) -> None:
    assert routes(app) == set(ANSWERS)


def test_every_route_declares_what_is_written_here(app: Flask) -> None:
    declared = {
        (endpoint, method): declaration_of(app.view_functions[endpoint])
        for endpoint, method in routes(app)
    }

    assert declared == {route: declaration for route, (declaration, _) in ANSWERS.items()}


def test_the_table_gives_each_role_what_is_written_here(cast: Cast) -> None:
    for capability, roles in RIGHTS.items():
        for role in cast.users:
            own = "owner" if role == "foreign owner" else role
            assert may(cast.membership(role), capability) == (own in roles), (role, capability)
    assert TABLE["member"] == TABLE["individual"] == frozenset()


@pytest.mark.parametrize("route", ANSWERS, ids=lambda route: f"{route[1]} {route[0]}")
def test_each_person_gets_the_answer_written_here(cast: Cast, route: tuple[str, str]) -> None:
    endpoint, method = route
    declared, statuses = ANSWERS[route]
    address = address_of(cast.app, endpoint, cast)
    # A fresh cast of every answer would be slow: those who may do most come last.
    found = {role: answer(cast.browser(role), method, address, endpoint) for role in ORDER}

    assert {role: response.status_code for role, response in found.items()} == {
        role: expected(role, declared, statuses) for role in ORDER
    }
    for response in found.values():
        if response.status_code == 303 and declared not in (PUBLIC, DEVELOPMENT):
            assert_goes_to_sign_in_or_on(response)


ORDER = sorted(ROLES, key=lambda role: ("link holder", "invitee", "admin", "owner").count(role))


def assert_goes_to_sign_in_or_on(response: TestResponse) -> None:
    assert response.headers["Location"].startswith("/")
    assert not response.headers["Location"].startswith("//")


def test_without_a_session_one_is_asked_to_sign_in(cast: Cast) -> None:
    for endpoint, method in sorted(routes(cast.app)):
        if ANSWERS[endpoint, method][0] in (PUBLIC, DEVELOPMENT):
            continue
        address = address_of(cast.app, endpoint, cast)
        browser = cast.browser("nobody")
        plain = answer(browser, method, address, endpoint)
        htmx = browser.client.open(
            address, method=method, headers={"HX-Request": "true", "X-CSRFToken": browser.csrf()}
        )

        assert plain.status_code == 303, endpoint
        assert plain.headers["Location"].partition("?")[0] == "/sign-in"
        assert htmx.status_code == 200, endpoint
        assert htmx.headers["HX-Redirect"].partition("?")[0] == "/sign-in"
        assert htmx.text == ""


def test_a_person_without_the_role_is_told_so_inside_their_own_account(cast: Cast) -> None:
    response = cast.browser("member").get("/users")

    assert response.status_code == 403
    assert 'role="alert"' in response.text
    assert 'href="/account"' in response.text


@pytest.mark.parametrize("verb", ["resend", "revocation"])
def test_another_organisations_invitation_looks_like_none(cast: Cast, verb: str) -> None:
    for role in ("owner", "admin"):
        for htmx in (False, True):
            browser = cast.browser(role)
            addresses = (cast.foreign_invitation.id, NOWHERE)
            theirs, nobodys = (
                browser.post(f"/invitations/{id}/{verb}", htmx=htmx) for id in addresses
            )
            assert theirs.status_code == nobodys.status_code == 404
            assert theirs.text == nobodys.text
            for response in (theirs, nobodys):
                response.headers.remove("X-Request-ID")  # each has its own
            assert dict(theirs.headers) == dict(nobodys.headers)
    assert Invitation.get_by_id(cast.foreign_invitation.id).status == "pending"


def test_an_id_that_no_database_could_hold_is_not_there(cast: Cast) -> None:
    browser = cast.browser("owner")

    for id in (0, 2**63, 10**40, "-1", "1e3", "x", "%00"):
        assert browser.post(f"/invitations/{id}/revocation").status_code == 404, id


def test_the_users_page_shows_one_organisation_only(cast: Cast) -> None:
    ours, theirs = (cast.browser(role).get("/users").text for role in ("owner", "foreign owner"))

    assert "zoe@example.org" in ours
    assert not re.search(r"max@example\.org|petit", ours, re.I)
    assert "max@example.org" in theirs
    assert not re.search(r"zoe@example\.org|dumas", theirs, re.I)


def test_statements_reach_those_they_are_for(cast: Cast) -> None:
    """Of a person's refund and another's credit: finance sees no users, admins no statements, and
    an organisation nothing of the refund, whatever it asks for."""
    for choice in ("refund", "credit"):
        settle(make_paying(f"{choice}@example.org"), cast.organisation, choice)
    settle(make_paying("petit@example.org"), cast.elsewhere, "credit")
    # Whose statements each may see; of all others the number looks like none.
    seen = {
        "operator": {"R-2026-000001", "C-2026-000001", "A-2026-000001", "C-2026-000002"}
        | {"A-2026-000002"},
        "owner": {"A-2026-000001"},
        "finance": {"A-2026-000001"},
        "foreign owner": {"A-2026-000002"},
    }
    for role in cast.users:
        browser, numbers = cast.browser(role), seen.get(role, set())
        found = set(re.findall("[RCA]-2026-[0-9]{6}", browser.get("/statements").text))
        assert found == numbers, role
        rows = browser.get("/statements.csv").text
        assert set(re.findall("[RCA]-2026-[0-9]{6}", rows)) == numbers, role
        for number in seen["operator"] | {"R-2026-000009"}:
            statuses = {
                browser.get(f"/statements/{number}.pdf").status_code,
                browser.get(f"/statements?after={number}").status_code,
            }
            assert statuses == ({503, 200} if number in numbers else {404}), (role, number)
    assert cast.browser("finance").get("/users").status_code == 403


def test_the_operator_does_not_see_an_organisations_users(cast: Cast) -> None:
    assert cast.browser("operator").get("/users").status_code == 403


def test_a_person_who_was_removed_keeps_nothing_of_the_organisation(cast: Cast) -> None:
    browser = cast.browser("removed member")

    assert browser.get("/users").status_code == 403
    words = words_of(browser.get("/account"))
    assert words.count("Atelier Dumas") == 1
    assert "You are no longer a member of Atelier Dumas" in words


def test_other_methods_are_refused_everywhere(cast: Cast) -> None:
    browser = cast.browser("owner")
    for rule in cast.app.url_map.iter_rules():
        address = address_of(cast.app, rule.endpoint, cast)
        for method in {"GET", *WRITES} - _methods_at(cast.app, rule.rule):
            response = browser.client.open(
                address, method=method, headers={"X-CSRFToken": browser.csrf()}
            )
            # The pages of an invitation's link take any word where a verb stands.
            is_token = method == "GET" and re.fullmatch("/join/[^/]*", rule.rule)
            assert response.status_code == (303 if is_token else 405), (method, address)


def _methods_at(app: Flask, pattern: str) -> set[str]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule == pattern]
    return {method for rule in rules for method in rule.methods or ()}


def test_development_pages_are_not_there_in_production(database_url: str) -> None:
    from tests.apps import make_app
    from webapp.database import database

    app = make_app(database_url, env="production", payments="simulated")
    client = app.test_client()

    for rule in app.url_map.iter_rules():
        if declaration_of(app.view_functions[rule.endpoint]) == DEVELOPMENT:
            address = re.sub("<[^>]*>", "1", rule.rule)
            method = "GET" if "GET" in (rule.methods or ()) else "HEAD"
            assert client.open(address, method=method).status_code in (404, 405), address
    database.close()
