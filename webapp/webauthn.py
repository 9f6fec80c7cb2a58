"""What passkeys say, checked by py_webauthn: the only place that imports it, and late, for it takes
some twenty megabytes. Nothing here knows the database."""

import base64
import ipaddress
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from webapp.policy import policy

# A browser's answer has some hundreds of characters; an attestation that nobody asked for, more.
MOST = 20_000
TIMEOUT_MS = 300_000
# ES256, EdDSA and RS256: what authenticators have.
ALGORITHMS = (-7, -8, -257)
# What a credential is called: base64url.
NAME = re.compile(r"[A-Za-z0-9_-]+")


class Refused(Exception):
    """It does not prove what it should."""


@dataclass(frozen=True, slots=True)
class Registered:
    """`credential_id` and `public_key` in base64url."""

    credential_id: str
    public_key: str
    sign_count: int


def is_possible() -> bool:
    """Passkeys belong to a host's name; a number is none."""
    try:
        ipaddress.ip_address(_host())
    except ValueError:
        return True
    return False


def registering(challenge: str, handle: bytes, name: str, shown: str, known: list[str]) -> Any:
    """What `navigator.credentials.create` is asked; bytes in base64url. The person must be verified
    by the device, and found by it without naming an address."""
    return {
        "challenge": encoded(challenge.encode()),
        "rp": {"id": _host(), "name": policy().seller.name},
        "user": {"id": encoded(handle), "name": name, "displayName": shown},
        "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in ALGORITHMS],
        "excludeCredentials": _described(known),
        "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
        "attestation": "none",
        "timeout": TIMEOUT_MS,
    }


def asking(challenge: str, known: list[str]) -> Any:
    """What `navigator.credentials.get` is asked; none `known` lets the device offer what it has."""
    return {
        "challenge": encoded(challenge.encode()),
        "rpId": _host(),
        "allowCredentials": _described(known),
        "userVerification": "required",
        "timeout": TIMEOUT_MS,
    }


def challenge_of(answer: str) -> str:
    """The challenge that a browser's answer answers, which proves nothing yet."""
    return decoded(_challenge(answer)).decode(errors="replace")


def credential_of(answer: str) -> str:
    """Its name as a database may be asked for it, or ""."""
    found = _read(answer).get("id")
    return found if isinstance(found, str) and NAME.fullmatch(found) else ""


def registered(answer: str, challenge: str) -> Registered:
    import webauthn

    try:
        verified = webauthn.verify_registration_response(
            credential=_read(answer),
            expected_challenge=challenge.encode(),
            expected_rp_id=_host(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except Exception as error:  # whatever a hostile text makes its parsers raise
        raise Refused(type(error).__name__) from error
    return Registered(
        encoded(verified.credential_id),
        encoded(verified.credential_public_key),
        verified.sign_count,
    )


def shown(answer: str, challenge: str, public_key: str) -> int:
    """The sign count of an answer that is right; whether it has grown is for the caller to see."""
    import webauthn

    try:
        verified = webauthn.verify_authentication_response(
            credential=_read(answer),
            expected_challenge=challenge.encode(),
            expected_rp_id=_host(),
            expected_origin=_origin(),
            credential_public_key=decoded(public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # as above
        raise Refused(type(error).__name__) from error
    return verified.new_sign_count


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except ValueError as error:
        raise Refused("base64") from error


def _described(known: list[str]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": each} for each in known]


def _challenge(answer: str) -> str:
    response = _read(answer).get("response")
    data = response.get("clientDataJSON") if isinstance(response, dict) else None
    try:
        client = json.loads(decoded(data if isinstance(data, str) else ""))
    except (ValueError, RecursionError) as error:
        raise Refused("client data") from error
    challenge = client.get("challenge") if isinstance(client, dict) else None
    return challenge if isinstance(challenge, str) else ""


def _read(answer: str) -> dict[str, Any]:
    try:
        read = json.loads(answer[:MOST])
    except (ValueError, RecursionError) as error:
        raise Refused("json") from error
    if not isinstance(read, dict):
        raise Refused("json")
    return read


def _host() -> str:
    return urlsplit(policy().base_url).hostname or ""


def _origin() -> str:
    parts = urlsplit(policy().base_url)
    return f"{parts.scheme}://{parts.netloc}".lower()
