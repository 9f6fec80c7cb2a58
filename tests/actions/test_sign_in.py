"""Proving who one is: passwords, imported hashes and mailed codes, also many at once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from tests.people import PASSWORD, make_individual, on_the_day, session_of
from tests.races import race
from webapp import passwords
from webapp.actions import codes, sign_in
from webapp.database import database
from webapp.errors import Invalid, TooMany
from webapp.models import AuditEvent, OutboxMessage, Session, SignInCode, User

EMAIL = "ines@example.org"
BROWSER = "the browser's hash"


@pytest.fixture(autouse=True)
def day() -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def person(app: Flask) -> User:
    return make_individual(EMAIL)


def with_hash(user: User, password_hash: str | None) -> None:
    User.update(password_hash=password_hash).where(User.id == user.id).execute()


def requested(purpose: str = "sign-in", email: str = EMAIL) -> str:
    """A code that was mailed; its digits."""
    codes.request(email, BROWSER, "192.0.2.1", True, purpose)
    return codes.draw(SignInCode.select().order_by(SignInCode.id.desc()).get())


def wrong(digits: str) -> str:
    return f"{(int(digits) + 1) % 1_000_000:06d}"


def test_an_address_is_known_however_it_is_written(person: User) -> None:
    for written in (EMAIL, "  INES@Example.ORG "):
        assert sign_in.by_password(written, PASSWORD, "192.0.2.1") == person


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org", "invited@example.org"])
def test_every_failure_reads_the_same(person: User, email: str) -> None:
    with_hash(make_individual("invited@example.org"), None)

    with pytest.raises(Invalid) as refused:
        sign_in.by_password(email, "not the password", "192.0.2.1")

    assert (refused.value.code, refused.value.facts) == ("credentials", {"field": "password"})


def test_every_failure_takes_the_same_work(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same Argon2 settings are worked through for an address that nobody has."""
    verified: list[str] = []
    work = passwords._hasher.verify_and_update

    def count(password: str, password_hash: str) -> tuple[bool, str | None]:
        verified.append(password_hash.rpartition("$")[0].rpartition("$")[0])
        return work(password, password_hash)

    monkeypatch.setattr(passwords._hasher, "verify_and_update", count)
    with_hash(make_individual("invited@example.org"), None)
    for email in (EMAIL, "nobody@example.org", "invited@example.org"):
        with pytest.raises(Invalid):
            sign_in.by_password(email, "not the password", "192.0.2.1")

    assert len(verified) == 3
    assert set(verified) == {"$argon2id$v=19$m=19456,t=2,p=1"}


@pytest.mark.parametrize(
    "imported",
    [
        BcryptHasher(rounds=4).hash(PASSWORD),
        BcryptHasher(rounds=4, prefix="2a").hash(PASSWORD),
        Argon2Hasher(memory_cost=1024, time_cost=1, parallelism=2).hash(PASSWORD),
    ],
    ids=["2b", "2a", "argon2id"],
)
def test_an_imported_hash_becomes_ours_at_its_first_use(person: User, imported: str) -> None:
    with_hash(person, imported)

    for _ in range(2):
        assert sign_in.by_password(EMAIL, PASSWORD, "192.0.2.1") == person

    ours = User.get_by_id(person.id).password_hash
    assert ours.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_wrong_password_changes_no_imported_hash(person: User) -> None:
    imported = BcryptHasher(rounds=4).hash(PASSWORD)
    with_hash(person, imported)

    with pytest.raises(Invalid):
        sign_in.by_password(EMAIL, PASSWORD + "x", "192.0.2.1")

    assert User.get_by_id(person.id).password_hash == imported


def test_a_long_password_that_bcrypt_had_cut_still_works(person: User) -> None:
    long = "é" * 50
    with_hash(person, BcryptHasher(rounds=4).hash(long.encode()[:72]))

    assert sign_in.by_password(EMAIL, long, "192.0.2.1") == person
    # Ours takes the whole of it.
    with pytest.raises(Invalid):
        sign_in.by_password(EMAIL, "é" * 49, "192.0.2.1")


@pytest.mark.parametrize("stored", ["", "plain text", "$1$md5$x", "$2b$04$short", "$argon2id$x"])
def test_a_hash_of_no_known_form_is_a_wrong_password(person: User, stored: str) -> None:
    with_hash(person, stored)

    with pytest.raises(Invalid):
        sign_in.by_password(EMAIL, PASSWORD, "192.0.2.1")


@pytest.mark.parametrize("password", ["", "\0", "\ud800", "x" * 1_000_000, "é" * 500])
def test_no_password_is_too_odd_to_be_wrong(person: User, password: str) -> None:
    with pytest.raises(Invalid):
        sign_in.by_password(EMAIL, password, "192.0.2.1")


def test_ten_wrong_ones_close_the_address_and_not_the_others(person: User, day: Any) -> None:
    make_individual("other@example.org")
    for at in range(10):
        with pytest.raises(Invalid):
            sign_in.by_password(EMAIL, "wrong", f"192.0.2.{at}")

    with pytest.raises(TooMany) as closed:
        sign_in.by_password(EMAIL, PASSWORD, "192.0.2.99")
    assert 0 < closed.value.facts["retry_after"] <= 15 * 60 + 1
    assert sign_in.by_password("other@example.org", PASSWORD, "192.0.2.99")

    day.shift(closed.value.facts["retry_after"])
    assert sign_in.by_password(EMAIL, PASSWORD, "192.0.2.99") == person


def test_an_address_that_nobody_has_is_closed_as_well(app: Flask) -> None:
    for _ in range(10):
        with pytest.raises(Invalid):
            sign_in.by_password("nobody@example.org", "wrong", "192.0.2.1")
    with pytest.raises(TooMany):
        sign_in.by_password("nobody@example.org", "wrong", "192.0.2.1")


def test_the_right_password_is_no_try(person: User) -> None:
    for _ in range(12):
        assert sign_in.by_password(EMAIL, PASSWORD, "192.0.2.1") == person


def test_a_source_that_guesses_everywhere_is_closed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "verified", lambda password, password_hash: (False, None))
    for at in range(200):
        with pytest.raises(Invalid):
            sign_in.by_password(f"p{at}@example.org", "wrong", "192.0.2.1")

    with pytest.raises(TooMany):
        sign_in.by_password("p999@example.org", "wrong", "192.0.2.1")
    with pytest.raises(Invalid):
        sign_in.by_password("p999@example.org", "wrong", "192.0.2.2")


def test_a_code_is_good_once(person: User) -> None:
    digits = requested()

    assert sign_in.by_code(EMAIL, BROWSER, f" {digits[:3]} {digits[3:]} ") == person
    assert User.get_by_id(person.id).verified_at is not None
    with pytest.raises(Invalid):
        sign_in.by_code(EMAIL, BROWSER, digits)


def test_a_code_is_for_its_address_its_browser_and_its_purpose(person: User) -> None:
    make_individual("other@example.org")
    digits = requested()

    for email, browser in ((EMAIL, "another browser"), ("other@example.org", BROWSER)):
        with pytest.raises(Invalid):
            sign_in.by_code(email, browser, digits)
    with pytest.raises(Invalid):
        codes.redeem(EMAIL, BROWSER, digits, purpose="password")
    assert sign_in.by_code(EMAIL, BROWSER, digits) == person


def test_a_newer_code_counts_and_the_older_one_no_more(person: User) -> None:
    old = requested()
    new = requested()
    if old != new:
        with pytest.raises(Invalid):
            codes.redeem(EMAIL, BROWSER, old)

    codes.redeem(EMAIL, BROWSER, new)


def test_a_code_ends_after_ten_minutes_to_the_second(person: User, day: Any) -> None:
    digits = requested()
    day.shift(timedelta(minutes=10))
    with pytest.raises(Invalid):
        codes.redeem(EMAIL, BROWSER, digits)

    day.shift(timedelta(seconds=-1))
    codes.redeem(EMAIL, BROWSER, digits)


def test_the_fifth_wrong_try_says_to_ask_for_a_new_code(person: User) -> None:
    digits = requested()
    told = []
    for _ in range(6):
        with pytest.raises(Invalid) as refused:
            codes.redeem(EMAIL, BROWSER, wrong(digits))
        told.append(refused.value.facts["again"])

    assert told == [False, False, False, False, True, True]
    with pytest.raises(Invalid):
        codes.redeem(EMAIL, BROWSER, digits)


def test_a_code_whose_mail_was_not_written_yet_fits_nothing(person: User) -> None:
    codes.request(EMAIL, BROWSER, "192.0.2.1", True)

    for digits in ("", "000000"):
        with pytest.raises(Invalid):
            codes.redeem(EMAIL, BROWSER, digits)


def test_of_twenty_guesses_at_once_five_count(person: User) -> None:
    digits = requested()
    database.close()

    outcomes = race(20, lambda at: codes.redeem(EMAIL, BROWSER, wrong(digits)))

    assert {type(one) for one in outcomes} == {Invalid}
    assert SignInCode.get().tries == 5
    with pytest.raises(Invalid):
        codes.redeem(EMAIL, BROWSER, digits)


def test_of_five_right_ones_at_once_one_signs_in(person: User) -> None:
    digits = requested()
    database.close()

    outcomes = race(5, lambda at: codes.redeem(EMAIL, BROWSER, digits))

    assert outcomes.count(None) == 1, outcomes
    assert {type(one) for one in outcomes if one is not None} == {Invalid}


def test_codes_are_mailed_to_people_and_counted_for_everybody(app: Flask, person: User) -> None:
    """The work is the same, down to the message; who is nobody's gets no mail of it."""
    for email, is_known in ((EMAIL, True), ("nobody@example.org", False)):
        for _ in range(6):
            sign_in.request_code(email, BROWSER, "192.0.2.1")
        with pytest.raises(TooMany):
            sign_in.request_code(email, BROWSER, "192.0.2.1")
        ids = [row.id for row in SignInCode.select().where(SignInCode.email == email)]
        written = {
            message.payload["code_id"]: message.payload["is_known"]
            for message in OutboxMessage.select().where(OutboxMessage.kind == "mail:code")
        }
        assert [written[id] for id in ids] == [is_known] * 6


def test_only_a_hash_of_the_digits_is_kept(person: User) -> None:
    digits = requested()

    (code,) = SignInCode.select()
    assert digits not in repr(code.__data__)
    assert all(digits not in repr(row.payload) for row in OutboxMessage.select())


@pytest.mark.parametrize("length", [0, 11, 129])
def test_a_password_has_its_length_and_a_wrong_one_costs_no_code(person: User, length: int) -> None:
    digits = requested("password")
    session = session_of(person)
    with pytest.raises(Invalid) as refused:
        sign_in.set_password(person, session, BROWSER, digits, "x" * length)
    assert refused.value.code == "password_length"

    sign_in.set_password(person, session, BROWSER, digits, "x" * 128)
    assert sign_in.by_password(EMAIL, "x" * 128, "192.0.2.1") == person


def test_setting_a_password_ends_other_sessions_tells_and_proves(person: User, day: Any) -> None:
    session, other = session_of(person), session_of(person)
    day.shift(timedelta(hours=1))

    sign_in.set_password(person, session, BROWSER, requested("password"), "a whole new river")

    assert Session.get_by_id(other.id).ended_at is not None
    kept = Session.get_by_id(session.id)
    assert kept.ended_at is None
    assert kept.proven_at > session.proven_at
    assert OutboxMessage.select().where(OutboxMessage.kind == "mail:password").count() == 1
    assert AuditEvent.select().where(AuditEvent.kind == "password:changed").count() == 1


def test_without_the_code_nothing_of_it_happens(person: User) -> None:
    session, other = session_of(person), session_of(person)
    digits = requested("password")

    with pytest.raises(Invalid):
        sign_in.set_password(person, session, BROWSER, wrong(digits), "a whole new river")

    assert Session.get_by_id(other.id).ended_at is None
    assert sign_in.by_password(EMAIL, PASSWORD, "192.0.2.1") == person
