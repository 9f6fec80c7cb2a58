"""Authenticator apps: a code of six digits every thirty seconds (RFC 6238), each taken once."""

from datetime import datetime, timedelta
from typing import Any

import pyotp

from webapp import clock, sealing
from webapp.errors import Invalid
from webapp.models import Authenticator, User
from webapp.policy import policy

DIGITS = 6
# A clock may go wrong by a step, before and after.
TOLERATED = 1
# How long a secret waits for its first code.
PATIENCE = timedelta(minutes=15)


def is_on(user: User) -> bool:
    return _in_force(user) is not None


def begin(user: User) -> str:
    """A new secret in base32, not in force yet, for the app to take; an older one that waited is
    forgotten. Invalid("authenticator") when one is in force: it is taken away first."""
    if is_on(user):
        raise Invalid("authenticator")
    secret = clock.new_secret()
    Authenticator.delete().where(_waiting(user)).execute()
    Authenticator.create(user=user, secret=sealing.seal(secret), created_at=clock.now())
    return secret


def waiting(user: User) -> str | None:
    """The secret whose first code is awaited, in base32."""
    found = _found_waiting(user)
    return None if found is None else sealing.unseal(found.secret)


def begun_at(user: User) -> datetime | None:
    """When that secret was made."""
    found = _found_waiting(user)
    return None if found is None else found.created_at


def _found_waiting(user: User) -> Authenticator | None:
    is_new = Authenticator.created_at > clock.now() - PATIENCE
    found: Authenticator | None = Authenticator.get_or_none(_waiting(user), is_new)
    return found


def _waiting(user: User) -> Any:
    return (Authenticator.user == user) & Authenticator.confirmed_at.is_null()


def address(user: User, secret: str) -> str:
    """What the QR code holds."""
    totp = pyotp.TOTP(secret)
    return totp.provisioning_uri(name=str(user.email), issuer_name=policy().seller.name)


def confirm(user: User, digits: str) -> None:
    """The app shows the right code: from now on it is asked for. Invalid("factor") else."""
    secret = waiting(user)
    step = None if secret is None else _step(secret, digits)
    changed = (
        Authenticator.update(confirmed_at=clock.now(), last_step=step or 0)
        .where(Authenticator.user == user, Authenticator.confirmed_at.is_null())
        .execute()
        if step is not None
        else 0
    )
    if changed != 1:
        raise Invalid("factor", field="code", is_waiting=secret is not None)


def take(user: User, digits: str) -> bool:
    """Is it the code of now, and not taken before?"""
    found = _in_force(user)
    secret = None if found is None else sealing.unseal(found.secret)
    step = None if secret is None else _step(secret, digits)
    if found is None or step is None:
        return False
    taken = (
        Authenticator.update(last_step=step)
        .where(Authenticator.id == found.id, Authenticator.last_step < step)
        .execute()
    )
    return bool(taken == 1)


def remove(user: User) -> bool:
    removed: int = Authenticator.delete().where(Authenticator.user == user).execute()
    return removed > 0


def _in_force(user: User) -> Authenticator | None:
    found: Authenticator | None = Authenticator.get_or_none(
        Authenticator.user == user, Authenticator.confirmed_at.is_null(False)
    )
    return found


def _step(secret: str, digits: str) -> int | None:
    totp = pyotp.TOTP(secret)
    try:
        return totp.verify_and_get_timecode(
            "".join(digits.split()), for_time=clock.now(), valid_window=TOLERATED
        )
    except pyotp.OTPVerificationError:
        return None
