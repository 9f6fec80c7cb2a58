"""Files of people: judged as a draft, confirmed once, sent a chunk at a time (rule I4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from tests.effects import carry_out
from tests.people import Cast, membership_of
from tests.snapshots import everything
from webapp import clock
from webapp.actions import accounts, inviting, uploads
from webapp.actions.inviting import Asked, Offer
from webapp.actions.uploads import rows, sending
from webapp.database import as_instant, database, insert_rows, transaction
from webapp.errors import Invalid, NotAllowed, NotThere, Stale
from webapp.models import (
    Account,
    Invitation,
    Membership,
    OutboxMessage,
    Subscription,
    Upload,
    UploadRow,
    User,
)


def upload(cast: Cast, content: str, by: str = "owner", **offer: Any) -> Upload:
    found = uploads.create(cast.membership(by), "p.csv", content.encode(), Offer(**offer))
    return uploads.find(cast.organisation, found.id)


def people(count: int) -> str:
    return "Email,Name\n" + "".join(f"p{at:04}@new.example,P {at}\n" for at in range(count))


def verdicts(one: Upload) -> list[tuple[str, str]]:
    return [(row.email, row.verdict) for row in rows.each(one, failed=False)]


def per_day(cast: Cast, number: int) -> None:
    Account.update(invitations_per_day=number).where(Account.id == cast.organisation.id).execute()


def fresh(one: Upload) -> Upload:
    return uploads.find(one.account, one.id)


def fill(cast: Cast, count: int) -> None:
    """As many users and invitations elsewhere as a file would bring."""
    now = clock.now()
    emails = [f"q{at}@other.example" for at in range(count)]
    with transaction():
        by = membership_of(cast.users["foreign owner"])
        inviting.write(by, [Asked(email, "", Offer()) for email in emails], now)
        names = ("email", "name", "locale", "folded", "created_at", "wants_digest")
        insert_rows(User, names, [(email, "", "fr", "", as_instant(now), True) for email in emails])


@contextmanager
def reading_no_table_through() -> Iterator[None]:
    """One transaction, whose few first rows of a table that a foreign key finds there do not
    count."""
    with transaction():
        before = _read_without_index()
        yield
        assert _read_without_index() - before < 100


def _read_without_index() -> int:
    """Rows, as far as this session knows of itself."""
    read = """
        SELECT SUM(seq_tup_read) FROM pg_stat_xact_user_tables
         WHERE relname IN ('user_', 'invitation', 'outbox_message')
    """
    return int(database.execute_sql(read).fetchone()[0])


def test_each_row_has_its_verdict_in_the_order_of_the_file(cast: Cast) -> None:
    one = upload(
        cast,
        "Email,Name\nNew@new.example,Léa\nnew@new.example,\npaul@dumas.example,\n"
        "zoe@example.org,\nbad@,Bo\nines@example.org,\n",
    )

    assert verdicts(one) == [
        ("new@new.example", "ready"),
        ("new@new.example", "repeated"),
        ("paul@dumas.example", "member"),
        ("zoe@example.org", "invited"),
        ("bad@", "malformed"),
        ("ines@example.org", "ready"),
    ]
    assert (one.total, one.status) == (6, "draft")


def test_a_file_says_nothing_of_anybody_elsewhere(cast: Cast) -> None:
    """People with plans, members and invitees elsewhere look like anybody (rule I3)."""
    emails = ["rose@petit.example", "max@example.org", "finance@seller.example", "x@y.example"]
    one = upload(cast, "Email\n" + "\n".join(emails))

    assert verdicts(one) == [(email, "ready") for email in emails]


def test_a_draft_sends_nothing(cast: Cast) -> None:
    upload(cast, people(3))

    assert carry_out("upload:send") == 0
    assert Invitation.select().where(Invitation.email.contains("new.example")).count() == 0


def test_a_confirmed_file_goes_out_chunk_by_chunk(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "CHUNK", 4)
    one = upload(cast, people(10), licence="licensed", note="Bienvenue", locale="en")
    uploads.confirm(cast.membership("owner"), one.id)

    assert carry_out("upload:send") == 3
    one = fresh(one)
    assert (one.status, one.sent, one.unsent, one.confirmed) == ("done", 10, 0, 10)
    found = Invitation.get(Invitation.email == "p0007@new.example")
    assert (found.name, found.licence, found.note, found.locale) == (
        "P 7", "licensed", "Bienvenue", "en",
    )  # fmt: skip
    mails = OutboxMessage.select().where(OutboxMessage.kind == "mail:invitation")
    assert mails.count() == 10 + 2
    sent = UploadRow.get(UploadRow.email == "p0007@new.example")
    assert (sent.verdict, sent.invitation_id) == ("sent", found.id)


# SQLite keeps no plan, and takes the index of an equality whatever its statistics say.
@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_file_reads_no_table_through_whatever_the_planner_knew(cast: Cast) -> None:
    database.execute_sql("ANALYZE user_, invitation, outbox_message")
    for at in range(12):
        upload(cast, people(30))
        uploads.confirm(cast.membership("owner"), upload(cast, f"first{at}@new.example\n").id)
        carry_out("upload:send")
    fill(cast, 3000)

    with reading_no_table_through():
        one = upload(cast, people(300))
    uploads.confirm(cast.membership("owner"), one.id)
    with reading_no_table_through():
        assert sending.send(one.id, 0)

    assert fresh(one).sent == 300


def test_a_chunk_that_comes_again_changes_nothing(cast: Cast) -> None:
    per_day(cast, 4)
    one = upload(cast, people(6))
    uploads.confirm(cast.membership("owner"), one.id)
    assert sending.send(one.id, 0)
    before = everything()

    assert not sending.send(one.id, 0)
    assert everything() == before


def test_what_is_over_the_days_limit_goes_out_on_the_following_days(cast: Cast, day: Any) -> None:
    per_day(cast, 4)
    one = upload(cast, people(9))
    uploads.confirm(cast.membership("owner"), one.id)
    carry_out("upload:send")
    assert fresh(one).sent == 3  # the cast's invitation is the fourth

    day.shift(timedelta(hours=23))
    carry_out("upload:send")
    assert fresh(one).sent == 3
    day.shift(timedelta(hours=2))
    carry_out("upload:send")
    assert fresh(one).sent == 7
    day.shift(timedelta(hours=25))
    carry_out("upload:send")
    assert (fresh(one).sent, fresh(one).status) == (9, "done")


def test_when_the_days_limit_is_raised_the_rest_goes_out_at_once(cast: Cast) -> None:
    def allow(number: int) -> tuple[int, str]:
        accounts.update_organisation(cast.organisation.public_id, per_day=number)
        carry_out("upload:send")
        return fresh(one).sent, fresh(one).status

    per_day(cast, 4)
    one = upload(cast, people(9))
    uploads.confirm(cast.membership("owner"), one.id)
    carry_out("upload:send")
    assert fresh(one).sent == 3  # the cast's invitation is the fourth

    assert allow(6) == (5, "sending")
    assert allow(5) == (5, "sending")
    assert allow(100) == (9, "done")


def test_rows_that_changed_since_the_preview_are_not_sent(cast: Cast) -> None:
    one = upload(cast, people(3))
    uploads.confirm(cast.membership("owner"), one.id)
    other = upload(cast, "Email\np0001@new.example", by="admin")
    uploads.confirm(cast.membership("admin"), other.id)
    carry_out("upload:send")

    pending = Invitation.select().where(Invitation.email == "p0001@new.example")
    assert pending.count() == 1
    assert sorted((fresh(each).sent, fresh(each).unsent) for each in (one, other)) in (
        [(0, 1), (3, 0)],
        [(1, 0), (2, 1)],
    )


def test_a_file_is_confirmed_once(cast: Cast) -> None:
    one = upload(cast, people(2))
    uploads.confirm(cast.membership("owner"), one.id)

    with pytest.raises(Stale):
        uploads.confirm(cast.membership("admin"), one.id)
    assert OutboxMessage.select().where(OutboxMessage.kind == "upload:send").count() == 1


def test_a_file_with_nobody_ready_cannot_be_confirmed(cast: Cast) -> None:
    one = upload(cast, "Email\nbad@\n")

    with pytest.raises(Stale):
        uploads.confirm(cast.membership("owner"), one.id)
    assert fresh(one).is_draft


def test_what_is_not_sent_when_it_is_stopped_stays_unsent(cast: Cast) -> None:
    per_day(cast, 3)
    one = upload(cast, people(5))
    uploads.confirm(cast.membership("owner"), one.id)
    carry_out("upload:send")
    uploads.cancel(cast.membership("admin"), one.id)
    uploads.cancel(cast.membership("admin"), one.id)
    per_day(cast, 1000)

    waiting = OutboxMessage.select().where(
        OutboxMessage.kind == "upload:send",
        OutboxMessage.left_at.is_null(),
        OutboxMessage.canceled_at.is_null(),
    )
    assert waiting.count() == 0
    assert not sending.send(one.id, fresh(one).sent_to)
    assert (fresh(one).status, fresh(one).sent) == ("canceled", 2)
    assert [verdict for _, verdict in verdicts(fresh(one))] == ["sent"] * 2 + ["ready"] * 3


@pytest.mark.parametrize("why", ["role", "plan", "removed"])
def test_a_file_waits_while_its_inviter_may_not_invite(cast: Cast, why: str) -> None:
    one = upload(cast, people(2), by="admin")
    uploads.confirm(cast.membership("admin"), one.id)
    admin = Membership.user == cast.users["admin"]
    if why == "role":
        Membership.update(is_admin=False).where(admin).execute()
    elif why == "removed":
        Membership.update(ended_at=clock.now()).where(admin).execute()
    else:
        Subscription.update(status="lapsed").execute()
    carry_out("upload:send")
    assert (fresh(one).status, fresh(one).sent) == ("waiting", 0)

    Subscription.update(status="active").execute()
    uploads.resume(cast.membership("owner"), one.id)
    carry_out("upload:send")
    assert (fresh(one).status, fresh(one).sent) == ("done", 2)
    found = Invitation.get(Invitation.email == "p0000@new.example")
    assert found.inviter_id == cast.users["owner"].id


def test_only_an_owner_invites_administrators_by_file(cast: Cast) -> None:
    content = "Email,Role\nboss@new.example,admin\nnew@new.example,finance\n"
    assert verdicts(upload(cast, content, by="admin")) == [
        ("boss@new.example", "admin"),
        ("new@new.example", "ready"),
    ]
    one = upload(cast, content)
    with pytest.raises(NotAllowed):
        uploads.confirm(cast.membership("admin"), one.id)
    uploads.confirm(cast.membership("owner"), one.id)
    carry_out("upload:send")
    assert Invitation.get(Invitation.email == "boss@new.example").is_admin
    assert Invitation.get(Invitation.email == "new@new.example").is_finance


def test_a_row_is_mended_in_a_draft(cast: Cast) -> None:
    one = upload(cast, "Email\nbad@\ngood@new.example\n")
    row = UploadRow.get(UploadRow.email == "bad@")
    owner = cast.membership("owner")

    assert rows.mend(owner, one, row.id, "good@new.example").verdict == "repeated"
    assert rows.mend(owner, one, row.id, "still bad").verdict == "malformed"
    assert rows.mend(owner, one, row.id, " Better@new.example ").verdict == "ready"
    uploads.confirm(owner, one.id)
    with pytest.raises(Stale):
        rows.mend(owner, fresh(one), row.id, "late@new.example")
    carry_out("upload:send")
    assert Invitation.select().where(Invitation.email == "better@new.example").exists()


def test_a_good_row_is_not_overwritten(cast: Cast) -> None:
    one = upload(cast, people(1))
    row = UploadRow.get(UploadRow.upload == one)

    with pytest.raises(Stale):
        rows.mend(cast.membership("owner"), one, row.id, "other@new.example")


def test_columns_that_nobody_recognises_are_chosen(cast: Cast) -> None:
    one = upload(cast, "Kontakt;Wer\nanna@new.example;Anna\n")
    assert (one.total, one.columns) == (0, {})
    owner = cast.membership("owner")

    with pytest.raises(Invalid):
        uploads.choose_columns(owner, one.id, {"name": 1})
    one = uploads.choose_columns(owner, one.id, {"email": 1})
    assert verdicts(one) == [("Anna", "malformed")]
    one = uploads.choose_columns(owner, one.id, {"email": 0, "name": 1})
    assert verdicts(one) == [("anna@new.example", "ready")]


def test_a_bare_list_of_addresses_needs_no_heading(cast: Cast) -> None:
    one = upload(cast, "anna@new.example\nbo@new.example\n")

    assert verdicts(one) == [("anna@new.example", "ready"), ("bo@new.example", "ready")]


def test_what_the_file_holds_besides_is_not_kept_after_confirming(cast: Cast) -> None:
    one = upload(cast, "Email,Password\nanna@new.example,secret\n")
    uploads.confirm(cast.membership("owner"), one.id)

    assert Upload.select(Upload.content).where(Upload.id == one.id).scalar() is None
    with pytest.raises(Stale):
        uploads.sheet_of(one)


def test_a_file_with_too_many_rows_leaves_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_ROWS", 5)

    with pytest.raises(Invalid) as caught:
        upload(cast, people(6))
    assert caught.value.code == "rows"
    assert Upload.select().count() == UploadRow.select().count() == 0


def test_a_new_draft_replaces_the_persons_older_one(cast: Cast) -> None:
    upload(cast, people(2))
    upload(cast, people(3), by="admin")
    upload(cast, people(4))

    assert [(each.inviter_id, each.total) for each in Upload.select().order_by(Upload.id)] == [
        (cast.users["admin"].id, 3),
        (cast.users["owner"].id, 4),
    ]


def test_drafts_and_old_results_are_forgotten(cast: Cast, day: Any) -> None:
    forgotten, sent = upload(cast, people(2), by="admin"), upload(cast, people(3))
    uploads.confirm(cast.membership("owner"), sent.id)
    carry_out("upload:send")

    day.shift(timedelta(days=2))
    carry_out("upload:forget")
    assert [each.id for each in Upload.select()] == [sent.id]
    assert forgotten.id != sent.id
    day.shift(timedelta(days=30))
    carry_out("upload:forget")
    assert Upload.select().count() == UploadRow.select().count() == 0
    assert Invitation.select().where(Invitation.email.contains("new.example")).count() == 3


def test_another_organisations_file_is_not_there(cast: Cast) -> None:
    one = upload(cast, people(1))
    rose = membership_of(cast.users["foreign owner"])

    for verb in (uploads.confirm, uploads.cancel, uploads.resume):
        with pytest.raises(NotThere):
            verb(rose, one.id)
