"""A file of people, as pages: taking in, columns, rows, progress, results."""

import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, render_template_string
from werkzeug.test import TestResponse

from tests.client import Browser, words_of
from tests.effects import carry_out
from tests.people import Cast
from webapp.actions import accounts, uploads
from webapp.i18n import ngettext
from webapp.models import Invitation, Upload, UploadRow

PEOPLE = (
    "Email,First Name,Last Name,Department,Manager,User Group,Job Title,Location\n"
    "anna@new.example,Anna,Roy,Ventes,,,,\nbad@,Bo,,,,,,\nzoe@example.org,Zoé,,,,,,\n"
)


@pytest.fixture
def owner(cast: Cast) -> Browser:
    return cast.browser("owner")


def send_file(browser: Browser, content: str | bytes, **fields: str) -> TestResponse:
    data = content.encode() if isinstance(content, str) else content
    return browser.client.post(
        "/uploads",
        data={"csrf_token": browser.csrf(), "file": (BytesIO(data), "people.csv"), **fields},
        headers={"Accept-Language": "en"},
    )


def draft(browser: Browser, content: str = PEOPLE, **fields: str) -> str:
    answer = send_file(browser, content, **fields)
    assert answer.status_code == 303
    return str(answer.location)


def test_a_file_is_shown_row_by_row_before_anything_is_sent(owner: Browser) -> None:
    path = draft(owner)
    words = words_of(owner.get(f"{path}?verdict=all"))

    assert "1 address is ready. Nothing has been sent yet." in words
    for said in ("anna@new.example", "Anna Roy", "Not an address", "Already invited"):
        assert said in words
    assert Invitation.select().count() == 2


def test_what_has_to_be_mended_comes_first(owner: Browser) -> None:
    page = owner.get(draft(owner))

    assert 'value="bad@"' in page.text
    assert "anna@new.example" not in words_of(page)


def test_a_row_is_mended_in_place(owner: Browser) -> None:
    path = draft(owner)
    row = UploadRow.get(UploadRow.email == "bad@")

    answer = owner.post(f"{path}/rows/{row.id}", htmx=True, email="bo@new.example")
    assert f'hx-target="#verdict-{row.id}"' in answer.text
    assert "2 addresses are ready" in words_of(answer)
    assert owner.post(f"{path}/rows/{row.id}", email="bo@").status_code == 303


def test_confirming_once_sends_in_the_background(owner: Browser) -> None:
    path = draft(owner)

    assert owner.post(f"{path}/confirmation").status_code == 303
    assert "0 of 1 invitation sent" in words_of(owner.get(path))
    assert "0 of 1 invitation sent" in words_of(owner.get("/users"))
    carry_out("upload:send")
    words = words_of(owner.get(path))
    assert "1 of 1 invitation sent" in words
    assert "Finished." in words
    assert "people.csv" not in words_of(owner.get("/users"))
    again = owner.post(f"{path}/confirmation")
    assert again.status_code == 409
    assert "Nothing was done" in words_of(again)


def test_the_progress_costs_a_304_until_it_moves(owner: Browser) -> None:
    path = draft(owner)
    owner.post(f"{path}/confirmation")
    first = owner.get(f"{path}/progress")
    headers = {"If-None-Match": first.headers["ETag"]}

    assert owner.get(f"{path}/progress", headers=headers).status_code == 304
    assert "data-poll" in first.text
    carry_out("upload:send")
    last = owner.get(f"{path}/progress", headers=headers)
    assert last.status_code == 200
    assert "data-poll" not in last.text


def test_the_dates_of_what_is_over_the_limit_are_shown_before_confirming(
    cast: Cast, owner: Browser
) -> None:
    accounts.update_organisation(cast.organisation.public_id, per_day=3)
    path = draft(owner, "Email\n" + "\n".join(f"p{at}@new.example" for at in range(7)))
    words = words_of(owner.get(path))

    assert "2 go out at once" in words
    for moment in ("3 on 24 November 2026 at 10:15", "2 on 25 November 2026"):
        assert moment in words
    owner.post(f"{path}/confirmation")
    carry_out("upload:send")
    assert "Today’s limit is reached" in words_of(owner.get(path))


def test_too_few_licences_are_said_before_confirming(cast: Cast, owner: Browser) -> None:
    accounts.update_organisation(cast.organisation.public_id, seats=0)

    assert "0 licences are free, and 1 people" in words_of(
        owner.get(draft(owner, licence="licensed"))
    )


def test_results_are_one_line_a_row_and_no_formula(owner: Browser) -> None:
    path = draft(owner, 'Email,Name\nanna@new.example,"=HYPERLINK(1)"\n@bad,+1\n')
    owner.post(f"{path}/confirmation")
    carry_out("upload:send")

    answer = owner.get(f"{path}/rows.csv")
    assert answer.mimetype == "text/csv"
    assert answer.data.decode("utf-8-sig").splitlines() == [
        "Row,Email,Name,Department,Result",
        "2,anna@new.example,'=HYPERLINK(1),,Sent",
        "3,'@bad,'+1,,Not an address",
    ]
    failed = owner.get(f"{path}/rows.csv?only=failed").data.decode("utf-8-sig").splitlines()
    assert len(failed) == 2


def test_rows_go_on_by_key(owner: Browser) -> None:
    path = draft(owner, "Email\n" + "\n".join(f"p{at:03}@new.example" for at in range(120)))
    page = owner.get(path)
    assert words_of(page).count("@new.example") == 50
    more = owner.get(f"{path}?verdict=all&after=51", htmx=True)
    assert "p050@new.example" in words_of(more)
    assert "p049@new.example" not in words_of(more)


def test_the_columns_are_asked_for_where_no_heading_is_known(owner: Browser) -> None:
    path = draft(owner, "Kontakt;Wer\nanna@new.example;Anna\n")
    page = owner.get(path)
    assert "Which column holds what?" in words_of(page)
    assert "anna@new.example" in page.text
    assert owner.post(f"{path}/columns", name="1").status_code == 422
    assert owner.post(f"{path}/columns", email="0", name="1").status_code == 303
    assert "1 address is ready" in words_of(owner.get(path))


@pytest.mark.parametrize("chosen", ["9", "-1", "x", "99999999999", "²"])
def test_a_column_that_is_none_ends_in_no_error(owner: Browser, chosen: str) -> None:
    path = draft(owner, "Kontakt;Wer\nanna@new.example;Anna\n")

    assert owner.post(f"{path}/columns", email=chosen).status_code in (303, 422)
    assert owner.get(path).status_code == 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04", "Save it there as CSV"),
        (b"", "nobody in this file"),
        (b"Email\n", "nobody in this file"),
        (b"\x00\x01\x02\x03", "not a text file"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(
    owner: Browser, content: bytes, said: str
) -> None:
    answer = send_file(owner, content, note="kept words")

    assert answer.status_code == 422
    assert said in words_of(answer)
    assert "kept words" in answer.text
    assert Upload.select().count() == 0


def test_a_file_that_is_too_large_says_so(owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 100)

    answer = send_file(owner, "Email\n" + "x@y.example\n" * 20)
    assert answer.status_code == 422
    assert "larger than 20 MB" in words_of(answer)


def test_stopping_leaves_the_rest_unsent(cast: Cast, owner: Browser, day: Any) -> None:
    accounts.update_organisation(cast.organisation.public_id, per_day=2)
    path = draft(owner, "Email\n" + "\n".join(f"p{at}@new.example" for at in range(5)))
    owner.post(f"{path}/confirmation")
    carry_out("upload:send")
    assert owner.post(f"{path}/cancellation").status_code == 303
    day.shift(timedelta(days=3))
    carry_out("upload:send")

    words = words_of(owner.get(path))
    assert "4 invitations were not sent" in words
    assert "add the same file again" in words
    assert "Not sent" in owner.get(f"{path}/rows.csv").text
    assert Invitation.select().where(Invitation.email.contains("new.example")).count() == 1


def test_a_draft_that_is_given_up_is_gone(owner: Browser) -> None:
    path = draft(owner)

    assert owner.post(f"{path}/cancellation").location == "/users"
    assert owner.get(path).status_code == 404


def test_the_template_has_headings_that_are_recognised(cast: Cast) -> None:
    for language in ("en", "fr"):
        browser = cast.browser("owner")
        browser.post("/language", locale=language)
        heading = browser.get("/uploads/template.csv").text
        path = draft(browser, heading.rstrip() + "\r\nanna@new.example\r\n")
        assert "?" not in path
        assert Upload.get().total == 1
        assert len(Upload.get().columns) == 9


def test_the_letter_is_shown_in_each_language_of_the_file(owner: Browser) -> None:
    path = draft(owner, "Email,Language\na@new.example,fr\nb@new.example,en\n", note="Hello you")
    page = owner.get(f"{path}/letter")

    assert 'lang="fr"' in page.text
    assert 'lang="en"' in page.text
    assert page.text.count("Hello you") == 4


@pytest.mark.parametrize(
    ("language", "said"), [("en", "12,345 rows"), ("fr", "12\u202f345 lignes")]
)
def test_large_numbers_are_grouped_as_the_reader_does(app: Flask, language: str, said: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert ngettext("%(num)d row", "%(num)d rows", 12_345) == said
        template = '{{ ngettext("%(num)d row", "%(num)d rows", 12345) }}'
        assert render_template_string(template) == said


def test_the_rows_and_the_numbers_of_the_tabs_move_with_the_progress(owner: Browser) -> None:
    path = draft(owner, "Email\n" + "\n".join(f"p{at:03}@new.example" for at in range(120)))
    assert "upload:moved" not in owner.get(path).text
    owner.post(f"{path}/confirmation")
    assert f'hx-get="{path}?verdict=all&amp;after=0&amp;until=51"' in owner.get(path).text

    carry_out("upload:send")
    moved = owner.get(f"{path}/progress")
    assert moved.headers["HX-Trigger"] == "upload:moved"
    known = {"If-None-Match": moved.headers["ETag"]}
    assert "HX-Trigger" not in owner.get(f"{path}/progress", headers=known).headers
    first = owner.get(f"{path}?verdict=all&after=0&until=51", htmx=True)
    assert targets_of(first.text) == ["#rows", "#tabs"]
    assert first.text.count('id="row-') == 50
    assert "All rows 120 Sent 120" in words_of(first)
    assert "Ready" not in words_of(first)
    last = owner.get(f"{path}?verdict=all&after=101&until=0", htmx=True).text
    assert targets_of(last) == ["#rows-101", "#tabs", "#more"]
    assert last.count('id="row-') == 20
    assert "upload:moved" not in last


def test_rows_that_come_to_a_tab_that_was_empty_have_a_way_on(owner: Browser) -> None:
    path = draft(owner, "Email\n" + "\n".join(f"p{at:03}@new.example" for at in range(60)))
    owner.post(f"{path}/confirmation")
    assert f"{path}?verdict=sent&amp;after=0&amp;until=0" in owner.get(f"{path}?verdict=sent").text
    carry_out("upload:send")

    came = owner.get(f"{path}?verdict=sent&after=0&until=0", htmx=True).text
    assert came.count('id="row-') == 50
    assert f"{path}?verdict=sent&amp;after=51" in came


def targets_of(answer: str) -> list[str]:
    return re.findall(r'hx-target="(#[^"]+)"', answer)
