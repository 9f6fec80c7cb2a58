"""The organisation's settings, and what an invitee sees of them."""

import pytest

from tests.client import Browser, field_of, words_of
from tests.people import Cast
from tests.snapshots import everything
from webapp.models import Account, AuditEvent

KEPT = {
    "recommendation": "credit",
    "recommendation_note": "The Atelier has paid for everybody since March.",
    "locale": "en",
    "invitation_days": "14",
    "first_reminder_days": "2",
    "second_reminder_days": "",
    "last_reminder_days": "1",
    "basic_when_full": "on",
}


def own(cast: Cast) -> Account:
    found: Account = Account.get_by_id(cast.organisation.id)
    return found


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_what_is_saved_is_shown_again(cast: Cast, role: str) -> None:
    browser = cast.browser(role)

    answer = browser.post("/settings", **KEPT)

    assert (answer.status_code, answer.location) == (303, "/settings")
    page = browser.get("/settings")
    assert "The settings are saved." in words_of(page)
    for name in ("recommendation_note", "invitation_days", "first_reminder_days"):
        assert field_of(page, name) == KEPT[name]
    assert field_of(page, "second_reminder_days") == ""
    account = own(cast)
    assert (account.recommendation, account.invitation_days) == ("credit", 14)
    assert (account.second_reminder_days, account.last_reminder_days) == (0, 1)
    assert account.basic_when_full


def test_the_event_names_what_changed_and_only_that(cast: Cast) -> None:
    browser = cast.browser("owner")
    browser.post("/settings", **KEPT)
    [event] = AuditEvent.select().where(AuditEvent.kind == "settings:changed")
    assert event.facts["invitation_days"] == [0, 14]
    assert event.facts["recommendation"] == ["", "credit"]
    before = everything()

    browser.post("/settings", **KEPT)

    assert everything() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recommendation", "both"),
        ("locale", "de"),
        ("invitation_days", "366"),
        ("invitation_days", "-1"),
        ("first_reminder_days", "1.5"),
        ("second_reminder_days", "²"),
        ("last_reminder_days", "9" * 400),
    ],
)
def test_nonsense_changes_nothing_and_stays_to_be_mended(
    cast: Cast, field: str, value: str
) -> None:
    browser = cast.browser("owner")
    before = everything()

    answer = browser.post("/settings", **{**KEPT, field: value})

    assert answer.status_code == 422
    assert field_of(answer, "recommendation_note") == KEPT["recommendation_note"]
    if field.endswith("days"):
        assert field_of(answer, field) == value
        assert 'aria-invalid="true"' in answer.text
    assert everything() == before


def test_another_organisation_is_untouched(cast: Cast) -> None:
    cast.browser("foreign owner").post("/settings", **KEPT)

    assert own(cast).recommendation == ""


def test_an_invitee_reads_the_suggestion_in_the_organisations_own_words(cast: Cast) -> None:
    cast.browser("owner").post(
        "/settings", **{**KEPT, "recommendation_note": "<b>We</b> paid\r\nfor\u202e you."}
    )

    page = cast.browser("invitee").get("/join")

    assert "Atelier Dumas suggests the credit if it paid for you." in words_of(page)
    assert "&lt;b&gt;We&lt;/b&gt; paid for you." in page.text
    assert "checked" not in page.text.partition('id="acceptance"')[2]


def test_the_form_for_adding_begins_with_the_organisations_language(cast: Cast) -> None:
    browser = Browser(cast.app).sign_in_as(cast.users["owner"])
    browser.post("/settings", **KEPT)

    assert '<option value="en" selected>' in browser.get("/users").text
