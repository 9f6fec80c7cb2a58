"""The mails of development, page by page."""

import re
from html import unescape

import pytest
from flask import Flask

from tests.money import ACCEPTED
from webapp.models import KeptMail
from webapp.views import dev_mail


def test_older_mails_are_on_the_pages_that_follow(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of one instant too, each once."""
    monkeypatch.setattr(dev_mail, "AT_ONCE", 2)
    for number in range(1, 6):
        KeptMail.create(
            message_id=str(number),
            recipient="a@example.org",
            subject=f"Mail {number}",
            content=b"",
            kept_at=ACCEPTED,
        )
    client, address, seen = app.test_client(), "/dev/mail", []
    while address:
        text = client.get(address).get_data(as_text=True)
        seen.append(re.findall(r"Mail [0-9]", text))
        more = re.search(r'href="([^"]*[?]after=[^"]*)"', text)
        address = unescape(more[1]) if more else ""

    assert seen == [["Mail 5", "Mail 4"], ["Mail 3", "Mail 2"], ["Mail 1"]]
    assert client.get("/dev/mail?after=x").status_code == 404
