"""One member's page and its forms; leaving; what those who are gone see."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.client import Browser, field_of, words_of
from tests.joined import join, make_owned, make_person
from tests.people import PASSWORD, Cast, make_member, membership_of
from webapp.models import Account, Membership, User


def path_of(cast: Cast, role: str, verb: str = "") -> str:
    return f"/members/{cast.membership(role).id}{verb}"


def test_the_list_leads_to_each_member(cast: Cast) -> None:
    page = cast.browser("admin").get("/users?status=active").text

    for role in ("owner", "admin", "finance", "member"):
        assert f'href="{path_of(cast, role)}"' in page


def test_roles_are_saved_and_said(cast: Cast) -> None:
    browser = cast.browser("owner")
    fields: Any = {"role": ["admin", "finance"], "seen": "member"}

    answer = browser.post(path_of(cast, "member", "/role"), **fields)

    assert (answer.status_code, answer.location) == (303, path_of(cast, "member"))
    assert "The role is changed." in words_of(browser.get(answer.location))
    assert cast.membership("member").roles == ("admin", "finance")


def test_the_row_opens_a_panel_that_changes_in_place(cast: Cast) -> None:
    browser, path = cast.browser("owner"), path_of(cast, "member")

    panel = browser.get(path, htmx=True)
    assert "<html" not in panel.text
    for verb in ("role", "licence", "removal"):
        assert f'hx-post="{path}/{verb}"' in panel.text
    changed = browser.post(f"{path}/licence", htmx=True, licence="licensed", seen="basic")

    assert changed.headers["HX-Trigger"] == "people:changed"
    assert "The licence is changed." in words_of(changed)
    assert "1 in use" in words_of(changed)
    assert "hx-post" not in browser.get(path).text.partition("<main")[2]


def test_the_panel_says_why_nothing_was_done(cast: Cast, day: Any) -> None:
    browser, path = cast.browser("owner"), path_of(cast, "member")
    Account.update(seats=0).where(Account.id == cast.organisation.id).execute()

    full = browser.post(f"{path}/licence", htmx=True, licence="licensed", seen="basic")
    assert (full.status_code, "<html" in full.text) == (409, False)
    assert "all licences are in use" in words_of(full)
    day.shift(timedelta(minutes=6))
    asked = browser.post(f"{path}/role", htmx=True, role="admin", seen="member")
    assert asked.status_code == 409
    assert "One more check: is it you?" in words_of(asked)
    browser.sign_in("claire@dumas.example", PASSWORD, then="member")
    assert "nothing is saved yet" in words_of(browser.get(path))
    gone = browser.post(f"{path}/removal", htmx=True, seen="member")
    assert "Paul is no longer a member" in words_of(gone)
    for again in (browser.get(path, htmx=True), browser.post(f"{path}/removal", htmx=True)):
        assert again.status_code == 410
        assert "this person is no longer a member" in words_of(again)


def test_an_admin_sees_only_the_boxes_that_are_theirs_to_tick(cast: Cast) -> None:
    page = cast.browser("admin").get(path_of(cast, "member")).text
    owners = cast.browser("owner").get(path_of(cast, "member")).text

    assert [role for role in ("owner", "admin", "finance") if f'value="{role}"' in page] == [
        "finance"
    ]
    for role in ("owner", "admin", "finance"):
        assert f'value="{role}"' in owners
    assert "Hand the ownership over" not in page
    assert "Hand the ownership over" in owners


def test_an_admin_keeps_another_admins_role_when_giving_finance(cast: Cast) -> None:
    other = make_member("second@dumas.example", cast.organisation, is_admin=True)
    path = f"/members/{membership_of(other).id}"
    browser = cast.browser("admin")
    assert 'type="hidden" name="role" value="admin"' in browser.get(path).text

    fields: Any = {"role": ["finance", "admin"], "seen": "admin"}
    assert browser.post(f"{path}/role", **fields).status_code == 303
    assert membership_of(other).roles == ("admin", "finance")


def test_an_admin_who_asks_for_more_is_refused(cast: Cast) -> None:
    browser = cast.browser("admin")

    for role in ("admin", "owner"):
        answer = browser.post(path_of(cast, "member", "/role"), role=role, seen="member")
        assert answer.status_code == 403
    assert browser.post(path_of(cast, "member", "/ownership"), seen="member").status_code == 403
    assert browser.post(path_of(cast, "owner", "/removal"), seen="owner").status_code == 403
    assert cast.membership("member").roles == ("member",)


def test_a_stale_form_changes_nothing_and_shows_how_it_is(cast: Cast) -> None:
    Membership.update(is_finance=True).where(
        Membership.id == cast.membership("member").id
    ).execute()

    for verb in ("/role", "/removal", "/ownership"):
        answer = cast.browser("owner").post(
            path_of(cast, "member", verb), role="admin", seen="member"
        )
        assert answer.status_code == 409
        assert "this changed in the meantime" in words_of(answer)
        assert field_of(answer, "seen") == "finance"
    assert cast.membership("member").roles == ("finance",)


def test_the_choice_is_kept_through_the_proof(cast: Cast, day: Any) -> None:
    browser = cast.browser("owner")
    fields: Any = {"role": ["admin", "finance"], "seen": "member"}
    path = path_of(cast, "member")
    day.shift(timedelta(minutes=6))

    asked = browser.post(f"{path}/role", **fields)
    assert asked.status_code == 409
    assert "One more check: is it you?" in words_of(asked)
    assert cast.membership("member").roles == ("member",)

    proven = browser.sign_in("claire@dumas.example", PASSWORD, then="member")
    assert browser.get(proven.location).location == path
    page = browser.get(path)
    assert page.text.count("checked") == 2
    assert "nothing is saved yet" in words_of(page)
    assert browser.post(f"{path}/role", **fields).status_code == 303
    assert cast.membership("member").roles == ("admin", "finance")
    assert "nothing is saved yet" not in words_of(browser.get(path))


def test_without_a_page_to_go_back_to_one_comes_to_the_users(cast: Cast) -> None:
    assert cast.browser("owner").get("/members").location == "/users"


def test_who_gives_up_their_own_right_is_not_sent_back_to_the_page(cast: Cast) -> None:
    make_member("second@dumas.example", cast.organisation, is_owner=True)
    browser = cast.browser("owner")

    answer = browser.post(path_of(cast, "owner", "/role"), seen="owner")

    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/", follow_redirects=True).status_code == 200


def test_the_last_owner_reads_what_to_do(cast: Cast) -> None:
    browser = cast.browser("owner")
    assert "An organisation needs an owner" in words_of(browser.get(path_of(cast, "owner")))

    answer = browser.post(path_of(cast, "owner", "/role"), role="admin", seen="owner")
    assert answer.status_code == 409
    assert "Make somebody else an owner first." in words_of(answer)
    out = browser.get("/account/departure")
    assert "Hand the ownership over to somebody else first" in words_of(out)
    assert 'action="/account/departure"' not in out.text


def test_handing_over_leaves_an_administrator(cast: Cast) -> None:
    browser = cast.browser("owner")

    answer = browser.post(path_of(cast, "admin", "/ownership"), seen="admin")

    page = browser.get(answer.location)
    assert "You are now an administrator, with finance." in words_of(page)
    assert cast.membership("owner").roles == ("admin", "finance")
    assert cast.membership("admin").roles == ("owner",)


def test_without_a_free_licence_the_page_says_so(cast: Cast) -> None:
    Account.update(seats=0).where(Account.id == cast.organisation.id).execute()

    answer = cast.browser("admin").post(
        path_of(cast, "member", "/licence"), licence="licensed", seen="basic"
    )

    assert answer.status_code == 409
    assert "all licences are in use" in words_of(answer)


def test_a_removed_member_is_off_the_list_and_their_page_says_so(cast: Cast) -> None:
    browser, path = cast.browser("admin"), path_of(cast, "member")

    answer = browser.post(f"{path}/removal", seen="member")

    assert (answer.status_code, answer.location) == (303, "/users")
    assert "Paul is no longer a member" in words_of(browser.get("/users"))
    assert "paul@dumas.example" not in words_of(browser.get("/users"))
    for again in (browser.get(path), browser.post(f"{path}/removal", seen="member")):
        assert again.status_code == 410
        assert "No longer a member" in words_of(again)
        assert "Paul" not in words_of(again)


def test_the_removed_person_reads_what_they_own_now(cast: Cast) -> None:
    cast.browser("admin").post(path_of(cast, "member", "/removal"), seen="member")

    words = words_of(cast.browser("member").get("/account"))

    assert "You are no longer a member of Atelier Dumas" in words
    assert "You now own this free account" in words
    assert "A free account of your own" in words


def test_leaving_says_what_is_left_and_does_it(app: Flask, day: Any) -> None:
    user = make_person()
    User.update(locale="en").execute()
    acceptance = join(user, make_owned(), "credit")
    browser = Browser(app).sign_in_as(user)
    assert 'href="/account/departure"' in browser.get("/account").text
    page = browser.get("/account/departure")
    assert "The credit that you gave to Atelier Dumas stays there." in words_of(page)
    assert "undo joining instead" in words_of(page)
    assert field_of(page, "seen") == str(acceptance.membership_id)

    answer = browser.post("/account/departure", seen=field_of(page, "seen"))

    assert (answer.status_code, answer.location) == (303, "/account")
    words = words_of(browser.get("/account"))
    assert "You have left Atelier Dumas." in words
    assert "you can still undo joining" in words
    assert browser.get("/account/departure").status_code == 404
    result = words_of(browser.get("/join"))
    assert "You joined Atelier Dumas" in result
    assert browser.post("/join/undo").status_code == 303
    assert "no longer a member" not in words_of(browser.get("/account"))


def test_what_was_left_long_ago_is_told_no_more(cast: Cast, day: Any) -> None:
    assert "no longer a member" in words_of(cast.browser("removed member").get("/account"))
    day.shift(timedelta(days=31))
    assert "no longer a member" not in words_of(cast.browser("removed member").get("/account"))


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30, "\u0663"])
def test_a_broken_way_out_leads_nowhere(cast: Cast, seen: str) -> None:
    assert cast.browser("member").post("/account/departure", seen=seen).status_code == 409
    assert cast.membership("member").account_id == cast.organisation.id
