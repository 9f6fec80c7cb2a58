"""All invitations that a filter finds, resent or revoked by the worker, a chunk at a time."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.people import Cast, invite, make_cast, on_the_day
from webapp import clock
from webapp.actions import accounts, invitations, matching
from webapp.errors import NotAllowed
from webapp.handlers import Errand
from webapp.handlers.kinds import HANDLERS
from webapp.models import AuditEvent, Invitation, Membership, OutboxMessage
from webapp.models.asked import Asked
from webapp.outbox import claiming
from webapp.smtp import Post


@pytest.fixture
def cast(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    monkeypatch.setattr(matching, "CHUNK", 2)
    with on_the_day():
        cast = make_cast(app)
        OutboxMessage.update(left_at=clock.now()).execute()
        yield cast


def some(cast: Cast, *names: str, **offer: str) -> list[int]:
    return [invite(cast.users["owner"], f"{name}@example.org", **offer).id for name in names]


def carry_out() -> int:
    """What the worker does with it; returns in how many chunks."""
    chunks = 0
    while claim := claiming.claim(("matching",)):
        HANDLERS["matching"](Errand(claim, Post()))
        claiming.mark_left(claim)
        chunks += 1
    return chunks


def statuses(ids: list[int]) -> list[str]:
    return [Invitation.get_by_id(id).status for id in ids]


def mails(id: int) -> int:
    return OutboxMessage.select().where(OutboxMessage.invitation == id).count()


def test_all_that_match_are_revoked_and_no_others(cast: Cast) -> None:
    sales = some(cast, "a", "b", "c", department="Sales")
    others = some(cast, "d", department="Shop")

    assert matching.begin(cast.membership("admin"), "revoke", Asked(department="Sales")) == 3
    assert statuses(sales) == ["pending"] * 3
    assert carry_out() == 2

    assert statuses(sales) == ["revoked"] * 3
    assert statuses(others) == ["pending"]
    event = AuditEvent.get(AuditEvent.kind == "matching:revoke")
    assert event.facts == {"count": 3}


def test_whoever_was_invited_afterwards_is_left_alone(cast: Cast) -> None:
    (early,) = some(cast, "a")
    with on_the_day() as day:
        day.shift(1)
        assert matching.begin(cast.membership("owner"), "revoke", Asked(q="a@example")) == 1
        day.shift(1)
        (late,) = some(cast, "aa")
        carry_out()
        assert statuses([early, late]) == ["revoked", "pending"]


def test_a_message_that_comes_again_sends_nothing_twice(cast: Cast) -> None:
    ids = some(cast, "a", "b", "c")
    assert matching.begin(cast.membership("owner"), "resend", Asked(q="example.org")) == 4
    before = [mails(id) for id in ids]
    (message,) = OutboxMessage.select().where(OutboxMessage.kind == "matching")

    assert matching.go_on(message.id)
    assert not matching.go_on(message.id)
    carry_out()

    assert [mails(id) for id in ids] == [count + 1 for count in before]
    kept = OutboxMessage.select().where(OutboxMessage.kind == "matching")
    assert {tuple(each.payload) for each in kept} == {("verb",)}


def test_an_address_that_had_enough_mail_is_left_out(cast: Cast) -> None:
    weary, other = some(cast, "weary", "other")
    OutboxMessage.update(left_at=clock.now()).execute()
    for _ in range(2):
        invitations.resend(cast.membership("owner"), weary)
        OutboxMessage.update(left_at=clock.now()).execute()
    sent = mails(weary), mails(other)

    matching.begin(cast.membership("owner"), "resend", Asked(status="pending"))
    carry_out()

    assert (mails(weary), mails(other)) == (sent[0], sent[1] + 1)


def test_only_what_waits_is_found(cast: Cast) -> None:
    answered, gone, waiting = some(cast, "a", "b", "c")
    Invitation.update(status="declined", answered_at=clock.now()).where(
        Invitation.id == answered
    ).execute()
    invitations.revoke(cast.membership("owner"), gone)
    now = clock.now()

    def found(asked: Asked) -> set[int]:
        return {each.id for each in matching.found(cast.organisation, asked, now)}

    assert found(Asked(q="example.org")) == {waiting, cast.invitation.id}
    assert found(Asked(status="active")) == set()
    assert found(Asked(inviter=cast.users["admin"].id)) == {cast.invitation.id}
    for status in ("attention", "expired", "declined", "revoked"):
        assert found(Asked(status=status)) == set()


def test_whoever_may_not_does_not_begin_and_does_not_go_on(cast: Cast) -> None:
    ids = some(cast, "a", "b", "c")
    for verb in ("resend", "revoke"):
        with pytest.raises(NotAllowed):
            matching.begin(cast.membership("member"), verb, Asked())
    admin = cast.membership("admin")
    matching.begin(admin, "revoke", Asked())
    matching.begin(cast.membership("owner"), "resend", Asked())
    Membership.update(is_admin=False).where(Membership.id == admin.id).execute()
    accounts.update_organisation(cast.organisation.public_id, plan="lapsed")
    before = [mails(id) for id in ids]

    carry_out()

    assert statuses(ids) == ["pending"] * 3
    assert [mails(id) for id in ids] == before
