"""Whatever an address names by a number: to whoever it is not for, what is there answers exactly
like what is not, and nothing changes. To whoever it is for, it is there."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Browser
from tests.money import make_user, settle
from tests.people import ROLES, Cast, make_paying, session_of
from tests.snapshots import everything
from tests.views.test_access import ANSWERS, NOWHERE, address_of, draft, invoice
from tests.views.test_not_telling import NONCES, NUMBERS
from webapp import clock
from webapp.actions import invoice_copies, invoices, uploads
from webapp.actions.inviting import Offer
from webapp.models import (
    Account,
    Invitation,
    InvoiceCopy,
    Membership,
    OutboxMessage,
    Passkey,
    Refund,
    Statement,
    UploadRow,
    User,
)

# The numbers that addresses hold; tokens are proofs by themselves, public ids are for everybody.
NAMED = {
    "upload_id", "row_id", "invitation_id", "membership_id", "number", "refund_id", "message_id",
    "copy_id", "invoice_id", "session_id", "passkey_id",
}  # fmt: skip
ABSENT = dict.fromkeys(NAMED, NOWHERE) | {"number": "A-2026-999999"}
# For whom what is made here is, besides the owner of the organisation.
ALSO = {
    "statements": {"finance", "operator"},
    "invoices": {"finance", "operator"},
    "needs_hand": {"operator"},
    "billing": {"operator"},
    **{
        place: {"admin"} for place in ("invitation", "invitations", "letters", "members", "uploads")
    },
}
# The operator's, and one's own: not the owner's of the organisation either.
NOT_THE_OWNERS = {"needs_hand", "billing", "invitee"}
# What forms of all these addresses send, such as would do.
FIELDS = {
    "role": "finance", "licence": "basic", "email": "mended@example.org", "seen": "member",
    "paid_on": "2026-11-20", "reference": "bank", "column": "email", "name": "Zoe",
}  # fmt: skip


MADE = {"pdf": b"%PDF", "sha256": "0" * 64}


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest) -> str:
    """Pages are the same on both."""
    return str(request.param)


# Every route whose address holds such a number.
NAMING = (
    "billing.see_to_report", "factors.remove_passkey", "invitation.amend", "invitation.change",
    "invitation.mend", "invitation.show", "invitations.resend", "invitations.revoke",
    "invitee.remove_user", "invoices.copy", "invoices.download", "invoices.show",
    "letters.of_upload", "members.licence", "members.ownership", "members.removal",
    "members.role", "members.show", "needs_hand.ask_for_consent", "needs_hand.discard",
    "needs_hand.message", "needs_hand.pay_by_hand", "needs_hand.refund", "needs_hand.retry",
    "needs_hand.send_again", "sessions.end", "statements.show", "uploads.cancel",
    "uploads.columns", "uploads.confirm", "uploads.download", "uploads.mend",
    "uploads.progress", "uploads.resume", "uploads.show",
)  # fmt: skip


def test_every_number_in_an_address_is_asked_for_here(app: Flask) -> None:
    numbered = {rule.endpoint for rule in app.url_map.iter_rules() if NAMED & rule.arguments}

    assert numbered - {"dev_mail.attachment"} == set(NAMING)


def method_of(endpoint: str) -> str:
    (method,) = (method for one, method in ANSWERS if one == endpoint)
    return method


def there(cast: Cast) -> dict[str, Any]:
    """Of the organisation and its people, one of each; also what other tests have none of."""
    settle(make_paying("refunded@example.org"), cast.organisation, "refund")
    settle(make_paying("giver@example.org"), cast.organisation, "credit")
    Refund.update(state="failed", requested_at=clock.now()).execute()
    Invitation.update(reported_at=clock.now()).where(
        Invitation.id == cast.foreign_invitation.id
    ).execute()
    stuck = OutboxMessage.select().where(OutboxMessage.kind == "mail:invitation").first()
    OutboxMessage.update(quarantined_at=clock.now()).where(OutboxMessage.id == stuck.id).execute()
    Statement.update(MADE | {"rendered_at": clock.now()}).execute()
    owner = cast.users["owner"]
    upload = draft(cast)
    return {
        "upload_id": upload.id,
        "row_id": UploadRow.get(UploadRow.upload == upload, UploadRow.email == "bad@").id,
        "invitation_id": cast.invitation.id,
        "membership_id": cast.membership("member").id,
        "number": Statement.get(Statement.kind == "account_credit").number,
        "refund_id": Refund.get().id,
        "message_id": stuck.id,
        "copy_id": copy_of(cast).id,
        "invoice_id": invoice(cast).id,
        "session_id": session_of(owner).id,
        "passkey_id": passkey(owner).id,
    }


def copy_of(cast: Cast) -> InvoiceCopy:
    copy = invoice_copies.make(cast.membership("owner"), invoice(cast))
    InvoiceCopy.update(MADE | {"rendered_at": clock.now()}).where(
        InvoiceCopy.id == copy.id
    ).execute()
    return copy


def passkey(user: User) -> Passkey:
    made: Passkey = Passkey.create(
        user=user, credential_id="x", public_key="", name="Key", created_at=clock.now()
    )
    return made


def ask(browser: Browser, method: str, address: str) -> tuple[int, str]:
    answer = browser.get(address) if method == "GET" else browser.post(address, **FIELDS)
    return plain(answer)


def plain(response: TestResponse) -> tuple[int, str]:
    body = NUMBERS.sub("N", NONCES.sub("", response.text))
    return response.status_code, re.sub("A-2026-[0-9]{6}", "N", body)


@pytest.mark.parametrize("endpoint", NAMING)
def test_strangers_cannot_tell_what_is_there_and_change_nothing(cast: Cast, endpoint: str) -> None:
    place, method = endpoint.partition(".")[0], method_of(endpoint)
    theirs = ALSO.get(place, set()) | (set() if place in NOT_THE_OWNERS else {"owner"})
    there_is_not = address_of(cast.app, endpoint, cast, **ABSENT)
    there_is = address_of(cast.app, endpoint, cast, **there(cast))
    for role in ROLES:
        if role not in theirs:
            browser = cast.browser(role)
            browser.csrf()
            before = everything()
            assert ask(browser, method, there_is) == ask(browser, method, there_is_not), role
            assert everything() == before, role


@pytest.mark.parametrize("endpoint", NAMING)
def test_to_whoever_it_is_for_it_is_there(cast: Cast, endpoint: str) -> None:
    """Else the test above would find nothing."""
    place, method = endpoint.partition(".")[0], method_of(endpoint)
    role = {"needs_hand": "operator", "billing": "operator", "invitee": "invitee"}.get(place)
    there_is_not, values = address_of(cast.app, endpoint, cast, **ABSENT), there(cast)
    if place == "invitee":
        values["membership_id"] = guest_of(cast.membership("invitee").account).id
    if place == "billing":
        values["invitation_id"] = cast.foreign_invitation.id
    browser = cast.browser(role or "owner")

    status, _ = ask(browser, method, address_of(cast.app, endpoint, cast, **values))
    assert status in (200, 303, 409, 422)
    assert ask(browser, method, there_is_not)[0] == 404


def guest_of(account: Account) -> Membership:
    found: Membership = Membership.get(Membership.user == make_user("guest@example.org", account))
    return found


def test_a_thing_within_ones_own_is_not_reached_through_it(cast: Cast) -> None:
    """Somebody else's row in one's own file, somebody else's copy of one's own invoice."""
    browser, theirs = cast.browser("foreign owner"), there(cast)
    owner = cast.membership("foreign owner")
    mine = uploads.create(owner, "mine.csv", b"Email\nanna@example.org\n", Offer(locale="en"))
    own_invoice = invoices.add(
        cast.elsewhere, "P-1", issued_on=None, due_on=None, total_minor=1200, tax_minor=200
    )
    browser.csrf()
    before = everything()

    for inner in (theirs["row_id"], NOWHERE):
        answer = browser.post(f"/uploads/{mine.id}/rows/{inner}", **FIELDS)
        assert answer.status_code == 404
    for inner in (theirs["copy_id"], NOWHERE):
        answer = browser.get(f"/billing/invoices/{own_invoice.id}/copies/{inner}.pdf")
        assert answer.status_code == 404
    assert everything() == before
