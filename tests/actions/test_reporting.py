"""Reports of unwanted invitations: what they stop, whom they tell, and whom they do not."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.people import Cast, invite, link_of, make_cast, membership_of, on_the_day
from webapp import clock
from webapp.actions import activity, limits, previews, reminders, reporting, timelines
from webapp.errors import NotThere, TooMany
from webapp.models import AuditEvent, Invitation, OutboxMessage
from webapp.permissions import Viewer


@pytest.fixture(autouse=True)
def day() -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def cast(app: Flask) -> Cast:
    return make_cast(app)


def fresh(cast: Cast) -> Invitation:
    found: Invitation = Invitation.get_by_id(cast.invitation.id)
    return found


def verdict(cast: Cast, email: str, role: str = "owner") -> str:
    [row] = previews.preview(membership_of(cast.users[role]).account, email).rows
    return row.verdict


def told() -> list[str]:
    kinds = OutboxMessage.select().where(OutboxMessage.kind == "mail:reported")
    return [one.payload["user_id"] for one in kinds]


def test_a_report_declines_the_invitation_and_stops_the_organisation(cast: Cast) -> None:
    token = reporting.token_of(cast.invitation)

    reporting.report(token, "Who is this?\r\nNever heard of them")

    now = fresh(cast)
    assert (now.status, now.decline_reason) == ("declined", "")
    assert now.report == "Who is this?\nNever heard of them"
    assert verdict(cast, "zoe@example.org") == "later"
    assert verdict(cast, "zoe@example.org", "foreign owner") == "ready"
    assert verdict(cast, "somebody@example.org") == "ready"
    assert told() == [cast.users["operator"].id]


def test_the_organisation_learns_of_a_refusal_and_not_of_the_report(cast: Cast) -> None:
    reporting.report(reporting.token_of(cast.invitation), "They lie")

    happened = timelines.of(fresh(cast), clock.now())
    assert {each.kind for each in happened} == {"invitation:sent", "invitation:declined"}
    owner = cast.users["owner"]
    viewer = Viewer(owner, cast.session("owner"), membership_of(owner))
    events, _ = activity.page(viewer, activity.asked_for({}))
    assert not [each for each in events if "report" in each.kind]
    assert AuditEvent.get(AuditEvent.kind == "report:made").account_id is None


def test_a_report_again_changes_nothing(cast: Cast) -> None:
    token = reporting.token_of(cast.invitation)
    reporting.report(token, "first")
    reporting.report(token, "second")

    assert fresh(cast).report == "first"
    assert len(told()) == 1
    assert AuditEvent.select().where(AuditEvent.kind == "report:made").count() == 1


def test_the_operator_is_told_once_a_day_of_each_organisation(cast: Cast, day: Any) -> None:
    others = [invite(cast.users["owner"], f"{name}@example.org") for name in ("a", "b", "c")]
    for each in others[:2]:
        reporting.report(reporting.token_of(each), "")
    assert len(told()) == 1
    reporting.report(reporting.token_of(cast.foreign_invitation), "")
    assert len(told()) == 2
    day.shift(timedelta(days=1))
    reporting.report(reporting.token_of(others[2]), "")
    assert len(told()) == 3
    assert [one.email for one in reporting.unseen()] == [
        *("max@example.org", "a@example.org", "b@example.org", "c@example.org")
    ]


def test_what_the_operator_has_seen_to_stays_stopped(cast: Cast) -> None:
    operator = membership_of(cast.users["operator"])
    with pytest.raises(NotThere):
        reporting.see_to(operator, cast.invitation.id)
    reporting.report(reporting.token_of(cast.invitation), "")

    reporting.see_to(operator, cast.invitation.id)
    reporting.see_to(operator, cast.invitation.id)

    assert reporting.unseen() == []
    assert verdict(cast, "zoe@example.org") == "later"
    assert AuditEvent.select().where(AuditEvent.kind == "report:seen").count() == 1


def test_a_mistake_is_taken_back_and_the_organisation_may_ask_again(cast: Cast) -> None:
    token = reporting.token_of(cast.invitation)
    reporting.report(token, "oops")
    reporting.take_back(token)
    reporting.take_back(token)

    now = fresh(cast)
    assert (now.reported_at, now.report, now.status) == (None, "", "declined")
    assert verdict(cast, "zoe@example.org") == "ready"
    assert reporting.unseen() == []


def test_taking_back_and_reporting_has_its_limit(cast: Cast) -> None:
    token = reporting.token_of(cast.invitation)
    for _ in range(reporting.REPORTS):
        reporting.report(token, "")
        reporting.take_back(token)
    with pytest.raises(TooMany):
        reporting.report(token, "")


def test_an_invitation_that_was_answered_can_be_reported_and_stays_answered(cast: Cast) -> None:
    Invitation.update(status="revoked", answered_at=clock.now()).execute()

    reporting.report(reporting.token_of(cast.invitation), "")

    assert fresh(cast).status == "revoked"
    assert limits.wants_rest("zoe@example.org", cast.organisation, clock.now())


def test_the_token_of_another_purpose_or_address_reports_nothing(cast: Cast) -> None:
    token = reporting.token_of(cast.invitation)
    for wrong in (reminders.token_of(cast.invitation), token[:-1], "", "x.y", f"9{token}"):
        with pytest.raises(NotThere):
            reporting.report(wrong, "")
    with pytest.raises(NotThere):
        reminders.mute(token)
    Invitation.update(email="mended@example.org").where(
        Invitation.id == cast.invitation.id
    ).execute()
    with pytest.raises(NotThere):
        reporting.report(token, "")
    assert fresh(cast).reported_at is None


def test_a_file_of_people_skips_whoever_reported(cast: Cast) -> None:
    reporting.report(reporting.token_of(cast.invitation), "")
    emails = ["zoe@example.org", "new@example.org"]

    assert limits.resting(emails, cast.organisation, clock.now()) == {"zoe@example.org"}
    assert limits.resting(emails, cast.elsewhere, clock.now()) == set()
    assert link_of(invite(cast.users["foreign owner"], "zoe@example.org"))
