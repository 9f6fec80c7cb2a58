"""Nothing that a stranger or an admin is shown says whether an address is known here: status and
body are compared byte for byte, but for the address itself and what is another one each time."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import Browser
from tests.money import make_organisation
from tests.people import (
    Cast,
    invite,
    make_cast,
    make_individual,
    make_member,
    make_paying,
    on_the_day,
)

# Of the same length, so that nothing but knowing them tells them apart. Two have an account, one of
# them with a plan and an invitation from elsewhere; the last has neither.
FREE, PAYING, UNKNOWN = "know1@example.org", "know2@example.org", "know3@example.org"
NONCES = re.compile(
    r'name="csrf_token" value="[^"]*"|"X-CSRFToken": "[^"]*"|data-challenge="[^"]*"'
    r'|name="challenge" value="[^"]*"|"If-None-Match": "[^}]*"'
)
# The rows' own numbers, in ids and addresses.
NUMBERS = re.compile(r'(?<=[-/"])\d+(?=["/])')


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with on_the_day():
        yield


@pytest.fixture
def cast(app: Flask) -> Cast:
    cast = make_cast(app)
    make_individual(FREE)
    make_paying(PAYING)
    invite(cast.users["foreign owner"], PAYING)
    return cast


def plain(response: TestResponse, email: str) -> tuple[int, str, list[str]]:
    """What is told, the address and what is random apart."""
    name = email.partition("@")[0]
    body = NUMBERS.sub("N", NONCES.sub("", response.text.replace("<wbr>", "")))
    body = body.replace(email, "ADDRESS").replace(name.title(), "NAME")
    headers = [name for name, _ in response.headers if name != "Set-Cookie"]
    return response.status_code, body, headers


Ask = Callable[[Cast, str], TestResponse]


def by_password(cast: Cast, email: str) -> TestResponse:
    return Browser(cast.app).sign_in(email, "not the password of anybody")


def by_password_too_often(cast: Cast, email: str) -> TestResponse:
    browser = Browser(cast.app)
    answers = [browser.sign_in(email, "wrong") for _ in range(11)]
    assert answers[-1].status_code == 429
    return answers[-1]


def for_code(cast: Cast, email: str) -> TestResponse:
    """Which is also how a forgotten password is reset."""
    return Browser(cast.app).post("/sign-in/code", email=email)


def for_code_too_often(cast: Cast, email: str) -> TestResponse:
    answers = [for_code(cast, email) for _ in range(7)]
    assert answers[-1].status_code == 429
    return answers[-1]


def with_wrong_code(cast: Cast, email: str) -> TestResponse:
    browser = Browser(cast.app)
    browser.post("/sign-in/code", email=email)
    return browser.post("/sign-in/code", code="not it")


def in_preview(cast: Cast, email: str) -> TestResponse:
    return cast.browser("admin").post("/invitations/preview", emails=f"{email} bad@")


def in_inviting(cast: Cast, email: str) -> TestResponse:
    """Each time in an organisation that has invited nobody yet."""
    owner = make_member(f"owner-of-{email}", make_organisation("Maison Roux"), is_owner=True)
    browser = Browser(cast.app).sign_in_as(owner)
    return browser.post("/invitations", htmx=True, emails=email)


@pytest.mark.parametrize(
    "ask",
    [
        by_password, by_password_too_often, for_code, for_code_too_often, with_wrong_code,
        in_preview, in_inviting,
    ],
)  # fmt: skip
def test_the_answer_is_the_same_for_every_address(cast: Cast, ask: Ask) -> None:
    answers = [plain(ask(cast, email), email) for email in (FREE, PAYING, UNKNOWN)]

    assert answers[0][0] in (200, 422, 429)
    assert answers[0] == answers[1] == answers[2]
