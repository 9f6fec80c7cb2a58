"""Adding people, the preview, resending, cancelling, and the badge: page and partial."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from tests.client import Browser, field_of, words_of
from tests.people import Cast, invite, link_of
from tests.snapshots import everything
from webapp.actions import accounts
from webapp.models import AuditEvent, Invitation, InvitationLink, OutboxMessage


@pytest.fixture
def owner(cast: Cast) -> Browser:
    return cast.browser("owner")


def invited(email: str) -> Invitation | None:
    found: Invitation | None = Invitation.get_or_none(Invitation.email == email)
    return found


def pending(browser: Browser) -> int:
    answer = browser.get("/invitations/badge")
    return int(words_of(answer))


def test_up_to_ten_clean_addresses_go_at_once(owner: Browser) -> None:
    emails = ", ".join(f"new{at}@example.org" for at in range(10))
    answer = owner.post("/invitations", emails=emails, licence="licensed", role="finance")
    assert (answer.status_code, answer.location) == (303, "/users")
    found = invited("new9@example.org")
    assert found is not None
    assert (found.licence, found.roles, found.status) == ("licensed", ("finance",), "pending")
    mails = OutboxMessage.select().where(OutboxMessage.kind == "mail:invitation")
    assert mails.count() == 12
    assert AuditEvent.select().where(AuditEvent.kind == "invitation:sent").count() == 12


def test_names_and_separators_are_understood(owner: Browser) -> None:
    text = 'Léa Roy <lea.roy@example.org>; "Doe, J" <doe@example.org>\nmax@exämple.de'
    assert owner.post("/invitations", emails=text).status_code == 303
    names = {row.email: row.name for row in Invitation.select()}
    assert names["lea.roy@example.org"] == "Léa Roy"
    assert names["doe@example.org"] == "Doe, J"
    assert "max@xn--exmple-cua.de" in names


def test_an_eleventh_address_is_previewed_and_confirmed_as_it_stands(owner: Browser) -> None:
    emails = "\n".join(f"new{at}@example.org" for at in range(11))
    page = owner.post("/invitations", emails=emails, note="Bienvenue", department="Ventes")
    assert page.status_code == 200
    assert invited("new0@example.org") is None
    form = {name: field_of(page, name) for name in ("emails", "confirmed", "note", "department")}
    assert owner.post("/invitations", **form).status_code == 303
    found = invited("new10@example.org")
    assert found is not None
    assert (found.note, found.department) == ("Bienvenue", "Ventes")


def test_every_row_that_is_not_clean_says_why(cast: Cast, owner: Browser) -> None:
    text = "new@example.org new@example.org bad@ hugo@dumas.example zoe@example.org"
    words = words_of(owner.post("/invitations", emails=text))
    for verdict in ("Ready", "Written twice", "Not an address", "Already a member", "invited"):
        assert verdict in words
    assert invited("new@example.org") is None


def test_the_preview_tells_nothing_of_other_accounts(cast: Cast, owner: Browser) -> None:
    """Somebody with a plan elsewhere, a member elsewhere and an unknown address look alike."""
    known = ["rose@petit.example", "max@example.org", "finance@seller.example", "ines@example.org"]
    for email in (*known, "unknown@example.org"):
        page = owner.post("/invitations/preview", emails=email)
        assert words_of(page).replace(email, "X") == words_of(
            owner.post("/invitations/preview", emails="other@example.org")
        ).replace("other@example.org", "X")


def test_what_can_be_mended_stays_in_the_form(owner: Browser) -> None:
    page = owner.post("/invitations", emails="good@example.org bad@")
    answer = owner.post(
        "/invitations",
        emails=field_of(page, "emails"),
        kept=field_of(page, "kept"),
        mended=field_of(page, "mended"),
        confirmed="yes",
    )
    assert answer.status_code == 200
    assert "bad@</textarea>" in answer.text
    assert invited("good@example.org") is not None


def test_a_row_is_mended_where_it_stands_and_sent_with_the_others(owner: Browser) -> None:
    page = owner.post("/invitations", emails="good@example.org Bo <bad@>")
    assert field_of(page, "mended") == "Bo <bad@>"
    fields = {"emails": field_of(page, "emails"), "mended": "Bo <bo@example.org>"}
    judged = owner.post("/invitations/rows", htmx=True, **fields)
    assert 'hx-target="#verdict-1"' in judged.text
    assert "2 addresses are ready" in words_of(judged)
    assert invited("bo@example.org") is None
    assert owner.post("/invitations", confirmed="yes", **fields).status_code == 303
    found = invited("bo@example.org")
    assert found is not None
    assert found.name == "Bo"


def test_checking_again_keeps_every_row_to_mend(owner: Browser) -> None:
    fields = {"emails": "good@example.org", "mended": ["bad@", "", "good@example.org"]}
    page = owner.post("/invitations/preview", **fields)  # type: ignore[arg-type]
    assert page.text.count('name="mended"') == 3
    words = words_of(page)
    assert "Not an address" in words
    assert "Left out" in words
    assert "Written twice" in words
    assert "1 address is ready" in words


def test_who_was_invited_already_gets_a_new_link_where_it_was_ticked(
    cast: Cast, owner: Browser
) -> None:
    page = owner.post("/invitations", emails="zoe@example.org new@example.org")
    ticked = {"resend": field_of(page, "resend"), "emails": field_of(page, "emails")}
    owner.post("/invitations", confirmed="yes", **ticked)
    old = InvitationLink.get(InvitationLink.invitation == cast.invitation)
    assert old.replaced_at is not None
    assert invited("new@example.org") is not None


def test_what_cannot_be_sent_can_be_downloaded(owner: Browser) -> None:
    answer = owner.post(
        "/invitations/failed.csv", emails="bad@ =cmd()@ zoe@example.org ok@a.example"
    )
    assert answer.mimetype == "text/csv"
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert lines[1:] == [
        "bad@,,Not an address",
        "'=cmd()@,,Not an address",
        "zoe@example.org,,Already invited",
    ]


@pytest.mark.parametrize(
    "path", ["/invitations", "/invitations/preview", "/invitations/rows", "/invitations/failed.csv"]
)
def test_more_than_anybody_pastes_is_refused_and_kept(owner: Browser, path: str) -> None:
    before = everything()

    page = owner.post(path, emails="a@ " * 10_001)

    assert page.status_code == 422
    assert "Choose a file instead" in page.text
    assert page.text.count("a@ ") == 10_001
    assert everything() == before


def test_too_few_licences_are_a_warning_and_no_obstacle(cast: Cast, owner: Browser) -> None:
    accounts.update_organisation(cast.organisation.public_id, seats=1)
    fields = {"emails": "a@example.org b@example.org", "licence": "licensed"}
    answer = owner.post("/invitations", htmx=True, **fields)
    assert "1 licence is free" in words_of(answer)
    assert invited("b@example.org") is not None


@pytest.mark.parametrize(("locale", "said"), [("fr", "vous invite"), ("en", "invites you")])
def test_the_mail_is_shown_before_it_is_sent(owner: Browser, locale: str, said: str) -> None:
    answer = owner.post("/invitations/letter", htmx=True, locale=locale, note="Salut\n<b>à tous")
    assert said in words_of(answer)
    assert f'lang="{locale}"' in answer.text
    assert "Salut" in answer.text
    assert "<b>" not in answer.text
    assert OutboxMessage.select().where(OutboxMessage.kind == "mail:invitation").count() == 2


def test_the_mail_is_shown_alike_whoever_gets_it(cast: Cast, owner: Browser) -> None:
    pages = [
        owner.post("/invitations/letter", htmx=True, emails=email).text
        for email in ("ines@example.org", "unknown@example.org")
    ]
    assert pages[0] == pages[1]


def test_an_empty_form_comes_back_with_its_error(owner: Browser) -> None:
    for htmx in (False, True):
        answer = owner.post("/invitations", htmx=htmx, emails=" , ", note="kept words")
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert "kept words" in answer.text
        assert ("<html" in answer.text) is not htmx


@pytest.mark.parametrize("field", ["role", "licence", "locale"])
def test_a_choice_that_is_none_is_refused(owner: Browser, field: str) -> None:
    answer = owner.post("/invitations", emails="new@example.org", **{field: "owner"})
    assert answer.status_code == 422
    assert invited("new@example.org") is None


def test_only_an_owner_invites_an_admin(cast: Cast) -> None:
    answer = cast.browser("admin").post("/invitations", emails="new@example.org", role="admin")
    assert answer.status_code == 403
    assert invited("new@example.org") is None
    cast.browser("owner").post("/invitations", emails="new@example.org", role="admin")
    found = invited("new@example.org")
    assert found is not None
    assert found.is_admin
    resent = cast.browser("admin").post(f"/invitations/{found.id}/resend")
    assert resent.status_code == 403


def test_a_lapsed_plan_invites_nobody(cast: Cast, owner: Browser) -> None:
    accounts.update_organisation(cast.organisation.public_id, plan="lapsed")
    assert "not active" in words_of(owner.get("/users"))
    assert owner.post("/invitations", emails="new@example.org").status_code == 403
    assert invited("new@example.org") is None


def test_the_days_limit_names_itself(cast: Cast, owner: Browser) -> None:
    accounts.update_organisation(cast.organisation.public_id, per_day=2)
    words = words_of(owner.post("/invitations", emails="a@example.org b@example.org"))
    assert "today’s limit" in words
    assert "24 hours" in words


def test_resending_mails_a_new_link_and_ends_the_old(cast: Cast, owner: Browser, day: Any) -> None:
    day.shift(timedelta(days=3))
    before = cast.invitation.expires_at
    answer = owner.post(f"/invitations/{cast.invitation.id}/resend", htmx=True)
    assert answer.status_code == 200
    assert f'hx-target="#person-invitation-{cast.invitation.id}"' in answer.text
    assert 'hx-target="#pending-badge"' in answer.text
    fresh = Invitation.get_by_id(cast.invitation.id)
    assert fresh.expires_at > before
    old = InvitationLink.get(InvitationLink.invitation == fresh)
    assert old.replaced_at is not None
    assert Browser(cast.app).open_link(link_of(fresh)).status_code == 200


def test_a_stranger_gets_three_mails_a_day_at_most(cast: Cast, owner: Browser) -> None:
    path = f"/invitations/{cast.invitation.id}/resend"
    mails = OutboxMessage.update(canceled_at=None, left_at=cast.invitation.created_at)
    for _ in range(2):
        assert owner.post(path, htmx=True).status_code == 200
        mails.where(OutboxMessage.canceled_at.is_null(False)).execute()
    answer = owner.post(path, htmx=True)
    assert answer.status_code == 429
    assert "later" in words_of(answer)


def test_cancelling_kills_the_link_and_moves_the_badge(cast: Cast, owner: Browser) -> None:
    assert pending(owner) == 1
    path = f"/invitations/{cast.invitation.id}/revocation"
    answer = owner.post(path, htmx=True)
    assert answer.status_code == 200
    assert pending(owner) == 0
    assert Browser(cast.app).open_link(cast.token).status_code == 410
    assert owner.post(path).status_code == 303


def test_an_answered_invitation_can_be_neither_resent_nor_cancelled(
    cast: Cast, owner: Browser
) -> None:
    cast.browser("link holder").post("/join/decline")
    for verb in ("resend", "revocation"):
        answer = owner.post(f"/invitations/{cast.invitation.id}/{verb}", htmx=True)
        assert answer.status_code == 409
        assert "Declined" in words_of(answer)
        assert owner.post(f"/invitations/{cast.invitation.id}/{verb}").status_code == 409


@pytest.mark.parametrize("verb", ["resend", "revocation"])
@pytest.mark.parametrize("number", ["0", "999", str(2**63), "-1", "1e3", "x"])
def test_what_is_not_there_is_404(owner: Browser, verb: str, number: str) -> None:
    assert owner.post(f"/invitations/{number}/{verb}").status_code == 404


def test_another_organisations_invitation_is_not_there(cast: Cast, owner: Browser) -> None:
    for verb in ("resend", "revocation"):
        path = f"/invitations/{cast.foreign_invitation.id}/{verb}"
        assert owner.post(path).status_code == 404
    assert Invitation.get_by_id(cast.foreign_invitation.id).status == "pending"


def test_the_badge_answers_304_while_nothing_moves(cast: Cast, owner: Browser) -> None:
    first = owner.get("/invitations/badge")
    headers = {"If-None-Match": first.headers["ETag"]}
    assert owner.get("/invitations/badge", headers=headers).status_code == 304
    invite(cast.users["owner"], "new@example.org")
    assert owner.get("/invitations/badge", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("status", "names"),
    [
        ("", {"claire", "hugo", "lea", "paul", "zoe", "gone", "old"}),
        ("active", {"claire", "hugo", "lea", "paul"}),
        ("pending", {"zoe"}),
        ("expired", {"old"}),
        ("attention", {"old", "gone"}),
        ("refused", {"gone"}),
        ("declined", set()),
    ],
)
def test_each_tab_shows_its_people(
    cast: Cast, owner: Browser, status: str, names: set[str]
) -> None:
    gone, old = (invite(cast.users["owner"], f"{who}@example.org") for who in ("gone", "old"))
    Invitation.update(delivery="refused").where(Invitation.id == gone.id).execute()
    Invitation.update(expires_at=old.created_at).where(Invitation.id == old.id).execute()
    page = owner.get("/users", query_string={"status": status} if status else {})
    words = " ".join(re.findall(r'<tr id="person-.*?</tr>', page.text, re.DOTALL))
    everybody = {"claire", "hugo", "lea", "paul", "zoe", "gone", "old"}
    assert {name for name in everybody if f"{name}<wbr>@" in words} == names


def test_search_ignores_accents_and_case(cast: Cast, owner: Browser) -> None:
    invite(cast.users["owner"], "h@example.org", name="Hélène Lefèvre")
    for q in ("helene", "LEFEVRE", "h@ex", "lefèvre hélène"):
        assert "Hélène Lefèvre" in owner.get("/users", query_string={"q": q}).text
    assert "Hélène" not in owner.get("/users", query_string={"q": "helena"}).text


def test_the_list_goes_on_by_key_and_misses_nobody(cast: Cast, owner: Browser) -> None:
    for at in range(117):
        invite(cast.users["owner"], f"p{at:03}@example.org")
    seen: list[str] = []
    path = "/users?q=p&status=pending"
    while path:
        page = owner.get(path)
        seen += re.findall(r"<th scope=\"row\">\s*<a[^>]*>(p\d+)<wbr>@example", page.text)
        more = re.search(r'<tbody class="more">.*?href="([^"]*)"', page.text, re.DOTALL)
        path = unescape(more[1]) if more else ""
    assert seen == [f"p{at:03}" for at in reversed(range(117))]
