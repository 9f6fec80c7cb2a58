"""Password hashes: Argon2id for ours, bcrypt and other Argon2 settings for imported ones; and what
a new password must not be."""

import lzma
import re
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

LEAST, MOST = 12, 128
# An imported one may be longer; more than this is nobody's.
MOST_TRIED = 1024

COMMON = Path(__file__).parent / "common_passwords.txt.xz"
# What this service is called, beside what the person is.
CONTEXT = ("affluent",)
# So many letters must be left of a password without the words that everybody would try first.
LEAST_OWN = 4


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
        if len(password) > MOST_TRIED:
            password, password_hash = "", None
        try:
            fits, better = _hasher.verify_and_update(password, password_hash or _NOBODY)
        except (UnknownHashError, ValueError):
            return False, None
    if password_hash is None:
        return False, None
    return fits, better


def weakness(password: str, *own: str) -> str:
    """Why it cannot be a new password: "length", "common", "own", or "" when it can. `own` are the
    person's address and name and the like: their words, together with digits and punctuation, must
    not be most of it. No character is asked for and none is refused."""
    if not LEAST <= len(password) <= MOST:
        return "length"
    folded = password.casefold()
    if folded in _common():
        return "common"
    left = folded
    for word in _words(*own, *CONTEXT):
        left = left.replace(word, "")
    is_shorter = len(left) < len(folded)
    return "own" if is_shorter and len(re.sub(r"[\W\d_]", "", left)) < LEAST_OWN else ""


def _words(*texts: str) -> list[str]:
    """Of four letters and more, the longest first, so that none hides another."""
    words = {word for text in texts for word in re.split(r"[\W\d_]+", text.casefold())}
    return sorted((word for word in words if len(word) >= 4), key=len, reverse=True)


@cache
def _common() -> frozenset[str]:
    """Unpacked when a password is first set; about a megabyte."""
    lines = lzma.decompress(COMMON.read_bytes()).decode().splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
