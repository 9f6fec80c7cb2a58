"""Delivery reports as mail servers write them, and as nobody should."""

import base64
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.people import Cast, make_cast
from tests.snapshots import everything
from webapp import clock, mailer
from webapp.actions import bounces, invitations
from webapp.errors import Invalid
from webapp.imports import delivery_reports
from webapp.models import DeliveryEvent, Invitation, OutboxMessage
from webapp.policy import policy

REPORTS = Path(__file__).parent.parent / "reports"
SAID = {
    "postfix": "550 5.1.1 <zoe@example.org>: Recipient address rejected: User unknown in virtual"
    " mailbox table",
    "exim": "550 5.7.1 Recipient not authorized, your IP has been found on a block list",
    "exim_in_prose": "550 No such person at this address",
    "exchange_online": "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient zoe@example.org not"
    " found by SMTP address lookup",
    "gmail": "550-5.1.1 The email account that you tried to reach does not exist. Please try"
    " 550-5.1.1 double-checking the recipient's email address for typos or 550 5.1.1 unnecessary"
    " spaces.",
    "qmail": "192.0.2.25 does not like recipient. Remote host said: 550 sorry, no mailbox here by"
    " that name Giving up on 192.0.2.25.",
}


@pytest.fixture
def cast(app: Flask, day: Any) -> Cast:
    """Zoe's and Max's invitations were mailed."""
    cast = make_cast(app)
    OutboxMessage.update(left_at=clock.now()).execute()
    Invitation.update(delivery="sent").execute()
    return cast


def mail_of(invitation: Invitation) -> OutboxMessage:
    found: OutboxMessage = (
        OutboxMessage.select()
        .where(OutboxMessage.invitation == invitation)
        .order_by(OutboxMessage.id.desc())
        .get()
    )
    return found


def report(name: str, message: OutboxMessage | None) -> bytes:
    """As it comes from that server, about our mail; about a foreign one when None."""
    id = "<foreign@example.net>" if message is None else mailer.address_of(message.id, policy())
    return (REPORTS / f"{name}.eml").read_text().replace("MESSAGE-ID", id).encode()


def take_in(content: bytes) -> bounces.Taken:
    return bounces.take_in(delivery_reports.read(content))


def fresh(invitation: Invitation) -> Invitation:
    found: Invitation = Invitation.get_by_id(invitation.id)
    return found


@pytest.mark.parametrize("server", SAID)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_mail_that_came_back_is_told_in_the_servers_words(
    cast: Cast, server: str, ends: str
) -> None:
    content = report(server, mail_of(cast.invitation)).replace(b"\n", ends.encode())

    taken = take_in(content)

    assert (taken.kind, taken.words, taken.is_new) == ("bounced", SAID[server], True)
    told = fresh(cast.invitation)
    assert (told.delivery, told.delivery_note) == ("refused", SAID[server])
    assert told.shown_status(clock.now()) == "refused"
    [event] = DeliveryEvent.select()
    assert (event.invitation_id, event.kind, event.at) == (told.id, "bounced", clock.now())
    assert fresh(cast.foreign_invitation).delivery == "sent"


@pytest.mark.parametrize("server", SAID)
def test_without_our_id_the_recipients_latest_mail_is_meant(
    cast: Cast, server: str, day: Any
) -> None:
    day.shift(timedelta(days=6))

    assert take_in(report(server, None)).message == mail_of(cast.invitation)


def test_an_old_mail_is_not_taken_for_the_one_reported(cast: Cast, day: Any) -> None:
    day.shift(timedelta(days=8))

    with pytest.raises(Invalid, match="report_unknown"):
        take_in(report("postfix", None))


def test_the_id_counts_before_the_address(cast: Cast) -> None:
    """Zoe's address may pass her mail on to another one."""
    content = report("postfix", mail_of(cast.foreign_invitation))

    assert take_in(content).message.invitation_id == cast.foreign_invitation.id


def test_the_id_of_another_installation_is_not_ours(cast: Cast) -> None:
    content = report("postfix", mail_of(cast.foreign_invitation)).replace(
        b"@127.0.0.1>", b"@elsewhere.example>"
    )

    assert take_in(content).message.invitation_id == cast.invitation.id


def test_the_same_report_again_changes_nothing(cast: Cast) -> None:
    content = report("postfix", mail_of(cast.invitation))
    take_in(content)
    before = everything()

    assert not take_in(content).is_new
    assert everything() == before


def test_a_delay_is_told_and_leaves_the_invitation_as_it_is(cast: Cast) -> None:
    taken = take_in(report("postfix_delayed", mail_of(cast.invitation)))

    assert taken.kind == "delayed"
    assert taken.words == "connect to mx.example.org[192.0.2.25]:25: Connection timed out"
    assert fresh(cast.invitation).delivery == "sent"
    assert take_in(report("postfix", mail_of(cast.invitation))).is_new, "and then it came back"
    assert fresh(cast.invitation).delivery == "refused"


def test_a_report_about_an_older_mail_says_nothing_of_the_newer_one(cast: Cast) -> None:
    old = mail_of(cast.invitation)
    invitations.resend(cast.membership("admin"), cast.invitation.id)

    assert take_in(report("postfix", old)).is_new
    assert fresh(cast.invitation).delivery == "queued"


def test_good_news_and_news_of_other_mails_are_not_noted(cast: Cast) -> None:
    relayed = report("postfix", mail_of(cast.invitation)).replace(b"failed", b"relayed")
    other = OutboxMessage.create(
        kind="mail:accepted", payload={}, created_at=clock.now(), leaves_at=clock.now()
    )
    before = everything()

    assert take_in(relayed).kind == ""
    with pytest.raises(Invalid, match="report_other"):
        take_in(report("postfix", other))
    assert everything() == before


def test_a_status_part_that_was_encoded_is_read(cast: Cast) -> None:
    content = report("exchange_online", mail_of(cast.invitation)).decode()
    status = re.search(r"(?s)(?<=delivery-status\n\n).*?(?=\n--)", content)
    assert status is not None
    encoded = base64.encodebytes(status[0].encode()).decode()
    content = content.replace("delivery-status\n\n" + status[0], f"STATUS\n\n{encoded}")
    content = content.replace(
        "message/STATUS", "message/delivery-status\nContent-Transfer-Encoding: base64"
    )

    assert take_in(content.encode()).words == SAID["exchange_online"]


NESTED = "".join(
    f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(3000)
).encode()
HOSTILE = {
    "nothing": b"",
    "no mail": b"\x00\xff\xfe" * 5000,
    "an answer of a person": b"From: a@example.org\n\n550 5.1.1 no such user\n",
    "an out of office notice": (REPORTS / "out_of_office.eml").read_bytes(),
    "nested without end": NESTED,
    "no recipient": b"Content-Type: message/delivery-status\n\nAction: failed\n\nStatus: 5.1.1\n",
    "a charset that there is not": b"X-Failed-Recipients: \xff\nContent-Type: text/plain;"
    b" charset=nonsense\n\n\xff",
    "too large": b"Subject: x\n\n" + b"x" * delivery_reports.MOST,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_report_is_refused_and_changes_nothing(cast: Cast, kind: str) -> None:
    before = everything()

    with pytest.raises(Invalid, match="report"):
        take_in(HOSTILE[kind])

    assert everything() == before


def test_hostile_words_are_cut_and_cleaned(cast: Cast) -> None:
    evil = "550 \x1b[31m<script>alert(1)</script>\u202e https://evil.example/" + "A" * 9000
    content = report("postfix", mail_of(cast.invitation)).decode()
    said = re.search(
        r"550 5\.1\.1 <zoe@example\.org>: Recipient address rejected:\s+User.*", content
    )
    assert said is not None

    words = take_in(content.replace(said[0], evil).encode()).words

    assert words.startswith("550 [31m<script>")
    assert len(words) == delivery_reports.WORDS_MOST
    assert not set("\x1b\u202e\n") & set(words)


def test_hostile_sizes_are_read_quickly() -> None:
    began = time.monotonic()
    for big in (
        b"Final-Recipient: rfc822; a@example.org\n" * 100_000,
        b"References: " + b"<a@b> " * 500_000 + b"\n\n",
        b"Content-Type: multipart/report; " + b'a="' * 200_000 + b"\n\n",
        b"X-Failed-Recipients: " + b"a@example.org," * 200_000 + b"\n\n" + b"5.5.5" * 100_000,
        b"\n\n" + b"Hi. This is the qmail-send\n\n" + b"<a@b>:\nx\n" * 300_000,
        b"Content-Type: message/delivery-status\n\n"
        + b"Final-Recipient: a@example.org\n\n" * 50_000,
    ):
        try:
            delivery_reports.read(big)
        except Invalid:
            continue
    assert time.monotonic() - began < 30


def test_the_command_says_what_it_noted_and_refuses_with_a_sentence(cast: Cast) -> None:
    def piped(content: bytes) -> tuple[int, str, str]:
        result = cast.app.test_cli_runner().invoke(args=["bounce"], input=content)
        return result.exit_code, result.stdout, result.stderr

    message = mail_of(cast.invitation)
    about = f"mail {message.id}, invitation {cast.invitation.id}"

    assert piped(report("exim", message)) == (0, f"bounced: {about}: {SAID['exim']}\n", "")
    assert piped(report("exim", message)) == (0, f"known already: {about}\n", "")
    assert piped(b"hello") == (1, "", "Error: This is no delivery report.\n")
    assert piped(HOSTILE["too large"]) == (1, "", "Error: The report is larger than 5 MB.\n")
    unknown = report("exim", None).replace(b"zoe@", b"yan@")
    assert piped(unknown) == (1, "", "Error: The report is about no mail that left here lately.\n")
