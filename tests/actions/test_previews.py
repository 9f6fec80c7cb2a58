"""What would happen to each written address, before anything is sent (rule I3)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.people import Cast
from tests.snapshots import everything
from webapp import clock
from webapp.actions import previews
from webapp.actions.previews import Row, preview
from webapp.database import database
from webapp.errors import Invalid
from webapp.models import Account, Invitation


def verdicts(account: Account, text: str) -> list[tuple[str, str]]:
    return [(row.email or row.written, row.verdict) for row in preview(account, text).rows]


def test_each_row_has_its_verdict_in_the_order_it_was_written(cast: Cast) -> None:
    text = """
        New <new@example.org>; NEW@example.org, paul@dumas.example
        zoe@example.org nobody@ @example.org max@example.org"""

    assert verdicts(cast.organisation, text) == [
        ("new@example.org", "ready"),
        ("new@example.org", "repeated"),
        ("paul@dumas.example", "member"),
        ("zoe@example.org", "invited"),
        ("nobody@", "malformed"),
        ("@example.org", "malformed"),
        ("max@example.org", "ready"),
    ]


def test_only_this_organisations_own_list_counts(cast: Cast) -> None:
    """People with plans, members and invitees elsewhere look like anybody (rule I3)."""
    emails = [user.email for user in cast.users.values() if "dumas" not in user.email]
    others = [email for email in emails if email != "zoe@example.org"]

    assert len(others) > 4
    for email in (*others, "unknown@example.org"):
        assert verdicts(cast.organisation, email) == [(email, "ready")]


def test_the_pending_one_is_named_so_that_it_can_be_resent(cast: Cast) -> None:
    (row,) = preview(cast.organisation, "Zoe@Example.org").rows

    assert row.invitation_id == cast.invitation.id


def test_an_expired_one_is_still_to_be_resent_and_a_declined_one_is_not(cast: Cast) -> None:
    Invitation.update(expires_at=clock.now() - timedelta(days=1)).execute()
    assert verdicts(cast.organisation, "zoe@example.org") == [("zoe@example.org", "invited")]
    Invitation.update(status="declined", answered_at=clock.now()).execute()
    assert verdicts(cast.organisation, "zoe@example.org") == [("zoe@example.org", "ready")]


def test_what_is_over_the_days_limit_says_when_it_ends(cast: Cast) -> None:
    Account.update(invitations_per_day=3).where(Account.id == cast.organisation.id).execute()
    account = Account.get_by_id(cast.organisation.id)

    found = preview(account, "a@example.org b@example.org zoe@example.org c@example.org d@ ")

    assert [row.verdict for row in found.rows] == [
        "ready", "ready", "invited", "over_limit", "malformed",
    ]  # fmt: skip
    assert found.day_ends_at == cast.invitation.created_at + timedelta(hours=24)
    assert len(found.ready) == 2
    assert preview(account, "a@example.org").day_ends_at is None


def test_looking_sends_nothing(cast: Cast) -> None:
    before = everything()

    preview(cast.organisation, "new@example.org zoe@example.org")

    assert everything() == before


def test_many_rows_are_looked_up_as_often_as_one(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, cursor = [0], database.obj.cursor

    def counting(*args: Any) -> Any:
        asked[0] += 1
        return cursor(*args)

    monkeypatch.setattr(database.obj, "cursor", counting)
    verdicts(cast.organisation, "new@example.org")
    of_one, asked[0] = asked[0], 0
    text = " ".join([*(f"p{at}@example.org" for at in range(10)), "zoe@example.org"])

    assert [verdict for _, verdict in verdicts(cast.organisation, text)] == [
        *["ready"] * 10,
        "invited",
    ]
    assert asked[0] == of_one > 0


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (Row("Léa <LEA@x.example>", "Léa", "lea@x.example", "ready"), "Léa <lea@x.example>"),
        (Row("bad@", "", "", "malformed"), "bad@"),
        (Row("bad@", "Léa", "", "malformed"), "Léa <bad@>"),
    ],
)
def test_a_row_can_be_written_again(row: Row, line: str) -> None:
    assert row.line == line


def test_a_row_written_again_is_the_same_row(cast: Cast) -> None:
    text = 'Léa Roy <lea@new.example>, "Doe, J" <doe@new.example>, plain@new.example'
    rows = preview(cast.organisation, text).rows

    again = preview(cast.organisation, "\n".join(row.line for row in rows)).rows

    assert [(row.name, row.email) for row in again] == [(row.name, row.email) for row in rows]
    assert [row.name for row in rows] == ["Léa Roy", "Doe, J", ""]


def test_control_characters_of_a_pasted_text_reach_nobody(cast: Cast) -> None:
    text = "Bad\x07 \u202eName\u2028 <a@new.example>\x00, b\x00@new.example"
    rows = preview(cast.organisation, text).rows

    assert rows[0].name == "Bad Name"
    shown = "".join(row.name + row.written + row.email for row in rows if not row.is_ready)
    assert not set(shown) & set("\x00\x07\u202e\u2028")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bonjour, voici la liste :\na@x.example", [("", "a@x.example")]),
        ("1. Léa <a@x.example>\n2) <b@x.example>", [("Léa", "a@x.example"), ("", "b@x.example")]),
        ("- a@x.example\n• b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ("<mailto:a@x.example> MAILTO:b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ("(a@x.example) « b@x.example »,", [("", "a@x.example"), ("", "b@x.example")]),
    ],
)  # fmt: skip
def test_what_a_pasted_list_has_around_its_addresses_is_left_out(
    cast: Cast, text: str, found: list[tuple[str, str]]
) -> None:
    rows = preview(cast.organisation, text).rows

    assert [(row.name, row.email) for row in rows] == found


@pytest.mark.parametrize(
    "text", ["bad", "bad, worse, worst", "one two", "a.example b c", "bad@ a b"]
)
def test_what_may_have_been_meant_as_an_address_is_kept_to_be_mended(cast: Cast, text: str) -> None:
    rows = preview(cast.organisation, text).rows

    assert [row.written for row in rows] == text.replace(",", "").split()
    assert {row.verdict for row in rows} == {"malformed"}


def test_ten_thousand_are_read_and_one_more_is_refused(cast: Cast) -> None:
    text = "a@ " * previews.MOST_PASTED

    assert len(preview(cast.organisation, text).rows) == previews.MOST_PASTED
    for more in ((f"{text} b@", ()), (text, ("b@",))):
        with pytest.raises(Invalid, match="too_many"):
            preview(cast.organisation, *more)
