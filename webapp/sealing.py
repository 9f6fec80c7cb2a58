"""Secrets that the program must read again, sealed for the database with a key of their own."""

import base64
from typing import Any

from webapp.policy import policy


def seal(text: str) -> str:
    sealed: bytes = _box().encrypt(text.encode())
    return sealed.decode()


def unseal(sealed: str) -> str | None:
    """None when SECRET_KEY is another one by now, or the row was tampered with."""
    from cryptography.fernet import InvalidToken

    try:
        opened: bytes = _box().decrypt(sealed.encode())
    except InvalidToken:
        return None
    return opened.decode()


def _box() -> Any:
    # Imported where it is used: most processes never need these megabytes.
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"affluent: secrets at rest")
    return Fernet(base64.urlsafe_b64encode(kdf.derive(policy().secret_key.encode())))
