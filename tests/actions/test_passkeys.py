"""Passkeys: one person, one browser, one answer, verified by the device."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.databases import fresh_sqlite
from tests.passkeys import Device
from tests.people import make_individual, on_the_day
from tests.races import race
from webapp import policy, webauthn
from webapp.actions import passkeys
from webapp.database import database
from webapp.errors import Invalid, TooMany
from webapp.models import AuditEvent, OutboxMessage, Passkey, SpentChallenge, User

BROWSER, OTHER, SOURCE = "one browser's hash", "another one's hash", "192.0.2.1"


@pytest.fixture(autouse=True)
def day() -> Iterator[Any]:
    with on_the_day() as traveller:
        yield traveller


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    from tests.apps import make_app

    app = make_app(database_url, base_url="http://localhost")
    with app.app_context():
        yield app
    database.close()
    if hasattr(database.obj, "close_all"):
        database.obj.close_all()


@pytest.fixture
def person(app: Flask) -> User:
    return make_individual("ines@example.org")


def made(user: User, device: Device, name: str = "Phone") -> Passkey:
    answer = device.make(passkeys.registering(BROWSER, user))
    return passkeys.register(user, BROWSER, answer, name)


def shown(device: Device, browser: str = BROWSER) -> User:
    return passkeys.show(browser, SOURCE, device.show(passkeys.asking(browser, None)))


def test_a_passkey_that_was_made_signs_in(person: User) -> None:
    device = Device()
    passkey = made(person, device, "  Phone\u202e ")

    assert (passkey.user, passkey.name) == (person, "Phone")
    assert shown(device) == person
    assert shown(device, OTHER) == person
    assert Passkey.get().sign_count == 2
    assert Passkey.get().last_used_at is not None
    mails = OutboxMessage.select().where(OutboxMessage.kind == "mail:factor")
    assert [mail.payload["change"] for mail in mails] == ["passkey:added"]


def test_a_device_that_does_not_count_signs_in_again_and_again(person: User) -> None:
    device = Device(counts=False)
    made(person, device)

    assert [shown(device) for _ in range(3)] == [person] * 3


def test_a_copy_is_noticed_by_its_count_and_told(person: User) -> None:
    device = Device()
    made(person, device)
    copy = device.copy()
    for _ in range(2):
        shown(device)

    with pytest.raises(Invalid):
        shown(copy)
    assert AuditEvent.select().where(AuditEvent.kind == "passkey:doubted").count() == 1
    assert shown(device) == person


def test_a_device_that_stops_counting_is_a_copy_too(person: User) -> None:
    device = Device()
    made(person, device)
    shown(device)
    device.counts = False

    with pytest.raises(Invalid):
        shown(device)


def test_an_answer_is_heard_once(person: User) -> None:
    device = Device(counts=False)
    made(person, device)
    answer = device.show(passkeys.asking(BROWSER, None))

    assert passkeys.show(BROWSER, SOURCE, answer) == person
    with pytest.raises(Invalid):
        passkeys.show(BROWSER, SOURCE, answer)


def test_of_ten_equal_answers_at_once_one_is_heard(person: User) -> None:
    device = Device(counts=False)
    made(person, device)
    answer = device.show(passkeys.asking(BROWSER, None))
    database.close()

    outcomes = race(10, lambda at: passkeys.show(BROWSER, SOURCE, answer))

    assert [one for one in outcomes if isinstance(one, User)] == [person]
    assert [type(one) for one in outcomes].count(Invalid) == 9


def test_a_challenge_is_for_its_browser_its_purpose_and_some_minutes(
    person: User, day: Any
) -> None:
    device = Device()
    made(person, device)
    elsewhere = device.show(passkeys.asking(OTHER, None))
    to_register = device.show({**passkeys.registering(BROWSER, person), "rpId": "localhost"})
    ours = device.show(passkeys.asking(BROWSER, None))
    invented = device.show({"challenge": "aW52ZW50ZWQ", "rpId": "localhost"})

    for answer in (elsewhere, to_register, invented):
        with pytest.raises(Invalid):
            passkeys.show(BROWSER, SOURCE, answer)
    day.shift(passkeys.LIFE + timedelta(seconds=1))
    with pytest.raises(Invalid):
        passkeys.show(BROWSER, SOURCE, ours)
    assert passkeys.forget_spent() >= 1


def test_whoever_was_not_verified_by_the_device_is_refused(person: User) -> None:
    with pytest.raises(Invalid):
        made(person, Device(verifies=False))
    device = Device()
    made(person, device)
    device.verifies = False
    with pytest.raises(Invalid):
        shown(device)


@pytest.mark.parametrize("origin", ["https://localhost", "http://localhost.evil.example"])
def test_another_sites_answer_is_refused(person: User, origin: str) -> None:
    with pytest.raises(Invalid):
        made(person, Device(origin=origin))
    device = Device()
    made(person, device)
    device.origin = origin
    with pytest.raises(Invalid):
        shown(device)


def test_a_strangers_key_under_a_known_name_is_refused(person: User) -> None:
    device = Device()
    made(person, device)
    with pytest.raises(Invalid):
        shown(Device(credential_id=device.credential_id))
    with pytest.raises(Invalid):
        shown(Device())


def test_one_device_is_one_persons(person: User) -> None:
    device = Device()
    made(person, device)
    other = make_individual("max@example.org")
    answer = device.make(passkeys.registering(BROWSER, other))
    with pytest.raises(Invalid):
        passkeys.register(other, BROWSER, answer, "")
    answer = Device().make(passkeys.registering(BROWSER, other))
    with pytest.raises(Invalid):
        passkeys.register(person, BROWSER, answer, "")

    assert Passkey.select().count() == 1


HOSTILE = (
    "", "{}", "[]", "null", "1", "[" * 10_000, "\ud800", "\0", '{"id": 1}', "x" * 100_000,
    '{"response": []}', '{"response": {"clientDataJSON": 1}}',
    '{"response": {"clientDataJSON": "!!!"}}', '{"response": {"clientDataJSON": "W10"}}',
)  # fmt: skip


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_nonsense_is_refused_like_all_else(person: User, answer: str) -> None:
    with pytest.raises(Invalid) as refused:
        passkeys.show(BROWSER, SOURCE, answer)
    assert refused.value.code == "passkey"
    with pytest.raises(Invalid):
        passkeys.register(person, BROWSER, answer, "")
    assert not SpentChallenge.select().exists()


def test_every_part_of_an_answer_counts(person: User) -> None:
    """Whatever of it is left out or changed, it is refused, and never with another error."""
    device = Device()
    made(person, device)
    for name in ("id", "rawId", "type", "clientDataJSON", "authenticatorData", "signature"):
        for value in ("", "AAAA", 5, None, ["x"], "\0", "\ud800", "é" * 9_000):
            answer = json.loads(device.show(passkeys.asking(BROWSER, None)))
            place = answer if name in answer else answer["response"]
            place[name] = value
            with pytest.raises(Invalid):
                passkeys.show(BROWSER, "2001:db8::" + name, json.dumps(answer))


def test_a_source_that_shows_nonsense_must_wait(app: Flask) -> None:
    for _ in range(passkeys.FROM_SOURCE):
        with pytest.raises(Invalid):
            passkeys.show(BROWSER, SOURCE, "{}")
    with pytest.raises(TooMany):
        passkeys.show(BROWSER, SOURCE, "{}")


def test_what_is_asked_tells_nothing_of_anybody(person: User) -> None:
    made(person, Device())

    assert passkeys.asking(BROWSER, None)["allowCredentials"] == []
    options = passkeys.registering(BROWSER, person)
    assert person.email.encode() not in webauthn.decoded(options["user"]["id"])
    assert len(options["excludeCredentials"]) == 1
    assert options["authenticatorSelection"]["userVerification"] == "required"


@pytest.mark.parametrize(
    ("base_url", "is_possible"),
    [
        ("http://localhost:8000", True),
        ("https://affluent.example", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_a_number_is_no_name_for_a_passkey(tmp_path: Any, base_url: str, is_possible: bool) -> None:
    from tests.apps import make_app

    before = policy.policy()
    make_app(fresh_sqlite(tmp_path), base_url=base_url)
    assert webauthn.is_possible() == is_possible
    policy.use(before)
