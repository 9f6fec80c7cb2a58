"""Requests that no browser makes, each of which once ended in an error of ours."""

import pytest
from flask import Flask

from tests.client import Browser
from tests.people import make_cast

# None of this reaches the database.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

PART = b'--line\r\nContent-Disposition: form-data; name="%s"\r\n\r\nen\r\n'
END = b"--line--\r\n"


@pytest.mark.parametrize("body", [PART % b"x\r\ny", PART % b"x\r\ny" + PART % b"locale"])
def test_a_part_without_a_name_is_left_out(app: Flask, body: bytes) -> None:
    browser = Browser(app)
    said = {"X-CSRFToken": browser.csrf(), "Content-Type": "multipart/form-data; boundary=line"}

    plain = browser.client.post("/language", data=body + END, headers=said)
    unproven = browser.client.post("/language", data=body + END, content_type=said["Content-Type"])

    assert plain.status_code == (303 if b"locale" in body else 400)
    assert unproven.status_code == 400


@pytest.mark.parametrize("told", ["http://[", "http://[x]/users", "\xff", "//", ""])
def test_the_page_it_was_made_on_may_be_no_address(app: Flask, told: str) -> None:
    browser = make_cast(app).browser("owner")
    for header in ("HX-Current-URL", "Referer"):
        said = {"X-CSRFToken": browser.csrf(), header: told}
        chosen = browser.client.post("/language", data={"locale": "en"}, headers=said)
        sent = browser.client.post("/invitations", data={"emails": "bad@"}, headers=said)

        assert chosen.status_code == 303
        assert chosen.headers["Location"] in ("/", "/users", "/%C3%BF")
        assert sent.status_code == 200


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "\\\\evil.example/"])
def test_no_language_leads_to_another_site(app: Flask, path: str) -> None:
    browser = Browser(app)
    said = {"X-CSRFToken": browser.csrf(), "Referer": f"http://127.0.0.1:8000{path}"}

    to = browser.client.post("/language", data={"locale": "fr"}, headers=said).headers["Location"]

    assert to.startswith("/")
    assert not to.startswith(("//", "/\\\\"))


def test_another_host_is_refused_before_anything_else(app: Flask) -> None:
    for said in ({}, {"Sec-Fetch-Site": "cross-site"}):
        for host in ("evil.example", "\xff", "["):
            answer = Browser(app).client.post("/language", headers={"Host": host, **said})
            assert answer.status_code == 400
            assert "evil" not in answer.text
