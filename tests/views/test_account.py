"""One's own account: what it shows to whom, and what people change about themselves."""

from tests.client import Browser, field_of, words_of
from tests.people import Cast, make_paying, membership_of
from webapp.actions import invoices
from webapp.models import SignInCode, User


def test_a_person_sees_their_plan_and_what_they_owe(cast: Cast) -> None:
    user = make_paying("plan@example.org")
    account = membership_of(user).account
    invoices.add(
        account, "F-9", issued_on=None, due_on=None, total_minor=1250, pay_url="https://pay.example"
    )

    page = Browser(cast.app).sign_in_as(user).get("/account")

    assert "F-9" in words_of(page)
    assert "€12.50" in words_of(page)
    assert 'href="https://pay.example"' in page.text
    assert "2026" in words_of(page)


def test_what_a_person_is_paying_already_has_no_link_to_pay(cast: Cast) -> None:
    user = make_paying("plan@example.org")
    account = membership_of(user).account
    url = "https://pay.example/F-9"
    invoices.add(account, "F-9", issued_on=None, due_on=None, total_minor=1250, pay_url=url)
    invoices.note_being_paid(account, ["F-9"])

    page = Browser(cast.app).sign_in_as(user).get("/account")

    assert "Your payment for invoice F-9 is under way" in words_of(page)
    assert url not in page.text


def test_a_member_sees_the_organisation_and_nothing_it_owes(cast: Cast) -> None:
    invoices.add(cast.organisation, "O-1", issued_on=None, due_on=None, total_minor=99_900)

    words = words_of(cast.browser("member").get("/account"))

    assert "Atelier Dumas" in words
    assert "O-1" not in words
    assert "999" not in words


def test_nobody_elses_account_is_ever_shown(cast: Cast) -> None:
    for role in cast.users:
        page = cast.browser(role).get("/account").text
        others = {user.email for other, user in cast.users.items() if other != role}
        assert cast.users[role].email in page
        assert not [email for email in others if email in page], role


def test_a_name_is_cleaned_and_found_by(cast: Cast) -> None:
    browser = cast.browser("member")

    answer = browser.post("/account", name="  Élodie\t\u202eŒuvrard\x00 ")

    assert (answer.status_code, answer.location) == (303, "/account")
    user = User.get_by_id(cast.users["member"].id)
    assert (user.name, user.folded) == ("Élodie Œuvrard", "elodie oeuvrard paul@dumas.example")
    assert "Élodie Œuvrard" in cast.browser("owner").get("/users?q=oeuvrard").text


def test_a_name_may_be_taken_away_again(cast: Cast) -> None:
    browser = cast.browser("member")
    browser.post("/account", name="")

    assert User.get_by_id(cast.users["member"].id).shown_name == "paul@dumas.example"
    assert browser.get("/account").status_code == 200


def test_nobody_changes_more_than_their_own_name(cast: Cast) -> None:
    before = User.get_by_id(cast.users["owner"].id)

    cast.browser("member").post(
        "/account", name="Paul", email="root@dumas.example", id=str(before.id), is_owner="true",
        password_hash="x", locale="xx",
    )  # fmt: skip

    user = User.get_by_id(cast.users["member"].id)
    assert (user.email, user.name, user.locale) == ("paul@dumas.example", "Paul", "en")
    assert user.password_hash == cast.users["member"].password_hash
    assert membership_of(user).roles == ("member",)
    assert User.get_by_id(before.id).name == before.name


def test_the_code_for_a_password_goes_to_ones_own_address(cast: Cast) -> None:
    page = cast.browser("member").post("/account/password/code", email="claire@dumas.example")

    assert page.status_code == 200
    code = SignInCode.get()
    assert (code.email, code.purpose) == ("paul@dumas.example", "password")
    assert field_of(page, "csrf_token")


def test_the_password_field_keeps_nothing_of_what_was_typed(cast: Cast) -> None:
    browser = cast.browser("member")
    browser.post("/account/password/code")

    page = browser.post("/account/password", code="000000", password="a secret I just typed")

    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text
    assert "a secret I just typed" not in page.text


def test_the_language_is_the_persons_from_then_on(cast: Cast) -> None:
    browser = cast.browser("member")

    answer = browser.client.post(
        "/language",
        data={"csrf_token": browser.csrf(), "locale": "fr"},
        headers={"Referer": "http://localhost/account?x=1"},
    )

    assert (answer.status_code, answer.location) == (303, "/account?x=1")
    assert '<html lang="fr"' in browser.get("/account").text
    assert '<html lang="fr"' in cast.browser("member").get("/account").text


LANGUAGES = (
    ("fr-CA,en;q=0.5", "fr"),
    ("en-GB,en;q=0.9,fr;q=0.8", "en"),
    ("de-DE,de;q=0.9,en;q=0.1", "en"),
    ("fr;q=0,en", "en"),
    ("de", "fr"),
    ("*", "fr"),
    ("", "fr"),
    (";;q=é,,", "fr"),
)


def test_a_visitors_language_is_the_browsers_until_they_choose(cast: Cast) -> None:
    for asked, locale in LANGUAGES:
        browser = Browser(cast.app, language=asked)
        assert f'<html lang="{locale}"' in browser.get("/sign-in").text, asked
        browser.post("/language", locale="en")
        assert '<html lang="en"' in browser.get("/sign-in").text
