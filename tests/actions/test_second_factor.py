"""The second factor: of whom it is asked, each code once, lost and found again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask

from tests.passkeys import Device
from tests.people import Cast, make_cast, make_individual, membership_of, on_the_day, viewer_of
from tests.races import race
from webapp import clock, policy, sealing
from webapp.actions import (
    authenticators,
    factors,
    organisations,
    passkeys,
    recovery_codes,
    second_factor,
    sign_in,
)
from webapp.database import database
from webapp.errors import Blocked, Invalid, NotAllowed, NotThere, TooMany
from webapp.models import (
    AuditEvent,
    Authenticator,
    OutboxMessage,
    Passkey,
    RecoveryCode,
    Session,
    User,
)
from webapp.permissions import Viewer


@pytest.fixture(autouse=True)
def day() -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def viewer(app: Flask) -> Viewer:
    return viewer_of(make_individual("ines@example.org"))


def digits_of(secret: str, later: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now(), counter_offset=later)


def with_app(viewer: Viewer) -> tuple[str, list[str]]:
    """Sets the app up; its secret, and the recovery codes."""
    secret = factors.begin_authenticator(viewer)
    return secret, factors.confirm_authenticator(viewer, digits_of(secret))


def with_passkey(viewer: Viewer) -> Passkey:
    """As if the browser had made one."""
    return Passkey.create(
        user=viewer.user, credential_id=clock.new_token(), public_key="", name="Key",
        created_at=clock.now(),
    )  # fmt: skip


def told() -> list[str]:
    mails = OutboxMessage.select().where(OutboxMessage.kind == "mail:factor")
    return [mail.payload["change"] for mail in mails.order_by(OutboxMessage.id)]


def test_an_app_is_asked_for_once_it_has_shown_its_first_code(viewer: Viewer) -> None:
    other = viewer_of(viewer.user).session
    secret = factors.begin_authenticator(viewer)
    assert not second_factor.is_asked(viewer.user)

    codes = factors.confirm_authenticator(viewer, digits_of(secret))

    assert second_factor.is_asked(viewer.user)
    assert len(set(codes)) == 10
    assert Session.get_by_id(other.id).ended_at is not None
    assert Session.get_by_id(viewer.session.id).ended_at is None
    assert told() == ["authenticator:added"]


def test_each_code_of_the_app_is_taken_once(viewer: Viewer, day: Any) -> None:
    secret, _ = with_app(viewer)
    with pytest.raises(Invalid):
        second_factor.show(viewer.user, digits_of(secret), "")
    day.shift(30)

    second_factor.show(viewer.user, f" {digits_of(secret)[:3]} {digits_of(secret)[3:]} ", "")
    for again in (digits_of(secret), digits_of(secret, -1)):
        with pytest.raises(Invalid):
            second_factor.show(viewer.user, again, "")


@pytest.mark.parametrize(("later", "is_taken"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_clock_may_go_wrong_by_one_step(
    viewer: Viewer, day: Any, later: int, is_taken: bool
) -> None:
    secret, _ = with_app(viewer)
    day.shift(timedelta(minutes=5))

    assert authenticators.take(viewer.user, digits_of(secret, later)) == is_taken


def test_of_ten_equal_codes_at_once_one_is_taken(viewer: Viewer, day: Any) -> None:
    secret, _ = with_app(viewer)
    day.shift(60)
    digits = digits_of(secret)
    database.close()

    outcomes = race(10, lambda at: authenticators.take(viewer.user, digits))

    assert sorted(outcomes) == [False] * 9 + [True]


def test_the_secret_is_sealed_with_a_key_of_its_own(viewer: Viewer) -> None:
    secret, _ = with_app(viewer)
    kept = Authenticator.get()

    assert secret not in repr(kept.__data__)
    assert sealing.unseal(kept.secret) == secret
    policy.use(replace(policy.policy(), secret_key="another key, as long as it must be"))
    assert sealing.unseal(kept.secret) is None
    assert not authenticators.take(viewer.user, digits_of(secret, 1))


def test_guessing_the_code_waits_and_holds_up_nobody_who_was_here(viewer: Viewer, day: Any) -> None:
    secret, _ = with_app(viewer)
    day.shift(60)
    for _ in range(10):
        with pytest.raises(Invalid):
            second_factor.show(viewer.user, "000000", "")
    with pytest.raises(TooMany):
        second_factor.show(viewer.user, digits_of(secret), "")

    second_factor.show(viewer.user, digits_of(secret), "known")


def test_a_recovery_code_is_good_once_and_told(viewer: Viewer) -> None:
    _, codes = with_app(viewer)

    second_factor.show(viewer.user, f"  {codes[3].upper().replace('-', ' ')}\n", "")

    assert recovery_codes.left(viewer.user) == 9
    assert told()[-1] == "recovery-code:used"
    for wrong in (codes[3], "not-a-code", "", "\ud800", "x" * 100_000, codes[4][:-1]):
        with pytest.raises(Invalid):
            second_factor.show(viewer.user, wrong, "")
    assert recovery_codes.left(viewer.user) == 9


def test_of_five_equal_recovery_codes_at_once_one_is_taken(viewer: Viewer, day: Any) -> None:
    _, codes = with_app(viewer)
    database.close()

    outcomes = race(5, lambda at: second_factor.show(viewer.user, codes[0], ""))

    assert outcomes.count(None) == 1
    assert sum(isinstance(one, Invalid) for one in outcomes) == 4
    assert recovery_codes.left(viewer.user) == 9
    assert told().count("recovery-code:used") == 1


def test_recovery_codes_are_hashed_and_new_ones_end_the_old(viewer: Viewer) -> None:
    _, old = with_app(viewer)
    kept = [row.code_hash for row in RecoveryCode.select()]
    assert all(one.startswith("$argon2id$") for one in kept)
    assert len(set(kept)) == 10

    new = factors.make_recovery_codes(viewer)

    assert recovery_codes.left(viewer.user) == 10
    assert recovery_codes.find(viewer.user, old[0]) is None
    assert recovery_codes.find(viewer.user, new[0]) is not None


@pytest.mark.parametrize("step", ["use", "make"])
def test_codes_change_together_with_the_mail_about_it_or_not_at_all(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    _, codes = with_app(viewer)

    def fail(*_: object) -> None:
        raise RuntimeError("no room")

    change = {
        "use": lambda: second_factor.show(viewer.user, codes[0], ""),
        "make": lambda: factors.make_recovery_codes(viewer),
    }
    with monkeypatch.context() as patch:
        patch.setattr("webapp.outbox.write", fail)
        with pytest.raises(RuntimeError):
            change[step]()

    assert recovery_codes.left(viewer.user) == 10
    second_factor.show(viewer.user, codes[0], "")
    assert told() == ["authenticator:added", "recovery-code:used"]


def test_another_persons_codes_are_none(viewer: Viewer, day: Any) -> None:
    other = viewer_of(make_individual("max@example.org"))
    secret, codes = with_app(viewer)
    with_app(other)
    day.shift(60)

    for given in (digits_of(secret), codes[0]):
        with pytest.raises(Invalid):
            second_factor.show(other.user, given, "")


def test_a_secret_waits_a_quarter_of_an_hour(viewer: Viewer, day: Any) -> None:
    secret = factors.begin_authenticator(viewer)
    day.shift(authenticators.PATIENCE + timedelta(seconds=1))
    with pytest.raises(Invalid):
        factors.confirm_authenticator(viewer, digits_of(secret))
    assert not second_factor.is_asked(viewer.user)


def test_a_stale_session_neither_confirms_a_secret_nor_sees_it(viewer: Viewer, day: Any) -> None:
    """Whoever has an old session of the same person, and waits until they set an app up."""
    stale = replace(viewer, session=Session.get_by_id(viewer.session.id))
    day.shift(timedelta(minutes=6))
    secret = factors.begin_authenticator(viewer_of(viewer.user))

    for digits in ("000000", digits_of(secret)):
        with pytest.raises(NotAllowed) as refused:
            factors.confirm_authenticator(stale, digits)
        assert refused.value.code == "proof"
    assert not second_factor.is_asked(viewer.user)


def test_who_was_proven_at_the_begin_may_take_a_quarter_of_an_hour(
    viewer: Viewer, day: Any
) -> None:
    secret = factors.begin_authenticator(viewer)
    day.shift(timedelta(minutes=9))
    factors.confirm_authenticator(viewer, digits_of(secret))
    assert second_factor.is_asked(viewer.user)


def test_a_stale_session_changes_nothing(viewer: Viewer, day: Any) -> None:
    with_app(viewer)
    passkey = with_passkey(viewer)
    day.shift(timedelta(minutes=6))
    stale = replace(viewer, session=Session.get_by_id(viewer.session.id))

    for change in (
        lambda: factors.begin_authenticator(stale),
        lambda: factors.remove_authenticator(stale),
        lambda: factors.add_passkey(stale, "browser", "{}", ""),
        lambda: factors.remove_passkey(stale, passkey.id),
        lambda: factors.make_recovery_codes(stale),
    ):
        with pytest.raises(NotAllowed) as refused:
            change()
        assert refused.value.code == "proof"
    assert second_factor.is_asked(viewer.user)


def test_turning_the_app_off_ends_its_codes(viewer: Viewer) -> None:
    with_app(viewer)

    factors.remove_authenticator(viewer)

    assert not second_factor.is_asked(viewer.user)
    assert RecoveryCode.select().count() == 0
    assert told()[-1] == "authenticator:removed"


def test_a_passkey_alone_is_a_convenience(viewer: Viewer) -> None:
    """Whoever loses it signs in by password as before, unless one must be shown."""
    with_passkey(viewer)

    assert not second_factor.is_asked(viewer.user)


def test_only_ones_own_passkey_is_removed(viewer: Viewer) -> None:
    other = with_passkey(viewer_of(make_individual("max@example.org")))
    with pytest.raises(NotThere):
        factors.remove_passkey(viewer, other.id)

    mine = with_passkey(viewer)
    factors.remove_passkey(viewer, mine.id)
    assert [one.id for one in Passkey.select()] == [other.id]


def test_a_new_password_keeps_the_second_factor(viewer: Viewer) -> None:
    from webapp.actions import codes
    from webapp.models import SignInCode

    with_app(viewer)
    codes.request(viewer.user.email, "browser", "192.0.2.1", True, "password")
    digits = codes.draw(SignInCode.get())

    sign_in.set_password(viewer.user, viewer.session, "browser", digits, "a whole new river")

    assert second_factor.is_asked(viewer.user)


def test_who_is_asked_for_one(app: Flask) -> None:
    cast: Cast = make_cast(app)
    roles = ("owner", "admin", "finance", "member", "foreign owner", "individual")

    def asked() -> set[str]:
        return {one for one in roles if second_factor.is_required(cast.membership(one))}

    assert asked() == set()
    organisations.ask_for_factor(cast.membership("owner"), "admins")
    assert asked() == {"owner", "admin"}
    organisations.ask_for_factor(cast.membership("owner"), "all")
    assert asked() == {"owner", "admin", "finance", "member"}
    with pytest.raises(NotAllowed):
        organisations.ask_for_factor(cast.membership("admin"), "")
    with pytest.raises(Invalid):
        organisations.ask_for_factor(cast.membership("owner"), "nobody")


def test_the_operators_finance_is_always_asked_outside_development(app: Flask) -> None:
    cast = make_cast(app)
    operator = cast.membership("operator")
    assert not second_factor.is_required(operator)

    policy.use(replace(policy.policy(), env="production"))
    assert second_factor.is_required(operator)
    assert not second_factor.is_required(cast.membership("owner"))


def test_where_one_is_asked_the_last_one_stays(app: Flask) -> None:
    cast = make_cast(app)
    organisations.ask_for_factor(cast.membership("owner"), "all")
    viewer = viewer_of(cast.users["member"])
    passkey = with_passkey(viewer)
    assert second_factor.is_asked(viewer.user)
    with pytest.raises(Blocked):
        factors.remove_passkey(viewer, passkey.id)

    with_app(viewer)
    factors.remove_passkey(viewer, passkey.id)
    with pytest.raises(Blocked):
        factors.remove_authenticator(viewer)
    assert not second_factor.is_missing(membership_of(viewer.user))


def test_after_a_loss_the_operator_takes_all_away(viewer: Viewer) -> None:
    with_app(viewer)
    with_passkey(viewer)

    second_factor.forget_of(" INES@example.org ")

    assert not second_factor.has_one(viewer.user)
    assert (Passkey.select().count(), RecoveryCode.select().count()) == (0, 0)
    assert Session.get_by_id(viewer.session.id).ended_at is not None
    assert told()[-1] == "factors:forgotten"
    with pytest.raises(Invalid):
        second_factor.forget_of("nobody@example.org")


def test_every_change_leaves_an_event_of_its_person(viewer: Viewer) -> None:
    with_app(viewer)
    factors.make_recovery_codes(viewer)
    factors.remove_authenticator(viewer)

    events = AuditEvent.select().where(AuditEvent.actor == viewer.user).order_by(AuditEvent.id)
    assert [event.kind for event in events] == [
        "authenticator:added", "recovery-codes:made", "authenticator:removed",
    ]  # fmt: skip


def test_a_passkey_is_made_only_with_a_fresh_proof_of_the_same_person(app: Flask) -> None:
    policy.use(replace(policy.policy(), base_url="http://localhost"))
    viewer = viewer_of(make_individual("ines@example.org"))
    answer = Device().make(passkeys.registering("browser", viewer.user))

    assert factors.add_passkey(viewer, "browser", answer, "Phone").user == viewer.user
    assert User.select().count() == 1
