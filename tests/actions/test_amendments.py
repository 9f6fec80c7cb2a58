"""A pending invitation's role and licence are changed without a new mail (rule I10)."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.client import field_of
from tests.people import Cast, invite, make_cast, on_the_day
from webapp import clock
from webapp.actions import amendments
from webapp.errors import Invalid, NotAllowed, NotThere, Stale
from webapp.models import AuditEvent, Invitation, OutboxMessage


@pytest.fixture
def cast(app: Flask) -> Iterator[Cast]:
    with on_the_day():
        yield make_cast(app)


def amend(cast: Cast, role: str, licence: str, by: str = "owner", seen: str | None = None) -> str:
    """What is offered to the invitee afterwards."""
    invitation = Invitation.get_by_id(cast.invitation.id)
    was = amendments.standing(invitation) if seen is None else seen
    changed = amendments.amend(cast.membership(by), invitation.id, role, licence, was)
    return amendments.standing(changed)


def test_the_offer_changes_and_nothing_is_mailed(cast: Cast) -> None:
    mails = OutboxMessage.select().count()

    assert amend(cast, "finance", "licensed", by="admin") == "finance+licensed"
    assert amend(cast, "admin", "basic") == "admin+basic"

    assert OutboxMessage.select().count() == mails
    assert AuditEvent.select().where(AuditEvent.kind == "invitation:amended").count() == 2


def test_the_same_again_changes_nothing(cast: Cast) -> None:
    assert amend(cast, "finance", "basic") == amend(cast, "finance", "basic", seen="member+basic")
    assert AuditEvent.select().where(AuditEvent.kind == "invitation:amended").count() == 1


@pytest.mark.parametrize(("role", "licence"), [("owner", "basic"), ("member", "gold"), ("", "")])
def test_a_choice_that_there_is_not_is_refused(cast: Cast, role: str, licence: str) -> None:
    with pytest.raises(Invalid):
        amend(cast, role, licence)


def test_only_an_owner_makes_and_unmakes_an_admin(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        amend(cast, "admin", "basic", by="admin")
    amend(cast, "admin", "basic")
    with pytest.raises(NotAllowed):
        amend(cast, "member", "basic", by="admin")
    with pytest.raises(NotAllowed):
        amend(cast, "finance", "basic", by="member")


def test_what_changed_meanwhile_stays(cast: Cast) -> None:
    amend(cast, "finance", "basic")
    with pytest.raises(Stale):
        amend(cast, "member", "licensed", seen="member+basic")
    Invitation.update(status="declined", answered_at=clock.now()).execute()
    with pytest.raises(Stale):
        amend(cast, "member", "basic")


def test_another_organisations_is_not_there(cast: Cast) -> None:
    with pytest.raises(NotThere):
        amendments.amend(
            cast.membership("owner"), cast.foreign_invitation.id, "member", "basic", "member+basic"
        )


def test_the_form_of_the_invitations_page_says_what_was_seen(cast: Cast) -> None:
    browser, path = cast.browser("owner"), f"/invitations/{cast.invitation.id}"
    seen = field_of(browser.get(path), "seen")
    form = {"role": "finance", "licence": "licensed", "seen": seen}

    assert browser.post(f"{path}/amendment", **form).location == path
    assert browser.post(f"{path}/amendment", **{**form, "role": "member"}).status_code == 409
    boss = invite(cast.users["owner"], "boss@example.org", role="admin")
    assert "/amendment" not in cast.browser("admin").get(f"/invitations/{boss.id}").text
