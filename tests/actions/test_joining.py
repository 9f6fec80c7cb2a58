"""Accepting: everything moves or nothing does, once, whoever else is at it at the same moment."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.money import ACCEPTED, make_organisation
from tests.people import (
    Cast,
    invite,
    link_of,
    make_individual,
    make_member,
    make_paying,
    membership_of,
    session_of,
    viewer_of,
    written,
)
from tests.races import race
from tests.snapshots import everything
from webapp import clock, outbox
from webapp.actions import erasure, invitations, invoices, joining, ledger_check, quotes
from webapp.database import database
from webapp.errors import Blocked, Gone, Invalid, NotAllowed, Stale
from webapp.models import (
    Acceptance,
    Account,
    AuditEvent,
    Invitation,
    Invoice,
    Membership,
    OutboxMessage,
    Payment,
    Session,
    Settlement,
    Statement,
    Subscription,
    User,
)

ROUNDS = 10


def offer_of(user: User, invitation: Invitation) -> str:
    offered = quotes.current(membership_of(user).account, clock.now())
    return "" if offered is None else quotes.sign(offered, invitation)


def ready(user: User, invitation: Invitation, choice: str = "refund") -> Callable[[], Acceptance]:
    """The acceptance that this person's form would send, in a session of its own."""
    session, token = session_of(user), offer_of(user, invitation)
    return lambda: joining.accept(invitation.id, session, choice, token)


def invited(cast: Cast, email: str, by: str = "owner", **offer: Any) -> tuple[User, Invitation]:
    user = make_paying(email)
    return user, invite(cast.users[by], email, **offer)


def statuses(email: str) -> list[str]:
    return sorted(row.status for row in Invitation.select().where(Invitation.email == email))


def active(user: User) -> list[Membership]:
    return list(Membership.select().where(Membership.user == user, Membership.ended_at.is_null()))


def test_accepting_moves_everything_at_once(cast: Cast) -> None:
    user = cast.users["invitee"]
    before = membership_of(user)

    acceptance = ready(user, cast.invitation)()

    assert Invitation.get_by_id(cast.invitation.id).status == "accepted"
    assert membership_of(user).account == cast.organisation
    assert Membership.get_by_id(before.id).ended_at == ACCEPTED
    assert Account.get_by_id(before.account_id).closed_at == ACCEPTED
    assert Subscription.get(Subscription.account == before.account_id).status == "ended"
    assert acceptance.undo_until == ACCEPTED + timedelta(hours=24)
    assert written() == {"acceptances": 1, "settlements": 1, "statements": 1, "effects": 2}
    (event,) = AuditEvent.select().where(AuditEvent.kind == "invitation:accepted")
    assert (event.account, event.actor) == (cast.organisation, user)
    assert ledger_check.check() == []


def test_a_second_acceptance_changes_nothing(cast: Cast) -> None:
    user = cast.users["invitee"]
    first = ready(user, cast.invitation)()
    session = session_of(user)
    before = everything()

    for choice in ("refund", "credit", "", "nonsense"):
        again = joining.accept(cast.invitation.id, session, choice, "whatever")
        assert again == first

    assert everything() == before


def test_a_hundred_devices_at_once_accept_once(cast: Cast) -> None:
    user = cast.users["invitee"]
    presses = [ready(user, cast.invitation, "credit") for _ in range(100)]
    database.close()

    outcomes = race(100, lambda at: presses[at]())

    assert {type(one) for one in outcomes} == {Acceptance}
    assert len({one.id for one in outcomes}) == 1
    assert written() == {"acceptances": 1, "settlements": 1, "statements": 2, "effects": 2}
    assert sorted(row.number for row in Statement.select()) == ["A-2026-000001", "C-2026-000001"]
    assert ledger_check.check() == []


def test_of_two_organisations_at_once_one_wins_and_the_other_is_closed(cast: Cast) -> None:
    for time in range(ROUNDS):
        email = f"both{time}@example.org"
        user, ours = invited(cast, email)
        theirs = invite(cast.users["foreign owner"], email)
        presses = [ready(user, ours), ready(user, theirs, "credit")]
        database.close()

        outcomes = race(2, lambda at, presses=presses: presses[at]())

        (won,) = [one for one in outcomes if isinstance(one, Acceptance)]
        (lost,) = [one for one in outcomes if one is not won]
        assert isinstance(lost, Gone), lost
        assert lost.code == "superseded"
        assert statuses(email) == ["accepted", "superseded"]
        assert [one.account for one in active(user)] == [won.organisation]
    assert Settlement.select().count() == ROUNDS
    assert ledger_check.check() == []


def test_whoever_joins_the_one_does_not_stop_whoever_joins_the_other(cast: Cast) -> None:
    """Each closes the other organisation's invitation, which is counted there, too."""
    for time in range(ROUNDS):
        presses = []
        for name, joined, other in (
            ("ours", "owner", "foreign owner"),
            ("theirs", "foreign owner", "owner"),
        ):
            user, invitation = invited(cast, f"{name}{time}@example.org", joined)
            invite(cast.users[other], str(user.email))
            presses.append(ready(user, invitation))
        database.close()

        outcomes = race(2, lambda at, presses=presses: presses[at]())

        assert all(isinstance(one, Acceptance) for one in outcomes), outcomes


def test_whoever_is_erased_does_not_stop_whoever_joins(cast: Cast) -> None:
    for time in range(ROUNDS):
        gone = make_individual(f"gone{time}@example.org")
        user, invitation = invited(cast, f"comes{time}@example.org", "foreign owner")
        for by in ("owner", "foreign owner"):
            invite(cast.users[by], str(gone.email))
        invite(cast.users["owner"], str(user.email))
        viewer = viewer_of(gone)
        runs = [ready(user, invitation), lambda by=viewer: erasure.erase(by)]
        database.close()

        outcomes = race(2, lambda at, runs=runs: runs[at]())

        assert [type(one) for one in outcomes] == [Acceptance, erasure.Kept], outcomes


def test_of_revoking_and_accepting_at_once_exactly_one_wins(cast: Cast) -> None:
    by = membership_of(cast.users["owner"])
    for time in range(ROUNDS):
        user, invitation = invited(cast, f"revoked{time}@example.org")
        press = ready(user, invitation)
        runs = [press, lambda id=invitation.id: invitations.revoke(by, id)]
        database.close()

        accepted, revoked = race(2, lambda at, runs=runs: runs[at]())

        if isinstance(accepted, Acceptance):
            assert isinstance(revoked, Stale), revoked
            assert active(user)[0].account == cast.organisation
        else:
            assert isinstance(accepted, Gone), accepted
            assert isinstance(revoked, Invitation)
            assert active(user)[0].account.kind == "individual"
        assert_one_answer(invitation, user)


def test_of_declining_and_accepting_at_once_exactly_one_wins(cast: Cast) -> None:
    for time in range(ROUNDS):
        user, invitation = invited(cast, f"declined{time}@example.org")
        runs = [ready(user, invitation), lambda it=invitation: invitations.decline(it, "no")]
        database.close()

        accepted, declined = race(2, lambda at, runs=runs: runs[at]())

        is_accepted = isinstance(accepted, Acceptance)
        assert isinstance(declined, Stale if is_accepted else Invitation), declined
        assert is_accepted or isinstance(accepted, Gone), accepted
        assert_one_answer(invitation, user)


def test_resending_at_the_same_moment_does_not_lose_the_acceptance(cast: Cast) -> None:
    by = membership_of(cast.users["owner"])
    for time in range(ROUNDS):
        user, invitation = invited(cast, f"resent{time}@example.org")
        runs = [ready(user, invitation), lambda id=invitation.id: invitations.resend(by, id)]
        database.close()

        accepted, resent = race(2, lambda at, runs=runs: runs[at]())

        assert isinstance(accepted, Acceptance), accepted
        assert isinstance(resent, (Stale, Invitation)), resent
        assert_one_answer(invitation, user)


def assert_one_answer(invitation: Invitation, user: User) -> None:
    """As the row says: a person is in one account, and no mail waits for an answered one."""
    is_accepted = Invitation.get_by_id(invitation.id).status == "accepted"
    assert Acceptance.select().where(Acceptance.user == user).count() == is_accepted
    assert len(active(user)) == 1
    waiting = OutboxMessage.select().where(
        OutboxMessage.invitation == invitation, outbox.is_waiting()
    )
    assert not waiting.exists()
    assert ledger_check.check() == []


def test_an_invoice_opened_at_the_same_moment_comes_before_or_after(cast: Cast) -> None:
    for time in range(ROUNDS):
        user, invitation = invited(cast, f"owing{time}@example.org")
        account = membership_of(user).account
        runs = [ready(user, invitation), lambda it=account: owe(it)]
        database.close()

        accepted, opened = race(2, lambda at, runs=runs: runs[at]())

        if isinstance(accepted, Acceptance):
            assert isinstance(opened, Invalid), opened
        else:
            assert isinstance(accepted, Blocked), accepted
            assert isinstance(opened, Invoice)


def owe(account: Account) -> Invoice:
    return invoices.add(account, "F-1", issued_on=None, due_on=None, total_minor=1200)


def test_a_fault_in_the_middle_leaves_everything_as_it_was(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    press = ready(cast.users["invitee"], cast.invitation, "credit")
    before = everything()
    write = outbox.write

    def fail(kind: str, *rest: Any, **more: Any) -> OutboxMessage:
        if kind == "mail:accepted":
            raise OSError("the last thing that acceptance writes")
        return write(kind, *rest, **more)

    monkeypatch.setattr(outbox, "write", fail)
    with pytest.raises(OSError, match="the last thing"):
        press()
    monkeypatch.undo()

    assert everything() == before
    assert press().invitation == cast.invitation
    # The number that was given back is taken again: there is no gap (rule D2).
    assert Statement.select().where(Statement.number == "C-2026-000001").exists()


@pytest.mark.parametrize(
    "role", ["individual", "other invitee", "member", "admin", "owner", "foreign owner", "operator"]
)
def test_somebody_else_cannot_accept(cast: Cast, role: str) -> None:
    session = cast.session(role)
    before = everything()

    for choice in ("", "refund", "credit"):
        with pytest.raises(NotAllowed):
            joining.accept(cast.invitation.id, session, choice, "")

    assert everything() == before


def test_after_it_was_accepted_somebody_else_still_cannot(cast: Cast) -> None:
    ready(cast.users["invitee"], cast.invitation)()

    with pytest.raises(NotAllowed):
        joining.accept(cast.invitation.id, cast.session("other invitee"))


def test_an_invitation_that_is_not_there_looks_like_somebody_elses(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        joining.accept(999_999, cast.session("invitee"))


def test_the_offer_of_another_invitation_is_refused(cast: Cast) -> None:
    user = cast.users["invitee"]
    other = invite(cast.users["foreign owner"], user.email)
    token, session = offer_of(user, other), session_of(user)
    before = everything()

    with pytest.raises(Invalid):
        joining.accept(cast.invitation.id, session, "refund", token)

    assert everything() == before


def test_a_payment_in_between_shows_new_figures_and_does_nothing(cast: Cast) -> None:
    from tests.money import make_payment

    user = cast.users["invitee"]
    press = ready(user, cast.invitation)
    subscription = membership_of(user).account.subscription()
    assert subscription is not None
    make_payment(subscription, 500)
    before = everything()

    with pytest.raises(Stale):
        press()

    assert everything() == before


def test_credit_needs_a_proof_and_a_refund_does_not(cast: Cast, day: Any) -> None:
    user = cast.users["invitee"]
    session, token = session_of(user), offer_of(user, cast.invitation)
    day.shift(timedelta(minutes=5, seconds=1))
    before = everything()

    with pytest.raises(NotAllowed) as refused:
        joining.accept(cast.invitation.id, session, "credit", token)

    assert refused.value.code == "proof"
    assert everything() == before
    assert joining.accept(cast.invitation.id, session, "refund", token)


def test_an_expired_invitation_is_gone_to_the_second(cast: Cast, day: Any) -> None:
    user = cast.users["individual"]
    invitation = invite(cast.users["owner"], user.email)
    session = session_of(user)
    day.move_to(invitation.expires_at)

    with pytest.raises(Gone):
        joining.accept(invitation.id, session)

    day.move_to(invitation.expires_at - timedelta(seconds=1))
    assert joining.accept(invitation.id, session)


def test_accepting_ends_the_persons_other_sessions(cast: Cast) -> None:
    user = cast.users["invitee"]
    others = [session_of(user) for _ in range(2)]
    token, session = offer_of(user, cast.invitation), session_of(user)

    joining.accept(cast.invitation.id, session, "refund", token)

    assert Session.get_by_id(session.id).ended_at is None
    assert all(Session.get_by_id(other.id).ended_at for other in others)


def test_other_invitations_are_closed_with_their_mails_and_stay_so(cast: Cast) -> None:
    user = cast.users["invitee"]
    other = invite(cast.users["foreign owner"], user.email)
    again = ready(user, other)

    ready(user, cast.invitation)()

    assert Invitation.get_by_id(other.id).status == "superseded"
    message = OutboxMessage.get(OutboxMessage.invitation == other)
    assert message.canceled_at is not None
    with pytest.raises(Gone):
        again()
    with pytest.raises(Stale):
        invitations.resend(membership_of(cast.users["foreign owner"]), other.id)


def test_a_member_elsewhere_leaves_there_and_settles_nothing(cast: Cast) -> None:
    user = make_member("nora@petit.example", cast.elsewhere)
    invitation = invite(cast.users["owner"], user.email)

    acceptance = ready(user, invitation)()

    assert [one.account for one in active(user)] == [cast.organisation]
    assert acceptance.closed_account is None
    assert Account.get_by_id(cast.elsewhere.id).closed_at is None
    assert not Settlement.select().exists()


def test_the_last_owner_of_an_organisation_cannot_leave_it(cast: Cast) -> None:
    user = cast.users["foreign owner"]
    invitation = invite(cast.users["owner"], user.email)
    press = ready(user, invitation)

    with pytest.raises(Blocked) as blocked:
        press()
    assert [one.kind for one in blocked.value.facts["blockers"]] == ["last_owner"]

    make_member("second@petit.example", cast.elsewhere, is_owner=True)
    assert press()


def test_each_thing_in_the_way_is_named(cast: Cast) -> None:
    user = cast.users["invitee"]
    account = membership_of(user).account
    owe(account)
    make_member("guest@example.org", account)
    Account.update(seats=0).where(Account.id == cast.organisation.id).execute()
    Invitation.update(licence="licensed").where(Invitation.id == cast.invitation.id).execute()

    with pytest.raises(Blocked) as blocked:
        ready(user, cast.invitation)()

    kinds = [one.kind for one in blocked.value.facts["blockers"]]
    assert sorted(kinds) == ["invoice", "no_seat", "other_user"]


# A refund that was made elsewhere, and is on its way.
RETURNING = {"returned_minor": 1, "returned_elsewhere_minor": 1, "returning_minor": 1}


@pytest.mark.parametrize(
    ("kind", "stand_in_the_way"),
    [
        ("invoice", owe),
        ("other_user", lambda account: make_member("guest@example.org", account)),
        ("dispute", lambda account: Payment.update(is_disputed=True).execute()),
        ("refund", lambda account: Payment.update(**RETURNING).execute()),
    ],
    ids=["invoice", "other user", "dispute", "refund"],
)
def test_one_thing_in_the_way_is_enough(
    cast: Cast, kind: str, stand_in_the_way: Callable[[Account], object]
) -> None:
    """What accepting reads at once knows of each of them by itself."""
    user = cast.users["invitee"]
    stand_in_the_way(membership_of(user).account)

    with pytest.raises(Blocked) as blocked:
        ready(user, cast.invitation)()

    assert [one.kind for one in blocked.value.facts["blockers"]] == [kind]


def test_the_operators_people_cannot_join(cast: Cast) -> None:
    user = cast.users["operator"]
    with pytest.raises(Blocked) as blocked:
        ready(user, invite(cast.users["owner"], user.email))()

    assert [one.kind for one in blocked.value.facts["blockers"]] == ["operator"]


def test_a_member_already_is_told_so(cast: Cast) -> None:
    user = cast.users["individual"]
    invitation = invite(cast.users["owner"], user.email)
    Membership.update(account=cast.organisation).where(Membership.user == user).execute()

    with pytest.raises(Blocked) as blocked:
        ready(user, invitation)()

    assert blocked.value.code == "member_already"


def test_an_invited_admin_needs_an_inviter_who_may_make_admins(cast: Cast) -> None:
    """Between inviting and accepting the owner became an admin (rule I9, and who grants roles)."""
    make_member("second@dumas.example", cast.organisation, is_owner=True)
    user = cast.users["individual"]
    invitation = invite(cast.users["owner"], user.email, role="admin")
    press = ready(user, invitation)
    Membership.update(is_owner=False, is_admin=True).where(
        Membership.user == cast.users["owner"]
    ).execute()

    with pytest.raises(Blocked) as blocked:
        press()
    assert (blocked.value.code, blocked.value.facts) == ("waiting", {"reason": "inviter"})

    # Another admin takes over what admins may give, and no more.
    assert invitations.take_over(membership_of(cast.users["admin"])) == 0
    second = User.get(User.email == "second@dumas.example")
    assert invitations.take_over(membership_of(second)) == 1
    press()
    assert membership_of(user).is_admin


def test_a_link_that_was_replaced_does_not_end_the_newer_one(cast: Cast) -> None:
    user = cast.users["invitee"]
    fresh = invitations.resend(membership_of(cast.users["owner"]), cast.invitation.id)
    assert link_of(fresh) != cast.token

    assert ready(user, fresh)()


def test_a_free_person_joins_an_organisation_of_another_currency(cast: Cast) -> None:
    organisation = make_organisation("Far Away Ltd", currency="USD")
    owner = make_member("owner@far.example", organisation, is_owner=True)
    user = make_individual("free@example.org")

    acceptance = ready(user, invite(owner, user.email))()

    assert acceptance.organisation == organisation
