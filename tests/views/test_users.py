"""The users page as page and as fragment, and what the address bar may ask of it."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.client import Browser, field_of, words_of
from tests.money import ACCEPTED
from tests.people import Cast, invite
from webapp import clock
from webapp.models import Invitation, Membership, OutboxMessage, User

AS_PAGE = [{"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}]


@pytest.fixture
def owner(cast: Cast) -> Browser:
    return cast.browser("owner")


def test_the_list_is_a_page_and_a_fragment_of_the_same_rows(owner: Browser) -> None:
    page, fragment = (owner.get("/users", htmx=htmx) for htmx in (False, True))

    assert "<html" in page.text
    assert fragment.text.lstrip().startswith(('<section id="people"', "<!--"))
    for email in ("claire@dumas.example", "zoe@example.org"):
        assert email in page.text
        assert email in words_of(fragment)
    assert "HX-Request" in page.headers["Vary"]


@pytest.mark.parametrize("headers", AS_PAGE)
def test_a_boosted_link_and_the_back_button_get_the_page(
    owner: Browser, headers: dict[str, str]
) -> None:
    assert "<html" in owner.get("/users", htmx=True, headers=headers).text


def test_without_script_every_state_and_page_is_a_link(cast: Cast, owner: Browser) -> None:
    for at in range(55):
        invite(cast.users["owner"], f"p{at}@example.org")
    page = owner.get("/users?q=example&status=pending&licence=basic")

    links = [dict(parse_qsl(urlsplit(unescape(link)).query)) for link in hrefs(page)]

    assert {"status": "revoked", "q": "example", "licence": "basic"} in links
    (more,) = [link for link in links if "after" in link]
    assert more | {"after": ""} == {
        "status": "pending", "q": "example", "licence": "basic", "after": "",
    }  # fmt: skip
    assert 'aria-current="page"' in page.text


def hrefs(page: TestResponse) -> list[str]:
    return re.findall(r'<a[^>]*? href="(/users[^"]*)"', page.text)


@pytest.mark.parametrize(
    "query",
    [
        "status=nothing&role=king&licence=gold",
        "after=",
        "after=x",
        "after=1~member",
        "after=1~king~1",
        "after=1e400~member~1",
        "after=nan~member~1",
        "after=inf~member~1",
        "after=1~member~99999999999999999999999",
        "after=1~member~%00",
        "after=1~member~\u0663",
        "after=-99999999999999~invitation~1",
        "q=%00",
        "q=%F0%9F%92%A9%ED%A0%80",
        "q=" + "x" * 5000,
        "q=a&q=b&status=pending&status=active",
        "unknown=1",
    ],
)
def test_what_nobody_would_ask_still_shows_a_list(owner: Browser, query: str) -> None:
    for htmx in (False, True):
        assert owner.get(f"/users?{query}", htmx=htmx).status_code == 200


def test_the_badge_of_the_navigation_is_everywhere_for_those_who_invite(cast: Cast) -> None:
    for role in ("owner", "admin"):
        for path in ("/users", "/account", "/statements"):
            assert 'id="pending-badge"' in cast.browser(role).get(path).text
    for role in ("finance", "member", "individual", "operator"):
        assert 'id="pending-badge"' not in cast.browser(role).get("/account").text


@pytest.mark.parametrize(
    ("role", "entries"),
    [
        ("owner", ["/users", "/billing", "/statements", "/account"]),
        ("admin", ["/users", "/statements", "/account"]),
        ("finance", ["/billing", "/statements", "/account"]),
        ("member", ["/statements", "/account"]),
        ("operator", ["/billing", "/statements", "/account"]),
    ],
)
def test_the_navigation_has_what_the_person_can_use(
    cast: Cast, role: str, entries: list[str]
) -> None:
    page = cast.browser(role).get("/account").text
    (nav,) = re.findall(r'<nav class="entries".*?</nav>', page, re.S)

    assert re.findall(r'<a href="([^"]*)"', nav) == entries


def test_only_an_owner_is_offered_to_make_an_admin(cast: Cast) -> None:
    offered = {role: adding(cast.browser(role)) for role in ("owner", "admin")}

    assert '<option value="admin"' in offered["owner"]
    assert '<option value="admin"' not in offered["admin"]


def adding(browser: Browser) -> str:
    (form,) = re.findall(r'<article id="add">.*?</article>', browser.get("/users").text, re.S)
    return str(form)


def test_the_licences_in_use_are_told(cast: Cast, owner: Browser) -> None:
    Membership.update(licence="licensed").where(Membership.user == cast.users["member"]).execute()

    words = words_of(owner.get("/users"))

    assert "25" in words
    assert "1 " in words


def test_waiting_ones_are_taken_over_with_one_press(cast: Cast, owner: Browser) -> None:
    assert "/invitations/takeover" not in owner.get("/users").text
    Membership.update(is_admin=False).where(Membership.user == cast.users["admin"]).execute()
    assert "/invitations/takeover" in owner.get("/users").text

    answer = owner.post("/invitations/takeover")

    assert (answer.status_code, answer.location) == (303, "/users")
    assert "/invitations/takeover" not in owner.get("/users").text


def test_the_page_is_in_the_persons_language(cast: Cast, owner: Browser) -> None:
    User.update(locale="fr").execute()

    page = owner.get("/users")

    assert '<html lang="fr"' in page.text
    assert "Gestion des utilisateurs" in words_of(page)


def live_of(page: TestResponse) -> tuple[str, str]:
    """The address that the first rows ask at, and the state that they show."""
    (tag,) = re.findall(r'<tbody id="rows"[^>]*>', page.text)
    (address,) = re.findall(r'hx-get="([^"]*)"', tag)
    (state,) = re.findall(r"\\u0022(\w+)\\u0022|\\\"(\w+)\\\"", tag)
    return unescape(address), f'"{"".join(state)}"'


@pytest.mark.parametrize("query", ["", "?status=pending", "?q=zoe&sort=-name", "?role=admin"])
def test_rows_that_did_not_change_cost_a_304_without_a_body(owner: Browser, query: str) -> None:
    address, state = live_of(owner.get(f"/users{query}"))

    answer = owner.get(address, htmx=True, headers={"If-None-Match": state})

    assert (answer.status_code, answer.data) == (304, b"")


def test_rows_that_changed_come_with_the_tabs_and_the_badge(cast: Cast, owner: Browser) -> None:
    address, state = live_of(owner.get("/users?status=pending"))
    invite(cast.users["admin"], "new@example.org")

    answer = owner.get(address, htmx=True, headers={"If-None-Match": state})

    assert answer.status_code == 200
    assert "new@example.org" in answer.text
    targets = re.findall(r'<hx-partial hx-target="([^"]*)"', answer.text)
    assert targets == ["#rows", "#tabs", "#pending-badge", "#seats"]


def test_another_persons_window_has_another_state(cast: Cast, owner: Browser) -> None:
    """Who invited is only said of others."""
    address, state = live_of(owner.get("/users"))

    answer = cast.browser("admin").get(address, htmx=True, headers={"If-None-Match": state})

    assert answer.status_code == 200


def test_rows_that_grew_out_of_bounds_leave_a_gap_to_press(
    cast: Cast, owner: Browser, day: Any
) -> None:
    for at in range(60):
        invite(cast.users["owner"], f"p{at}@example.org")
    address, _ = live_of(owner.get("/users"))
    day.shift(60)
    for at in range(60):
        invite(cast.users["owner"], f"q{at}@example.org")

    answer = owner.get(address, htmx=True)

    assert answer.text.count('<tr id="person-') == 50
    (more,) = re.findall(r'id="more-[^>]*? href="([^"]*)"', answer.text)
    rest = owner.get(unescape(more), htmx=True)
    found = re.findall(r'<tr id="(person-[^"]*)"', answer.text + rest.text)
    assert len(found) == len(set(found)) == 60 + 50
    assert 'class="more"' not in rest.text


@pytest.mark.parametrize(
    ("before", "query", "header", "address"),
    [
        ("/users", "q=zo&role=&licence=", "HX-Push-Url", "/users?q=zo"),
        ("/users?q=z", "q=zo", "HX-Replace-Url", "/users?q=zo"),
        ("/users?q=z", "q=&status=pending", "HX-Push-Url", "/users?status=pending"),
        ("/users?q=z", "q=zo&status=pending", "HX-Push-Url", "/users?status=pending&q=zo"),
        ("/users", "sort=-since", "HX-Push-Url", "/users"),
    ],
)
def test_the_address_bar_says_what_is_shown(
    owner: Browser, before: str, query: str, header: str, address: str
) -> None:
    current = {"HX-Current-URL": f"http://localhost{before}"}

    answer = owner.get(f"/users?{query}", htmx=True, headers=current)

    assert {name: answer.headers.get(name) for name in ("HX-Push-Url", "HX-Replace-Url")} == {
        "HX-Push-Url": None, "HX-Replace-Url": None, header: address,
    }  # fmt: skip


def test_after_a_change_the_list_is_still_the_one_that_was_asked_for(
    cast: Cast, owner: Browser
) -> None:
    path = f"/invitations/{cast.invitation.id}/resend"
    here = "http://localhost/users?status=pending&sort=name"

    by_script = owner._send(
        "POST", path, True, data={"csrf_token": owner.csrf()}, headers={"HX-Current-URL": here}
    )
    by_form = owner._send(
        "POST", path, False, data={"csrf_token": owner.csrf()}, headers={"Referer": here}
    )

    assert re.search(r'id="tab-pending"[^>]*aria-current', by_script.text)
    assert by_form.location == "/users?status=pending&sort=name"


@pytest.mark.parametrize(("verb", "status"), [("resends", "pending"), ("revocations", "revoked")])
@pytest.mark.parametrize("htmx", [True, False])
def test_the_ticked_invitations_are_changed_together(
    cast: Cast, owner: Browser, verb: str, status: str, htmx: bool
) -> None:
    ids = [invite(cast.users["owner"], f"{name}@example.org").id for name in "ab"]

    answer = owner.post(f"/invitations/{verb}", htmx, id=[*ids, "x", cast.foreign_invitation.id])

    assert answer.status_code == (200 if htmx else 303)
    assert answer.headers.get("HX-Trigger") == ("people:changed" if htmx else None)
    assert "2 " in words_of(answer if htmx else owner.get("/users"))
    assert {Invitation.get_by_id(id).status for id in ids} == {status}
    assert Invitation.get_by_id(cast.foreign_invitation.id).status == "pending"


def test_all_that_match_are_offered_where_more_than_is_shown_does(
    cast: Cast, owner: Browser
) -> None:
    invite(cast.users["owner"], "first@example.org", department="Sales & more")
    assert "/invitations/matching" not in owner.get("/users").text
    for at in range(52):
        invite(cast.users["owner"], f"p{at}@example.org")
    page = owner.get("/users?q=p")
    assert 'href="/invitations/matching?q=p"' in page.text

    address = "/invitations/matching?q=example.org&department=Sales+%26+more&inviter=1&sort=name"
    for htmx in (False, True):
        shown = owner.get(address, htmx=htmx)
        assert ("<html" in shown.text) is not htmx
        assert "1 invitation matches" in words_of(shown)
        assert "Cancel 1 invitation" in words_of(shown)
        assert "Sales & more" in words_of(shown)
    answer = owner.post("/invitations/revocations", matching=field_of(shown, "matching"))
    assert answer.status_code == 303
    assert dict(parse_qsl(urlsplit(answer.location).query))["department"] == "Sales & more"
    assert "1 invitation is being cancelled" in words_of(owner.get("/users"))
    payload = OutboxMessage.get(OutboxMessage.kind == "matching").payload
    assert payload["asked"] == {"q": "example.org", "department": "Sales & more", "inviter": 1}


def test_nothing_ticked_says_so(owner: Browser) -> None:
    assert "select" in words_of(owner.post("/invitations/resends", htmx=True))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?q=nobody-at-all", "Nobody found"),
        ("?status=attention", "Nothing needs your attention"),
        ("?status=revoked", "Nobody here"),
    ],
)
def test_an_empty_list_says_what_to_do(owner: Browser, query: str, words: str) -> None:
    assert words in words_of(owner.get(f"/users{query}"))


def test_whoever_is_alone_is_told_what_to_do_first(cast: Cast) -> None:
    Invitation.update(status="accepted", answered_at=ACCEPTED).execute()
    page = words_of(cast.browser("foreign owner").get("/users"))

    assert "Nobody has been invited yet" in page
    assert "rose@petit.example" in page


def test_a_search_says_aloud_how_many_it_found(cast: Cast, owner: Browser) -> None:
    for at in range(52):
        invite(cast.users["owner"], f"p{at}@example.org")

    found = {q: owner.get(f"/users?q={q}", htmx=True) for q in ("zoe", "p")}

    assert re.search(r'id="found" class="sr" role="status">1 person is shown\.<', found["zoe"].text)
    assert "The first 50 people are shown; there are more." in words_of(found["p"])


def test_who_declined_or_was_cancelled_can_be_asked_again(cast: Cast, owner: Browser) -> None:
    invitation = invite(
        cast.users["owner"], "bo@example.org", licence="licensed", department="Shop"
    )
    owner.post(f"/invitations/{invitation.id}/revocation")
    page = owner.get("/users?status=revoked")
    assert "Invite bo@example.org again" in page.text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))

    again = owner.post("/invitations/preview", htmx=True, **fields)

    assert "1 address is ready." in words_of(again)
    assert field_of(again, "licence") == "licensed"
    assert field_of(again, "department") == "Shop"
    assert Invitation.select().where(Invitation.email == "bo@example.org").count() == 1


def test_the_licences_in_use_follow_in_the_open_window(cast: Cast, owner: Browser) -> None:
    Membership.update(licence="licensed").where(
        Membership.id == cast.membership("member").id
    ).execute()

    assert "1 in use" in words_of(owner.get("/users/live", htmx=True))


def test_the_list_begins_anew_when_none_of_its_first_rows_is_left(
    cast: Cast, owner: Browser, day: Any
) -> None:
    for at in range(60):
        day.shift(1)
        invite(cast.users["owner"], f"p{at}@example.org")
    page = owner.get("/users?status=pending")
    address = unescape(re.findall(r'hx-get="(/users/live[^"]*)"', page.text)[0])
    gone = Invitation.select(Invitation.id).order_by(Invitation.id.desc()).limit(50)
    Invitation.update(status="revoked", answered_at=clock.now()).where(
        Invitation.id.in_([each.id for each in gone])
    ).execute()

    answer = owner.get(address, htmx=True)

    assert '<hx-partial hx-target="#people"' in answer.text
    assert "p9@example.org" in answer.text
    assert answer.text.count("<tr id=") == 11
    Invitation.update(status="revoked", answered_at=clock.now()).execute()
    assert "Nobody is waiting" in words_of(owner.get(address, htmx=True))
