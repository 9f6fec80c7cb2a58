"""Every page and every partial, in the states that people meet: shown, sound, in both languages."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import BaseLoader, Environment

from tests.client import Browser, field_of
from tests.markup import faults_of
from tests.people import invite, make_cast, make_paying, membership_of
from tests.tour import Tour, go_everywhere
from webapp.actions import billing, invoices, statement_list
from webapp.models import Account, Invitation, User, people

ROOT = Path(__file__).resolve().parent.parent.parent / "webapp"
LOCALES = ("en", "fr")


class Seen(BaseLoader):
    """The app's own loader, which remembers what it was asked for."""

    def __init__(self, loader: BaseLoader) -> None:
        self.loader = loader
        self.names: set[str] = set()

    def get_source(self, environment: Environment, template: str) -> Any:
        self.names.add(template)
        return self.loader.get_source(environment, template)


@pytest.fixture(params=LOCALES)
def tour(
    app: Flask, request: pytest.FixtureRequest, day: Any, monkeypatch: pytest.MonkeyPatch
) -> Tour:
    monkeypatch.setattr(people, "PAGE", 4)
    monkeypatch.setattr(statement_list, "AT_ONCE", 2)
    monkeypatch.setattr(billing, "AT_ONCE", 2)
    loader = app.jinja_env.loader
    assert loader is not None
    app.jinja_env.loader = Seen(loader)
    cast = make_cast(app)
    User.update(locale=request.param).execute()
    return Tour(cast, request.param, day)


def test_every_page_and_partial_is_shown_and_sound(tour: Tour) -> None:
    go_everywhere(tour)

    statuses = {state: answer.status_code for state, (_, answer) in tour.answers.items()}
    assert statuses == {state: status for state, (status, _) in tour.answers.items()}
    faults = {state: faults_of(answer.text) for state, (_, answer) in tour.answers.items()}
    assert {state: found for state, found in faults.items() if found} == {}
    for state, (_, answer) in tour.answers.items():
        if "<html" in answer.text:
            assert f'<html lang="{tour.locale}"' in answer.text, state
    assert unseen(tour.cast.app) == set()


def unseen(app: Flask) -> set[str]:
    loader = app.jinja_env.loader
    assert isinstance(loader, Seen)
    kept = (ROOT / folder for folder in ("pages", "partials"))
    files = {str(path.relative_to(ROOT)) for folder in kept for path in folder.rglob("*.html")}
    return files - loader.names


HOSTILE = """"'><img src=x onerror=alert(1)></h1>{{7*7}}%(x)s</script><b style="x">"""


def test_what_people_write_stays_text(tour: Tour) -> None:
    """Whatever stands in a name, a note or a number, pages stay as sound as they were."""
    cast = tour.cast
    Account.update(name=HOSTILE).execute()
    User.update(name=HOSTILE).execute()
    user = make_paying("victim@example.org", method=HOSTILE, invoice_number=HOSTILE)
    invoices.add(membership_of(user).account, HOSTILE, issued_on=None, due_on=None, total_minor=100)
    invitation = invite(
        cast.users["owner"], user.email, name=HOSTILE, note=HOSTILE, department=HOSTILE,
        job_title=HOSTILE,
    )  # fmt: skip
    browser = tour.as_user(user, invitation)
    answers = [browser.get("/join"), browser.get("/account")]
    invoices.mark_paid(membership_of(user).account, HOSTILE)
    form = {"choice": HOSTILE, "quote": field_of(browser.get("/join"), "quote")}
    answers.append(browser.post("/join/acceptance", **form))
    browser.post("/join/acceptance", **{**form, "choice": "refund"})
    answers += [browser.get("/join"), browser.get("/statements")]
    cast.browser("link holder").post("/join/decline", reason=HOSTILE)
    Invitation.update(delivery="refused", delivery_note=HOSTILE).execute()
    owner = tour.browser("owner")
    fields = {"emails": f"{HOSTILE}, <{HOSTILE}> x@example.org", "note": HOSTILE, "role": HOSTILE}
    answers += [
        owner.get("/users", query_string={"q": HOSTILE, "after": HOSTILE}),
        owner.get("/users"),
        owner.get("/users?status=declined", htmx=True),
        owner.post("/invitations", **fields),
        owner.post("/invitations", **{**fields, "role": "member"}),
        owner.get("/billing"),
        owner.get("/statements", query_string={"q": HOSTILE, "from": HOSTILE, "kind": HOSTILE}),
        tour.browser("operator").get("/statements"),
        Browser(cast.app, tour.locale).sign_in(HOSTILE, HOSTILE, then=HOSTILE),
        Browser(cast.app, tour.locale).post("/sign-in/code", email="a@b.example", name=HOSTILE),
    ]

    for answer in answers:
        assert answer.status_code in (200, 404, 422), answer.request.path
        assert "<img" not in answer.text
        sound = answer.text.replace("%(x)s", "")
        assert faults_of(sound) == [], answer.request.path


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<p>a", "<p> is never closed"),
        ("<p><b>a</p></b>", "</p> closes ['b']"),
        ('<p id="a"></p><p id="a"></p>', "the id a is there 2 times"),
        ('<p style="x">a</p>', "<p style> that the policy forbids"),
        ('<a href="javascript:x">a</a>', "<a href> that the policy forbids"),
        ('<form method="post" action="/x"></form>', "no CSRF field in the form to /x"),
        ('<form method="post"></form>', "a form to '' by 'post'"),
        ('<label for="a">a</label>', "for points at a, which is not there"),
        ("<td>None</td>", "'None' is no text for people"),
        ('<svg><use href="#nowhere"/></svg>', "no icon #nowhere"),
        ('<input name="q">', "no label for {'name': 'q'}"),
    ],
)
def test_what_is_wrong_is_found(html: str, fault: str) -> None:
    assert fault in faults_of(html)
