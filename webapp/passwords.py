"""Password hashes: Argon2id for ours, bcrypt and other Argon2 settings for imported ones."""

from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

LEAST, MOST = 12, 128


class _ImportedBcrypt(BcryptHasher):
    """bcrypt never saw more than 72 bytes: longer passwords were cut where the hash was made."""

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        given = password.encode() if isinstance(password, str) else password
        return super().verify(given[:72], hash)


# 19 MiB and two passes: OWASP's setting; the library's own is too slow for two cores.
_hasher = PasswordHash(
    (Argon2Hasher(memory_cost=19 * 1024, time_cost=2, parallelism=1), _ImportedBcrypt())
)
# Each takes memory and a core: more than two at once only wait for each other.
_at_work = BoundedSemaphore(2)


def hashed(password: str) -> str:
    with _at_work:
        return _hasher.hash(password)


# Verified against when there is no such user, so that the answer takes as long.
_NOBODY = hashed("nobody has this password")


def is_known_form(password_hash: str) -> bool:
    """Can people whose hash this is sign in with it?"""
    return any(hasher.identify(password_hash) for hasher in _hasher.hashers)


def verified(password: str, password_hash: str | None) -> tuple[bool, str | None]:
    """Is it the password; and the better hash to store when the old one is of another setting."""
    with _at_work:
        try:
            fits, better = _hasher.verify_and_update(password, password_hash or _NOBODY)
        except (UnknownHashError, ValueError):
            return False, None
    if password_hash is None:
        return False, None
    return fits, better
