"""Passkeys: asked for, registered, shown. A challenge is a signed value that needs no row until it
is answered: for one purpose, in one browser, for some minutes, once."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from peewee import IntegrityError

from webapp import clock, webauthn
from webapp.actions import second_factor, throttle
from webapp.database import database, transaction
from webapp.errors import Invalid
from webapp.models import Passkey, SpentChallenge, User
from webapp.policy import policy
from webapp.texts import cleaned

LIFE = timedelta(minutes=15)
FROM_SOURCE, WINDOW = 100, timedelta(minutes=15)
NAME_MOST = 60
MOST = 20


def of(user: User) -> list[Passkey]:
    return list(Passkey.select().where(Passkey.user == user).order_by(Passkey.id))


def asking(browser: str, user: User | None) -> Any:
    """Options for a browser to show a passkey: one of the user's, else any that it has."""
    known = [one.credential_id for one in of(user)] if user is not None else []
    return webauthn.asking(_challenge("sign-in", browser), known)


def registering(browser: str, user: User) -> Any:
    """Options for a browser to make one."""
    known = [one.credential_id for one in of(user)]
    key = policy().secret_key.encode()
    handle = hmac.digest(key, f"passkeys of user {user.id}".encode(), "sha256")
    purpose = f"register:{user.id}"
    return webauthn.registering(
        _challenge(purpose, browser), handle, user.email, user.shown_name, known
    )


def register(user: User, browser: str, answer: str, name: str) -> Passkey:
    """Invalid("passkey") when it proves nothing, Invalid("passkeys_full") when there are enough."""
    if len(of(user)) >= MOST:
        raise Invalid("passkeys_full")
    with _heard():
        challenge = _spent(answer, f"register:{user.id}", browser)
        made = webauthn.registered(answer, challenge)
    try:
        with transaction(), database.savepoint():
            passkey: Passkey = Passkey.create(
                user=user,
                credential_id=made.credential_id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                name=cleaned(name, NAME_MOST),
                created_at=clock.now(),
            )
            second_factor.tell(user, "passkey:added")
    except IntegrityError as error:
        raise Invalid("passkey") from error
    return passkey


def show(browser: str, source: str, answer: str) -> User:
    """Whose passkey it is. Invalid("passkey") for an unknown one, a wrong answer, a challenge of
    another browser, too old or answered before, and a count that did not grow: a copy."""
    throttle.check(f"passkeys-from:{source}", FROM_SOURCE, WINDOW)
    try:
        with _heard():
            challenge = _spent(answer, "sign-in", browser)
            passkey = _known(answer)
            count = webauthn.shown(answer, challenge, passkey.public_key)
    except Invalid:
        throttle.count(f"passkeys-from:{source}", 100_000, WINDOW)
        raise
    _count(passkey, count)
    return passkey.user


def remove(user: User, passkey_id: int) -> bool:
    removed: int = Passkey.delete().where(Passkey.user == user, Passkey.id == passkey_id).execute()
    return removed > 0


def forget_spent() -> int:
    """For a periodic task: challenges that would be too old by now."""
    dropped: int = SpentChallenge.delete().where(SpentChallenge.expires_at < clock.now()).execute()
    return dropped


def _known(answer: str) -> Passkey:
    credential_id = webauthn.credential_of(answer)
    found = (
        Passkey.select(Passkey, User)
        .join(User)
        .where(Passkey.credential_id == credential_id)
        .first()
    )
    if found is None:
        raise webauthn.Refused("unknown")
    passkey: Passkey = found
    return passkey


def _count(passkey: Passkey, count: int) -> None:
    """Devices that count must go up; those that never do stay at nothing."""
    has_grown = Passkey.sign_count < count
    if count == 0:
        has_grown = Passkey.sign_count == 0
    counted = (
        Passkey.update(sign_count=count, last_used_at=clock.now())
        .where(Passkey.id == passkey.id, has_grown)
        .execute()
    )
    if counted != 1:
        with transaction():
            second_factor.tell(passkey.user, "passkey:doubted")
        raise Invalid("passkey", field="passkey")


def _challenge(purpose: str, browser: str) -> str:
    challenge: str = _signer().dumps([purpose, browser[:16], clock.new_token()])
    return challenge


def _spent(answer: str, purpose: str, browser: str) -> str:
    """The challenge of this answer, from now on useless."""
    challenge = webauthn.challenge_of(answer)
    try:
        signed = _signer().loads(challenge, max_age=int(LIFE.total_seconds()))
    except BadData as error:
        raise webauthn.Refused("challenge") from error
    if signed[:2] != [purpose, browser[:16]]:
        raise webauthn.Refused("challenge")
    name = hashlib.sha256(challenge.encode()).hexdigest()
    try:
        with transaction(), database.savepoint():
            SpentChallenge.create(challenge_hash=name, expires_at=clock.now() + LIFE)
    except IntegrityError as error:
        raise webauthn.Refused("answered") from error
    return challenge


@contextmanager
def _heard() -> Iterator[None]:
    try:
        yield
    except webauthn.Refused as error:
        raise Invalid("passkey", field="passkey") from error


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(policy().secret_key, salt="passkey")
